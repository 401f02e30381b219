"""Healthy archetypes: nothing is wrong with these, and no warning may be raised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor, nn

from fault_benchmark import data as d
from fault_benchmark import networks as n
from fault_benchmark import setup as s
from fault_benchmark.data import Data
from fault_benchmark.setup import Setup

_DIGITS: Final = Setup()
_CIRCLES: Final = Setup(data=Data("circles", (d.standardised,)), epochs=30)
_DIABETES: Final = Setup(
    data=Data("diabetes", (d.standardised, d.standard_targets, d.targets_as_columns)), loss=s.squares, build=n.mlp(32),
    epochs=60, patience=5,
)  # fmt: skip
_CANCER: Final = Setup(data=Data("cancer", (d.standardised,)), epochs=15)


def _noisy(x: Tensor) -> Tensor:
    return x + 0.2 * torch.randn_like(x)


#: The kinds that the list of the benchmark names.
NAMED: Final[Mapping[str, Setup]] = {
    "adam": _DIGITS,
    "he, sgd": replace(_DIGITS, build=n.mlp(64, 64, start=n.he), optimizer=s.sgd(0.1)),
    "momentum": replace(_DIGITS, optimizer=s.sgd(0.05, 0.9)),
    "cnn": replace(_DIGITS, data=Data("digits", (d.as_pictures,)), build=n.cnn, epochs=15, optimizer=s.adam(2e-3)),
    "batch norm": replace(_DIGITS, build=n.mlp(64, 64, norm=nn.BatchNorm1d)),
    "dropout": replace(_DIGITS, build=n.mlp(64, 64, dropout=0.3), epochs=25),
    "tanh": replace(_DIGITS, build=n.mlp(32, 32, 32, activation=nn.Tanh)),
    "gelu": replace(_DIGITS, build=n.mlp(64, 64, activation=nn.GELU)),
    "six layers": replace(_DIGITS, build=n.mlp(*(64,) * 6, start=n.he)),
    "wide": replace(_DIGITS, build=n.mlp(512, 512), epochs=8),
    "circles, relu": _CIRCLES,
    "circles, tanh": replace(_CIRCLES, build=n.mlp(64, 64, activation=nn.Tanh), optimizer=s.adam(3e-3)),
    "blobs": Setup(data=Data("blobs", (d.standardised,)), epochs=15),
    "cancer": _CANCER,
    "weight decay": replace(_DIGITS, optimizer=s.adamw(1e-3)),
    "cosine": replace(_DIGITS, optimizer=s.adam(3e-3), schedule=s.cosine),
    "warm-up": replace(_DIGITS, schedule=s.warm_up),
    "label smoothing": replace(_DIGITS, loss=s.smoothed),
    "frozen backbone": replace(
        _DIGITS, build=n.frozen_but_last(n.mlp(64, 64)), pretrain=replace(_DIGITS, data=Data("digits", (d.standardised, d.parity))),
        data=Data("digits", (d.standardised, d.other_digits)), epochs=30, optimizer=s.adam(3e-3)),
    "regression": _DIABETES,
    "ten to one": replace(_CIRCLES, data=Data("circles", (d.standardised, d.rare_everywhere(0.1, 1))), epochs=60),
    "tiny validation": replace(_DIGITS, data=Data("digits", (d.standardised, d.few_valid(30)))),
    "sparse": replace(_DIGITS, build=n.hidden_bias(-1.0)),
    "raw into batch norm": replace(_DIGITS, data=Data("digits", (d.times(16.0),)), build=n.mlp(64, 64, first=nn.BatchNorm1d)),
    "early-stopped": replace(_DIGITS, epochs=60, patience=6),
    "accumulation": replace(_DIGITS, batch=8, accumulate=4),
}  # fmt: skip

#: Kinds that the list lacks.
OTHERS: Final[Mapping[str, Setup]] = {
    "recurrent": replace(_DIGITS, data=Data("digits", (d.as_sequences,)), build=n.row_reader, optimizer=s.adam(3e-3), clip=1.0),
    "causal transformer": Setup(data=Data("pixels"), build=n.shades(True), loss=s.over_places, epochs=6, optimizer=s.adam(3e-3)),
    "residual, zero branches": replace(_DIGITS, build=n.residual, optimizer=s.adamw(1e-3), epochs=12),
    "autoencoder": replace(_DIGITS, data=Data("digits", (d.inputs_as_targets,)), build=n.autoencoder, loss=s.squares, epochs=60,
                           optimizer=s.adam(3e-3), schedule=s.cosine),
    "one bit": replace(_CANCER, data=Data("cancer", (d.standardised, d.targets_as_bits)), loss=s.bits, build=n.mlp(16)),
    "bag of tokens": replace(_DIGITS, data=Data("digits", (d.as_tokens,)), build=n.bag_of_tokens, optimizer=s.adam(1e-2)),
    "logistic": replace(_CANCER, build=n.mlp(), optimizer=s.sgd(0.1)),
    "data loader, log-likelihood": replace(_DIGITS, loader=True, loss=s.log_likelihood),
    "one cycle, clipped": replace(_DIGITS, optimizer=s.sgd(0.1, 0.9), schedule=s.one_cycle(0.2), clip=1.0),
    "noise on inputs": replace(_DIGITS, augment=_noisy),
    "huber": replace(_DIABETES, loss=s.huber),
    "two towers": replace(_DIGITS, build=n.TwoTowers),
    "bfloat16": replace(_DIGITS, bfloat16=True),
    "wine": Setup(data=Data("wine", (d.standardised,)), epochs=40),
    "fine-tuned": replace(
        _DIGITS, pretrain=replace(_DIGITS, data=Data("digits", (d.standardised, d.parity))), optimizer=s.adam(3e-4), epochs=20),
    "layer norm, silu": replace(_DIGITS, build=n.mlp(64, 64, norm=nn.LayerNorm, activation=nn.SiLU)),
}  # fmt: skip

HEALTHY: Final[Mapping[str, Setup]] = {**NAMED, **OTHERS}
