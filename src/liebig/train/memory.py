"""Memory of a population, predicted from shapes."""

from __future__ import annotations

from typing import Any, Final

import torch

from liebig.core.task import Task
from liebig.data.table.feed import CACHED_BYTES
from liebig.nets.dense import DenseSettings
from liebig.stack.flat import size_of
from liebig.train.plan import Member, Plan, batching_of, network_of
from liebig.train.stacked import Machine

#: Float32 copies of the weights: master, gradient, two moments, update, average, best, one while the stack shrinks.
_COPIES: Final = 8
#: Tensors of a layer that are alive at once: before and after the activation, dropped, the factor, gradients.
_ACTIVATIONS: Final = 6
#: What the allocator and the libraries add.
_SLACK: Final = 1.25
#: Of free memory; and what the members of one population take on a processor.
SHARE_OF_FREE: Final = 0.6
_LARGEST_STACK: Final = 256 << 20


def member_bytes(plan: Plan, task: Task[Any], dtype: torch.dtype) -> int:
    """Bytes that one more member needs."""
    network, size = network_of(plan.recipe), torch.empty(0, dtype=dtype).element_size()
    parameters = size_of(network.parameters(plan.signature, task.outputs))
    units = task.outputs + plan.signature.dense
    told = network.units(plan.signature, task.outputs)
    if told is not None:
        units = told
    elif isinstance(network, DenseSettings):
        units = network.inputs_of(plan.signature) + sum(network.widths()) + task.outputs
    rows = batching_of(plan.recipe).size
    activations = _ACTIVATIONS * rows * units * network.packed * max(size, 4)
    return int(_SLACK * (parameters * (4 * _COPIES + 2 * size) + activations))


def feed_bytes(plan: Plan, task: Task[Any], dtype: torch.dtype) -> int:
    """Bytes of the rows of all blocks."""
    blocks = len({id(member.course) for member in plan.members})
    return blocks * min(_block_bytes(plan, task, dtype), CACHED_BYTES)


def _block_bytes(plan: Plan, task: Task[Any], dtype: torch.dtype) -> int:
    return task.rows * max(plan.signature.dense, 1) * torch.empty(0, dtype=dtype).element_size()


def predicted_bytes(plan: Plan, task: Task[Any], dtype: torch.dtype) -> int:
    """Bytes that a population needs, its feed included."""
    return feed_bytes(plan, task, dtype) + len(plan.members) * member_bytes(plan, task, dtype)


def usual_limit(plan: Plan, task: Task[Any], machine: Machine, free: int) -> int:
    """The bytes that a population may take where nothing was asked for: a share of what is free, and on the processor no
    more for its members than what still pays there. Launches are cheap beside the arithmetic of so large a stack."""
    limit = int(SHARE_OF_FREE * free)
    if machine.device.type != "cpu":
        return limit
    return min(limit, feed_bytes(plan, task, machine.dtype) + _LARGEST_STACK)


def most_members(plan: Plan, task: Task[Any], dtype: torch.dtype, limit: int) -> int:
    """Members that fit under `limit` bytes together; at least one, since less cannot be tried."""
    if predicted_bytes(plan, task, dtype) <= limit:
        return len(plan.members)
    feed = feed_bytes(plan, task, dtype)
    return max(1, int((limit - feed) / member_bytes(plan, task, dtype))) if limit > feed else 1


def parts_of(plan: Plan, task: Task[Any], dtype: torch.dtype, most: int) -> list[Plan]:
    """The plan in parts of at most `most` members, and of no more blocks than a feed keeps encoded: what many rows cost in
    shared launches is less than what encoding them anew in every step costs. Blocks of which not even one is kept stay
    together."""
    at_once = CACHED_BYTES // _block_bytes(plan, task, dtype) or len(plan.members)
    parts: list[list[Member]] = []
    for member in plan.members:
        own = parts[-1] if parts else []
        seen = {id(each.course) for each in own} | {id(member.course)}
        if not own or len(own) == most or len(seen) > at_once:
            parts.append([member])
        else:
            own.append(member)
    return [plan.taking(members) for members in parts]
