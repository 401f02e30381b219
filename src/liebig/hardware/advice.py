"""What keeps torch from using this machine's graphics processor, and what to do about it: a pure function of the facts.

The steps are in the order in which they must be taken; the first is the one to tell where only one sentence is told.
Torch's wheels bring the CUDA libraries that they need, so a driver is all that running needs: a toolkit (nvcc, CUDA_HOME) is for
those who compile kernels of their own, and what concerns it is marked as not needed.

Sources: NVIDIA, CUDA Compatibility, "Minor Version Compatibility", table 1 (least drivers of CUDA 11.x, 12.x, 13.x;
https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html); PyTorch's release matrix (2.12: CUDA 12.6,
13.0, 13.2; https://github.com/pytorch/pytorch/blob/main/RELEASE.md) and the architectures that its wheels are compiled for
(https://github.com/pytorch/test-infra, tools/pkg-helpers/pytorch_pkg_helpers/cuda.py: 12.6 from 5.0 to 9.0, 13.0 from 7.5 on).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from liebig.hardware.facts import Card, Facts, System

#: The least driver branch of each major CUDA version, on Linux and Windows alike, the newest first.
LEAST_DRIVER: Final[tuple[tuple[int, int], ...]] = ((13, 580), (12, 525), (11, 450))
DRIVERS_PAGE: Final = "https://www.nvidia.com/drivers"


@dataclass(frozen=True, slots=True)
class Index:
    """One of PyTorch's package indexes: its builds' CUDA version, and the compute capabilities that they run on, from
    `lowest` to below `beyond` (None: newer cards, too, by code that the driver compiles)."""

    name: str
    cuda: int
    lowest: tuple[int, int]
    beyond: tuple[int, int] | None

    @property
    def url(self) -> str:
        return f"https://download.pytorch.org/whl/{self.name}"

    def runs_on(self, capability: tuple[int, int] | None) -> bool:
        if capability is None:
            return True
        return self.lowest <= capability and (self.beyond is None or capability < self.beyond)


#: The newest first: the first that a driver and a card allow is the one to install.
INDEXES: Final = (Index("cu130", 13, (7, 5), None), Index("cu126", 12, (5, 0), (10, 0)))


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `name` is a word for it; `needed` is False where training runs without it."""

    name: str
    wrong: str
    do: str
    command: str
    needed: bool = True

    def sentence(self) -> str:
        """What is wrong and what to do, as one sentence."""
        return f"{self.wrong}: {self.do}" + (f": {self.command}" if self.command else "")


def steps(facts: Facts) -> tuple[Step, ...]:
    """What to do, in order; empty where nothing is in the way. Steps that must be taken come first."""
    return (*([] if facts.build.sees_card and not _unsupported(facts) else _needed(facts)), *_for_compiling(facts))


def highest_cuda(driver: str) -> int | None:
    """The newest major CUDA version that a driver such as "550.54.15" runs; None for a driver older than all."""
    found = re.match(r"\d+", driver)
    if not found:
        return None
    return next((cuda for cuda, least in LEAST_DRIVER if int(found[0]) >= least), None)


def index_for(driver: str, card: Card | None) -> Index | None:
    """The package index whose torch runs with this driver on this card; None where no driver-compatible one does."""
    cuda, capability = highest_cuda(driver), card.capability if card else None
    if cuda is None:
        return None
    return next((index for index in INDEXES if index.cuda <= cuda and index.runs_on(capability)), None)


def install_command(index: Index) -> str:
    """The command that puts this index's torch in the place of the one that is installed. The same on all systems."""
    return f"python -m pip install --force-reinstall torch --index-url {index.url}"


def compiled_for(architectures: tuple[str, ...], capability: tuple[int, int]) -> bool:
    """True where code for these architectures runs on such a card: machine code ("sm_80") on cards of the same major and
    no lower minor version, intermediate code ("compute_80") on all that are not older. "sm_90a" serves 9.0 alone."""
    for each in architectures:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([a-z]?)", each)
        if not found:
            continue
        kind, own, special = found[1], (int(found[2]), int(found[3])), found[4]
        if special:
            fits = own == capability
        elif kind == "sm":
            fits = own[0] == capability[0] and own[1] <= capability[1]
        else:
            fits = own <= capability
        if fits:
            return True
    return False


def _unsupported(facts: Facts) -> Card | None:
    """A card whose compute capability this build was not compiled for."""
    if not facts.build.architectures:
        return None
    return next(
        (
            card
            for card in facts.cards
            if card.capability and not compiled_for(facts.build.architectures, card.capability)
        ),
        None,
    )


