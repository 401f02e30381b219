"""What does watching cost? The same loop watched and unwatched, in one run, in short slices that take turns.

    python bench/watch.py [--quick]

Two small networks (an MLP 64-256-256-10 on batches of 128, a CNN on 64 images of 28 x 28) train for 5,000 steps each,
twice. Two copies of each loop advance in turn by a few steps; which of the two goes first changes with every pair. Slices in
which the watch looked at nothing differ by its hooks alone: of their differences the mean of the middle half counts,
whatever else the machine does. To the slices with looks goes all that they took beyond the plain ones near them. The
overhead is both together over the time of all plain slices. Seconds are those of the thread. Memory is the peak of a process
of its own, over that of one that runs the same loop unwatched. The last line is one JSON object of fractions.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

import liebig
from liebig.core.evidence import ProbeCost, UpdateRatios

STEPS, SLICE, NEAR, RUNS = 5_000, 5, 10, 2


def mlp() -> tuple[nn.Module, Tensor]:
    net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    return net, torch.randn(128, 64)


def cnn() -> tuple[nn.Module, Tensor]:
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10),
    )  # fmt: skip
    return net, torch.randn(64, 1, 28, 28)


class Loop:
    """One training loop that can be advanced by some steps."""

    def __init__(self, make: Callable[[], tuple[nn.Module, Tensor]], watched: bool) -> None:
        torch.manual_seed(0)
        self.net, self.inputs = make()
        self.target = torch.randint(0, 10, (len(self.inputs),))
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3)
        self.watch = liebig.watch(self.net, self.optimizer) if watched else None

    def advance(self, steps: int) -> float:
        """Seconds for so many steps."""
        began = time.thread_time()  # of this thread alone: what else the machine does is not counted
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = functional.cross_entropy(self.net(self.inputs), self.target)
            loss.backward()
            self.optimizer.step()
        return time.thread_time() - began

    def slices_with_looks(self) -> set[int]:
        """Which slices held a look, or the step after one, in which the look ends."""
        seen = self.watch.evidence.get(UpdateRatios) if self.watch is not None else None
        return {(step + after) // SLICE for step in (seen.steps if seen is not None else ()) for after in (0, 1)}


def overhead(make: Callable[[], tuple[nn.Module, Tensor]], steps: int) -> tuple[float, dict[str, float]]:
    """The extra time of the watched loop, as a fraction of the plain one's, over the whole run."""
    Loop(make, watched=False).advance(50)
    plain, watched = Loop(make, watched=False), Loop(make, watched=True)
    watched.inputs, watched.target = plain.inputs, plain.target  # where tensors lie in memory makes a difference, too
    pairs = []
    for number in range(steps // SLICE):
        first, second = (plain, watched) if number % 2 == 0 else (watched, plain)
        one, other = first.advance(SLICE), second.advance(SLICE)
        pairs.append((one, other) if number % 2 == 0 else (other, one))
    assert watched.watch is not None
    assert watched.watch.error is None, watched.watch.error
    assert all(torch.equal(a, b) for a, b in zip(plain.net.parameters(), watched.net.parameters(), strict=True))
    usual = statistics.median(mine for mine, _ in pairs)
    looks = watched.slices_with_looks()
    quiet = middle_half([theirs - mine for place, (mine, theirs) in enumerate(pairs) if place not in looks])
    seen = 0.0
    for place in looks & set(range(len(pairs))):  # the machine is not equally fast all the time
        near = [mine for mine, _ in pairs[max(0, place - NEAR) : place + NEAR + 1]]
        # In the first slice both make their optimizer's state.
        seen += pairs[place][1] - (pairs[0][0] if place == 0 else statistics.median(near))
    share, cost = seen / (usual * len(pairs)), watched.watch.evidence.get(ProbeCost)
    assert cost is not None
    told = {
        "step_us": usual / SLICE * 1e6, "hooks": quiet / usual, "looks": share, "slices": len(looks),
        "of_its_own_account": cost.seconds / (usual * len(pairs)), "sum": sum(b - a for a, b in pairs) / sum(a for a, _ in pairs),
    }  # fmt: skip
    watched.watch.close()
    return quiet / usual + share, told


def middle_half(values: list[float]) -> float:
    """The mean of the values between the quartiles."""
    ordered = sorted(values)
    return statistics.fmean(ordered[len(ordered) // 4 : -(len(ordered) // 4)])


def peak(kind: str, watched: bool, steps: int) -> int:
    """Peak memory of one loop in a process of its own, in KiB."""
    command = [sys.executable, __file__, "--memory", kind, str(int(watched)), str(steps)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


KINDS: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {"mlp": mlp, "cnn": cnn}


def main() -> None:
    torch.set_num_threads(1)
    if "--memory" in sys.argv:
        kind, watched, steps = sys.argv[2:5]
        loop = Loop(KINDS[kind], watched == "1")
        loop.advance(int(steps))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    steps = 1_000 if "--quick" in sys.argv else STEPS
    found = {}
    for kind, make in KINDS.items():
        shares = []
        for _ in range(RUNS):
            share, told = overhead(make, steps)
            shares.append(share)
            print(f"{kind}: " + "  ".join(f"{name} {value:.4g}" for name, value in told.items()), flush=True)
        found[kind] = statistics.fmean(shares)
    growth = max(
        statistics.median(peak(kind, True, 300) / peak(kind, False, 300) - 1 for _ in range(3)) for kind in KINDS
    )
    print(json.dumps({"overhead": found, "memory": growth}))


if __name__ == "__main__":
    main()
