"""Compute: where and how precisely.

Does: names the device (`auto`: a graphics processor where there is one), the precision of products (`auto`: bfloat16 with
    float32 master weights where this machine is measurably faster with it), the threads (0: all of them), and for a network of
    your own the layout of pictures in memory (`channels-last`: the colours of a pixel side by side) and the `workers` that read
    its rows ahead where they do not fit into memory. There bfloat16 is torch's autocast around network and loss while training.
Helps: bfloat16 is 4-5 times faster where the processor multiplies it, at no measured loss (16 ties, 1 loss on 17 tables);
    convolutions are up to three times faster with both.
Misleads: numbers differ in the last digits between devices, precisions and counts of threads.
Source: Kalamkar et al. 2019, arXiv:1905.12322 (bfloat16 training).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.core.settings import Settings


class Compute(Settings):
    """Settings of the machine's part."""

    kind: Literal["auto"] = "auto"
    device: Annotated[
        str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, mps, cuda or cuda:NUMBER")
    ] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    layout: Literal["plain", "channels-last"] = "plain"
    threads: Annotated[int, Field(ge=0, le=4096)] = 0
    workers: Annotated[int, Field(ge=0, le=64)] = 0