def _needed(facts: Facts) -> Iterator[Step]:
    if facts.build.rocm and not facts.has_card:
        yield Step(
            "amd", "This torch is built for AMD's graphics processors, and sees none",
            "install AMD's driver (ROCm), and see that you may use the device", "rocminfo",
        )  # fmt: skip
    elif facts.system is System.MAC:
        yield from _on_mac(facts)
    elif not facts.has_card and facts.driver is None:
        yield _no_runtime() if facts.colab else _no_card(facts)
    elif facts.driver is None:
        yield _no_driver(facts)
    else:
        yield from _with_driver(facts, facts.driver)


def _on_mac(facts: Facts) -> Iterator[Step]:
    if not facts.apple_silicon:
        yield Step(
            "mac", "macOS on an Intel processor has no graphics processor that torch can use",
            "train on the processor: nothing has to be installed", "",
        )  # fmt: skip
    elif not facts.build.mps:
        yield Step(
            "mac", "This torch cannot use Apple's graphics processor (Metal)",
            "install the torch for Apple silicon, with a Python that is built for it, on macOS 14 or newer",
            "python -m pip install --force-reinstall torch",
        )  # fmt: skip
    else:
        yield Step(
            "mac", "macOS has no CUDA, and Apple's graphics processor (Metal) is used only where you ask for it",
            "set the device of the recipe, and see whether it is faster for your network",
            "liebig fit TABLE --target COLUMN --set compute.device=mps", needed=False,
        )  # fmt: skip


def _no_runtime() -> Step:
    return Step(
        "colab", "This Colab runtime has no graphics processor",
        "choose Runtime > Change runtime type > T4 GPU; the runtime then starts anew", "!nvidia-smi",
    )  # fmt: skip


def _no_card(facts: Facts) -> Step:
    asked = {
        System.LINUX: "lspci | grep -i nvidia",
        System.WSL: "powershell.exe -Command \"(Get-CimInstance Win32_VideoController).Name\"",
        System.WINDOWS: "powershell -Command \"(Get-CimInstance Win32_VideoController).Name\"",
    }  # fmt: skip
    return Step(
        "no-card", "No NVIDIA graphics processor is seen",
        "nothing has to be installed to train on the processor; if there is a card, see whether the system lists it (a "
        "container must be given it with docker run --gpus all)",
        asked.get(facts.system, "nvidia-smi"),
    )  # fmt: skip


def _no_driver(facts: Facts) -> Step:
    card = (
        f"There is an NVIDIA graphics processor ({facts.cards[0].name})"
        if facts.cards
        else "There is an NVIDIA graphics processor"
    )
    if facts.system is System.WINDOWS:
        return Step(
            "no-driver", f"{card}, but its driver does not answer",
            f"install the driver from {DRIVERS_PAGE}, start Windows anew and ask it", "nvidia-smi",
        )  # fmt: skip
    if facts.system is System.WSL:
        return Step(
            "no-driver", f"{card}, but its driver does not answer",
            f"install the driver from {DRIVERS_PAGE} in Windows, and none inside Linux; then start Linux anew from Windows",
            "wsl --shutdown",
        )  # fmt: skip
    return Step(
        "no-driver", f"{card}, but its driver does not answer",
        "start the machine anew where the driver was just updated; otherwise install it (Ubuntu and Debian's children as "
        f"shown, others from {DRIVERS_PAGE})",
        "sudo ubuntu-drivers install && sudo reboot",
    )  # fmt: skip


def _with_driver(facts: Facts, driver: str) -> Iterator[Step]:
    card = next(iter(facts.cards), None)
    if _hides_all(facts.hidden_by):
        yield _hidden(facts)
    index = index_for(driver, card)
    if index is None:
        yield from _no_build(facts, driver, card)
        return
    build, stranger = facts.build, _unsupported(facts)
    if build.rocm or build.cuda is None:
        name = card.name if card else "a graphics processor"
        kind = "for AMD's graphics processors" if build.rocm else "for processors alone"
        yield Step(
            "build", f"There is {name} with a driver, but this torch ({build.version}) is built {kind}",
            f"install the torch for CUDA {index.name[2:4]}.{index.name[4:]}, which driver {driver} runs",
            install_command(index),
        )  # fmt: skip
    elif _major(build.cuda) > (highest_cuda(driver) or 0):
        yield Step(
            "driver-too-old",
            f"Driver {driver} is too old for this torch ({build.version}), which is built with CUDA {build.cuda} and needs "
            f"driver {dict(LEAST_DRIVER).get(_major(build.cuda), 'newer than it')} or newer",
            f"install the torch for CUDA {index.name[2:4]}.{index.name[4:]}, or a newer driver from {DRIVERS_PAGE}",
            install_command(index),
        )  # fmt: skip
    elif stranger is not None:
        index = index_for(driver, stranger) or index
        yield Step(
            "capability",
            f"This torch ({build.version}) is not compiled for {stranger.name} (compute capability "
            f"{stranger.shown_capability}), only for {', '.join(build.architectures)}",
            f"install the torch for CUDA {index.name[2:4]}.{index.name[4:]}", install_command(index),
        )  # fmt: skip
    elif not build.sees_card and not _hides_all(facts.hidden_by):
        said = f" ({build.complaint})" if build.complaint else ""
        yield Step(
            "not-answering", f"Card, driver and torch belong together, and yet torch cannot use the card{said}",
            "start the machine anew: after an update or a sleep the driver's parts may not match; a container must be given "
            "the card (docker run --gpus all)",
            "python -c \"import torch; print(torch.ones(1, device='cuda'))\"",
        )  # fmt: skip


