"""Unit statistics: which units are silent, which are at their ends, and where a layer's values lie.

Measures: per unit over the whole probe batch (a unit is dead when it is silent on *every* sample, never by the share of
zeros); saturated beyond +-5 before a sigmoid or tanh; histograms of what leaves the activation at step 0 and at the end.
Source: Lu et al. 2019, arXiv:1903.06733 (dying ReLU); Glorot & Bengio 2010 (saturation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from liebig.core.evidence import LayerUnits, UnitStatistics
from liebig.probes.look import Look, ReadLayer, SeenLayer
from liebig.probes.probe import Probe, Reading

_SQUASHING = frozenset({"sigmoid", "tanh"})
_ENDS = 5.0
_SILENT = 1e-3  # of the layer's root mean square, or of 1 where that is larger: one huge unit does not silence the rest
_BINS = 30
_SAMPLES = 512  # of a larger probe batch
_HISTOGRAM_SAMPLES = 64
_STATISTICS = 8  # dead, saturated, active, mean, spread, out mean, out spread, units
_HISTOGRAM_FROM = 50  # the end of a run is not known before it, so each late look is taken for the last


@dataclass(frozen=True, slots=True)
class UnitProbe(Probe):
    """Reads eight statistics for each layer, then, at step 0 and late, a histogram with its two ends."""

    def names(self, look: Look) -> tuple[str, ...]:
        return tuple(f"{layer.name}\n{layer.activation}" for layer in look.layers or look.read)

    def read(self, look: Look) -> Tensor | None:
        read = look.read or tuple(read_layer(layer, takes_histogram(look.step)) for layer in look.layers)
        if not read:
            return None
        parts = [layer.numbers for layer in read]
        return torch.cat([*parts, *(layer.histogram for layer in read if layer.histogram is not None)], dim=1)

    def measurement(self, readings: Sequence[Reading]) -> UnitStatistics:
        last = len(readings) - 1
        return UnitStatistics(
            steps=tuple(reading.step for reading in readings),
            looks=tuple(_layers(reading, i in {0, last}) for i, reading in enumerate(readings)),
        )


def takes_histogram(step: int) -> bool:
    """Whether histograms are taken at this step: at the first, and at each that may be the last."""
    return step == 0 or step >= _HISTOGRAM_FROM


def read_layer(layer: SeenLayer, with_histogram: bool) -> ReadLayer:
    """What the unit probe reads of one layer; nothing of its activation is kept."""
    histogram = _histogram(layer.after) if with_histogram else None
    return ReadLayer(layer.name, layer.activation, _statistics(layer), histogram)


def _statistics(layer: SeenLayer) -> Tensor:
    """[K, 8]."""
    before, after = (_samples(each, _SAMPLES).float() for each in (layer.before, layer.after))
    size = after.abs()
    out_mean, out_square = after.flatten(1).mean(dim=1), size.flatten(1).square().mean(dim=1)
    silence = _SILENT * out_square.sqrt().clamp(max=1.0)
    # A value that is not finite is the largest and compares as False: such a unit is sick, but not silent.
    dead = (size.amax(dim=1) <= silence[:, None]).float().mean(dim=1)
    members = after.shape[0]
    if layer.activation in _SQUASHING:
        saturated = (before.abs() > _ENDS).float().mean(dim=(1, 2))
    else:
        saturated = torch.zeros(members, device=after.device)
    mean = before.flatten(1).mean(dim=1)
    units = torch.full((members,), float(after.shape[2]), device=after.device)
    share = (size > silence[:, None, None]).float().flatten(1).mean(dim=1)
    spread, out_spread = _spread(before, mean), _spread(after, out_mean)
    return torch.stack([dead, saturated, share, mean, spread, out_mean, out_spread, units], dim=1)


def _spread(values: Tensor, mean: Tensor) -> Tensor:
    """Standard deviation [K] of [K, ...]: in two passes, several times as fast as torch's running one."""
    return (values - mean[:, None, None]).flatten(1).square_().mean(dim=1).sqrt()


def _samples(values: Tensor, most: int) -> Tensor:
    """At most `most` rows of [K, B, ..., units], as [K, rows, units]. Channels of images lie first there: not here."""
    return values.reshape(values.shape[0], -1, values.shape[-1])[:, :most]


def _histogram(after: Tensor) -> Tensor:
    """Counts of `_BINS` equal bins, then the lowest and the highest value: [K, _BINS + 2]."""
    values = _samples(after, _HISTOGRAM_SAMPLES).float().flatten(1)
    low, high = values.amin(dim=1), values.amax(dim=1)
    width = (high - low).clamp(min=1e-30)
    places = ((values - low[:, None]) / width[:, None] * _BINS).nan_to_num(0.0, 0.0, 0.0).long().clamp_(0, _BINS - 1)
    counts = torch.zeros(values.shape[0], _BINS, device=values.device)
    counts.scatter_add_(1, places, torch.ones_like(values))
    return torch.cat([counts, low[:, None], high[:, None]], dim=1)


def _layers(reading: Reading, with_histogram: bool) -> tuple[LayerUnits, ...]:
    values, count = reading.values, len(reading.names)
    layers = []
    for i, name in enumerate(reading.names):
        layer, activation = name.split("\n")
        dead, saturated, active, mean, spread, out_mean, out_spread, units = values[_STATISTICS * i :][
            :_STATISTICS
        ].tolist()
        # None is there where the step took none, whatever is asked for.
        histogram = values[_STATISTICS * count + (_BINS + 2) * i :][: _BINS + 2] if with_histogram else values[:0]
        counts, edges = _with_edges(histogram.tolist())
        layers.append(
            LayerUnits(layer, activation, int(units), dead, saturated, active, mean, spread, out_mean, out_spread,
                       counts, edges)
        )  # fmt: skip
    return tuple(layers)


def _with_edges(histogram: list[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Counts and edges from counts and two ends."""
    if not histogram:
        return (), ()
    *counts, low, high = histogram
    return tuple(counts), tuple(low + (high - low) * i / _BINS for i in range(_BINS + 1))
