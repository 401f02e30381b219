"""All members of a population of a user's own network in one call: `torch.func` over stacked weights and buffers.

Randomness inside is refused, not imitated: what a member draws must come from its own seed, whoever trains beside it, and
torch.func gives all members of one call the same generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from liebig.data.module.users import Users
from liebig.hardware.memory import is_out_of_memory
from liebig.stack.batch import Batch

#: Tensors that forward leaves on the module would be those of torch.func, of no use to whoever reads them next.
KEEPS: Final = "it keeps tensors on itself from one step to the next"
#: What torch.func says where it cannot follow a network, and what that means.
_COMPLAINTS: Final = (
    ("randomness", "it draws at random while it trains, and what each network draws must be its own"),
    (".item()", "it reads single values while it runs"),
    ("data-dependent", "which way it goes depends on the values that it sees"),
    ("inplace arithmetic", "it writes into a tensor in place"),
    ("in-place", "it writes into a tensor in place"),
    ("match the broadcast shape", "it writes into a tensor in place"),
    ("may have escaped", KEEPS),
    ("Batching rule not implemented", "torch.func has no rule for one of its operations"),
)


class NotAtOnce(RuntimeError):
    """The members cannot run in one call. `reason` ends a sentence that begins "..., since"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reason_of(error: Exception) -> str:
    """Why members cannot run in one call, from what was raised when they were to."""
    if isinstance(error, NotAtOnce):
        return error.reason
    text = " ".join(str(error).split())
    for words, reason in _COMPLAINTS:
        if words in text:
            return reason
    return f"torch.func cannot run it ({type(error).__name__}: {text[:100]})"


class AtOnce:
    """One network as a function of K members' weights and buffers. `parameters` and `buffers` are the dotted names of what
    it learns and of its distinct buffers, in the order of the stack."""

    def __init__(self, network: nn.Module, parameters: Sequence[str], buffers: Sequence[str], users: Users) -> None:
        self.network, self.users = network, users
        self.parameters, self.buffers = tuple(parameters), tuple(buffers)

    def __call__(
        self,
        weights: Sequence[Tensor],
        buffers: Sequence[Tensor],
        batch: Batch,
        finish: Callable[[Any, Tensor], Tensor],
    ) -> Tensor:
        """`finish(answer, target)` of each member, [K, ...]; buffers [K, *shape] are updated in place. Raises NotAtOnce."""
        inputs = [_by_member(each, batch.member_group) for each in (batch.dense, *batch.others)]
        target, target_dim = _by_member(batch.target, batch.member_group)

        def one(
            weights: list[Tensor], buffers: list[Tensor], leaves: list[Tensor], target: Tensor
        ) -> tuple[Tensor, list[Tensor]]:
            held = {
                **dict(zip(self.parameters, weights, strict=True)), **dict(zip(self.buffers, buffers, strict=True))
            }  # fmt: skip
            answer = functional_call(self.network, held, self.users.shape.inputs(leaves))
            return finish(answer, target), [held[name] for name in self.buffers]

        # What backward keeps are the copies: the stack's own buffers may be written at once.
        copies = [each.clone() for each in buffers]
        dims = (0, 0, [dim for _, dim in inputs], target_dim)
        try:
            values, after = vmap(one, in_dims=dims, randomness="error")(
                list(weights), copies, [each for each, _ in inputs], target
            )
        except Exception as error:  # the user's own code runs here
            if is_out_of_memory(error):
                raise
            raise NotAtOnce(reason_of(error)) from error
        with torch.no_grad():
            for mine, now in zip(buffers, after, strict=True):
                mine.copy_(now)
        return values


def _by_member(value: Tensor, member_group: Tensor | None) -> tuple[Tensor, int | None]:
    """`value` [G, ...] as members read it, and the dimension that is theirs: None where all share one block's rows."""
    if member_group is None:
        return value, 0
    if len(value) == 1:
        return value[0], None
    return value[member_group], 0