def _no_build(facts: Facts, driver: str, card: Card | None) -> Iterator[Step]:
    """No index serves: the driver is older than all of them, or the card is."""
    name, shown = (card.name, card.shown_capability) if card else ("the card", "unknown")
    if card is not None and card.capability is not None and not any(each.runs_on(card.capability) for each in INDEXES):
        yield Step(
            "card-too-old", f"{name} (compute capability {shown}) is older than any torch of today is compiled for",
            "train on the processor: nothing has to be installed", "",
        )  # fmt: skip
        return
    serving = [each for each in INDEXES if each.runs_on(card.capability if card else None)]
    least = dict(LEAST_DRIVER)[min(each.cuda for each in serving)]
    yield Step(
        "driver-too-old", f"Driver {driver} is too old for every torch of today that runs on {name}",
        f"install driver {least} or newer ({DRIVERS_PAGE})" + (", in Windows" if facts.system is System.WSL else ""),
        "sudo ubuntu-drivers install && sudo reboot" if facts.system is System.LINUX else "nvidia-smi",
    )  # fmt: skip
    if facts.build.cuda is None:
        yield Step(
            "build", f"This torch ({facts.build.version}) is built for processors alone",
            "install one for CUDA after the driver", install_command(serving[0]),
        )  # fmt: skip


def _hides_all(hidden_by: str | None) -> bool:
    """True where CUDA_VISIBLE_DEVICES leaves no card: it is empty, or begins with a number that no card has."""
    return hidden_by is not None and hidden_by.strip().split(",")[0] in {"", "-1", "NoDevFiles", "none"}


def _hidden(facts: Facts) -> Step:
    shell = "Remove-Item Env:CUDA_VISIBLE_DEVICES" if facts.system is System.WINDOWS else "unset CUDA_VISIBLE_DEVICES"
    return Step(
        "hidden", f'CUDA_VISIBLE_DEVICES is "{facts.hidden_by}", which hides every graphics processor',
        "take the variable away where it is set", shell,
    )  # fmt: skip


def _major(version: str) -> int:
    found = re.match(r"\d+", version)
    return int(found[0]) if found else 0


def _for_compiling(facts: Facts) -> Iterator[Step]:
    """What those miss who compile kernels of their own. A toolkit without a card compiles, too, but nobody here runs it."""
    toolkit = facts.toolkit
    if toolkit.compiler is None or not facts.has_card or (toolkit.on_path and toolkit.home):
        return
    home = re.sub(r"[/\\]bin[/\\]nvcc(\.exe)?$", "", toolkit.compiler)
    missing = " and ".join(
        name for name, there in (("PATH", toolkit.on_path), ("CUDA_HOME", bool(toolkit.home))) if not there
    )
    told = f"The CUDA toolkit is there ({toolkit.compiler}), but {missing} " + ("do" if " and " in missing else "does")
    if facts.system is System.WINDOWS:
        command = (
            f'setx CUDA_HOME "{home}"'
            if toolkit.on_path
            else f'setx CUDA_HOME "{home}"; setx PATH "$env:PATH;{home}\\bin"'
        )
    else:
        parts = [] if toolkit.home else [f"export CUDA_HOME={home}"]
        parts += [] if toolkit.on_path else [f'export PATH="{toolkit.home or home}/bin:$PATH"']
        command = " && ".join(parts)
    yield Step(
        "toolkit", f"{told} not say so",
        "only those who compile kernels of their own need it (torch brings its own CUDA libraries): say so in the shell's "
        "start file", command, needed=False,
    )  # fmt: skip
