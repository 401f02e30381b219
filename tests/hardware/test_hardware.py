"""What the machine has: free memory within a container's limit, measured precision, matrix rate."""

from __future__ import annotations

import pytest
import torch

from liebig.hardware.memory import cgroup_free, free_bytes
from liebig.hardware.precision import bfloat16_gain, fastest_dtype
from liebig.hardware.rates import matrix_flops
from liebig.hardware.replay import replayed

CPU = torch.device("cpu")


def test_a_container_limits_what_is_free(tmp_path):
    assert cgroup_free(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 200\n")
    assert cgroup_free(tmp_path) == 500
    (tmp_path / "memory.max").write_text("max\n")
    assert cgroup_free(tmp_path) is None


def test_some_memory_is_free():
    assert free_bytes(CPU) > 0


def test_precision_is_measured_once_for_each_size():
    first = bfloat16_gain(CPU, 4, 32, 32)
    assert first > 0
    assert bfloat16_gain(CPU, 4, 30, 31) == first
    assert fastest_dtype(CPU, 4, 32, 32) in {torch.float32, torch.bfloat16}


def test_the_matrix_rate_is_a_rate():
    assert matrix_flops(CPU, torch.float32) > 1e8


def test_work_beside_a_graphics_processor_is_itself():
    def work():
        return 1

    assert replayed(work, torch.device("cpu")) is work


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_recorded_work_does_what_it_did():
    device = torch.device("cuda")
    total = torch.zeros(4, device=device)

    def work():
        total.add_(1.0)

    again = replayed(work, device)
    before = total.clone()
    again()
    assert torch.equal(total, before + 1.0)
