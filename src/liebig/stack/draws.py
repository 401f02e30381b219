"""Randomness of a stack, drawn for each member from (its seed, the step, the place): who else is in the stack, or has
left it, changes nothing.

A counter-based hash (the 32-bit finaliser of MurmurHash3, Appleby 2011) in integer tensor operations: no state to carry,
the same numbers on every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B1
_INVERSE = pow(_GOLDEN, -1, 1 << 32)  # what makes of a step's word the step again
_FIRST = 0x85EBCA6B
_SECOND = 0xC2B2AE35
_MASK = 0xFFFFFFFF


def _signed(value: int) -> int:
    """A 32-bit pattern as the int32 that has it."""
    value &= _MASK
    return value - (1 << 32) if value >= (1 << 31) else value


def _mix(value: int) -> int:
    value &= _MASK
    value ^= value >> 16
    value = value * _FIRST & _MASK
    value ^= value >> 13
    value = value * _SECOND & _MASK
    return value ^ (value >> 16)


def _mix_(bits: Tensor) -> Tensor:
    """The same finaliser in place on int32; shifts are made logical by masking what the sign filled in."""
    bits.bitwise_xor_((bits >> 16).bitwise_and_(0xFFFF))
    bits.mul_(_signed(_FIRST))
    bits.bitwise_xor_((bits >> 13).bitwise_and_(0x7FFFF))
    bits.mul_(_signed(_SECOND))
    return bits.bitwise_xor_((bits >> 16).bitwise_and_(0xFFFF))


@dataclass(frozen=True, slots=True)
class Draws:
    """Random numbers of one step. `seeds` are the members' seeds, `step` the training step."""

    seeds: tuple[int, ...]
    step: int
    device: torch.device

    def bits(self, size: int, stream: int) -> Tensor:
        """Random int32 [K, size], uniform over all patterns. `stream` names the place (layer number, technique)."""
        counter = torch.arange(size, dtype=torch.int32, device=self.device).mul_(_signed(_GOLDEN))
        return _mix_(counter[None, :].add(self.keys(stream)[:, None]))

    def keys(self, stream: int) -> Tensor:
        """What the numbers of each member at this place come from, int32 [K]."""
        keys = [_signed(_mix(_mix(_mix(seed) ^ (self.step * _GOLDEN)) ^ (stream * _FIRST))) for seed in self.seeds]
        return torch.tensor(keys, dtype=torch.int32, device=self.device)

    def steps(self) -> Tensor:
        """The step, int32 [1], on the device."""
        return torch.tensor([self.step], dtype=torch.int32, device=self.device)

    def of_rows(self, rows: Tensor, stream: int) -> Tensor:
        """Random int32 [K, B] that a member draws for a row `rows` int64 [K, B] at this place, the same in every step."""
        keys = [_signed(_mix(_mix(seed) ^ (stream * _FIRST))) for seed in self.seeds]
        counter = rows.to(torch.int32).mul(_signed(_GOLDEN))
        return _mix_(counter + torch.tensor(keys, dtype=torch.int32, device=self.device)[:, None])

    def uniform(self, shape: tuple[int, ...], stream: int) -> Tensor:
        """Uniform in [0, 1), float32 [K, *shape]."""
        size = 1
        for each in shape:
            size *= each
        words = (self.bits(size, stream) >> 8).bitwise_and_(0xFFFFFF)
        return words.to(torch.float32).mul_(2.0**-24).reshape(len(self.seeds), *shape)

    def normal(self, shape: tuple[int, ...], stream: int) -> Tensor:
        """Standard normal, float32 [K, *shape] (Box & Muller 1958)."""
        first = self.uniform(shape, stream).clamp_(min=2.0**-24)
        second = self.uniform(shape, stream + (1 << 16))
        return torch.sqrt(-2.0 * torch.log(first)) * torch.cos(2.0 * torch.pi * second)

    def kept(self, keep: Tensor, shape: tuple[int, ...], stream: int, dtype: torch.dtype) -> Tensor:
        """1 / share kept with probability `keep` [K] for each entry, else 0: [K, *shape] in `dtype`.

        15 bits decide; the share kept is `keep` rounded to them, so that the expectation is 1. For bfloat16 the bits of the
        number itself are masked: no comparison, no conversion, since this runs over every activation of every step.
        """
        size = 1
        for each in shape:
            size *= each
        words = self.bits((size + 1) // 2, stream).view(torch.int16)[:, :size]
        limit = (keep * 32768.0).round()
        # 0..32767 minus the limit is negative, all ones once shifted, where kept; a limit of 32768 wraps around rightly.
        below = words.bitwise_and_(0x7FFF).sub_(limit.to(torch.int32).to(torch.int16)[:, None]).bitwise_right_shift_(15)
        scale = (32768.0 / limit)[:, None]
        if dtype == torch.bfloat16:
            factor = below.bitwise_and_(scale.to(torch.bfloat16).view(torch.int16)).view(torch.bfloat16)
        else:
            factor = below.to(torch.int32).bitwise_and_(scale.view(torch.int32)).view(torch.float32).to(dtype)
        return factor.reshape(len(self.seeds), *shape)


@dataclass(frozen=True, slots=True)
class ReplayedDraws(Draws):
    """The same numbers where the step is known to the device alone, so that a recorded step can be replayed as another one.
    `mixed` int32 [K] are the seeds and `word` int32 [1] the step, as `mixed_seeds` and `step_word` make them. Generators of
    torch's own are not seeded by it: whoever replays seeds them first."""

    mixed: Tensor
    word: Tensor

    def steps(self) -> Tensor:
        return self.word * _signed(_INVERSE)

    def keys(self, stream: int) -> Tensor:
        return _mix_(_mix_(self.mixed ^ self.word).bitwise_xor_(_signed(stream * _FIRST)))


def mixed_seeds(seeds: Sequence[int], device: torch.device) -> Tensor:
    """The seeds as `ReplayedDraws` takes them."""
    return torch.tensor([_signed(_mix(seed)) for seed in seeds], dtype=torch.int32, device=device)


def step_word(step: int) -> int:
    """The step as `ReplayedDraws` takes it."""
    return _signed(step * _GOLDEN)


def member_seed(*parts: int) -> int:
    """One 32-bit seed from several numbers (block seed, member number, stream)."""
    seed = 0
    for part in parts:
        seed = _mix(seed ^ _mix(part + _GOLDEN) ^ ((part >> 32) * _FIRST))
    return seed
