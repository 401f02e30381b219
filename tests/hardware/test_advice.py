"""Advice on recorded machines: which steps, in which order, with which command."""

from __future__ import annotations

from dataclasses import replace

import pytest
from machines import CU126, CU130, GTX_1080, H100, K80, MACHINES, RTX_3060, RTX_5090, WORKING

from liebig.hardware.advice import INDEXES, LEAST_DRIVER, compiled_for, highest_cuda, index_for, steps

CU130_INDEX = "https://download.pytorch.org/whl/cu130"
CU126_INDEX = "https://download.pytorch.org/whl/cu126"


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        ("no card", ["no-card"]),
        ("everything works", []),
        ("card without driver", ["no-driver"]),
        ("card without driver, Windows", ["no-driver"]),
        ("card without driver, WSL", ["no-driver"]),
        ("driver too old for the build", ["driver-too-old"]),
        ("driver too old for every build", ["driver-too-old"]),
        ("build for processors alone", ["build"]),
        ("build for processors alone, old driver", ["build"]),
        ("build for processors alone, old driver, new card", ["driver-too-old", "build"]),
        ("build for processors alone, Windows", ["build"]),
        ("card newer than the build", ["capability"]),
        ("card older than the build", ["capability"]),
        ("card older than all builds", ["card-too-old"]),
        ("card hidden", ["hidden"]),
        ("driver and card do not match", ["not-answering"]),
        ("toolkit not on the path", ["toolkit"]),
        ("toolkit without CUDA_HOME", ["toolkit"]),
        ("Windows without card", ["no-card"]),
        ("Mac", ["mac"]),
        ("Mac without Metal", ["mac"]),
        ("Intel Mac", ["mac"]),
        ("Colab without a card", ["colab"]),
    ],
)
def test_steps_of_recorded_machines(machine: str, names: list[str]) -> None:
    assert [step.name for step in steps(MACHINES[machine])] == names


def test_every_recorded_machine_is_advised() -> None:
    for facts in MACHINES.values():
        for step in steps(facts):
            assert step.wrong
            assert step.do
            assert "\n" not in step.sentence()


@pytest.mark.parametrize(
    ("machine", "command"),
    [
        ("driver too old for the build", CU126_INDEX),
        ("build for processors alone", CU130_INDEX),
        ("build for processors alone, old driver", CU126_INDEX),
        ("build for processors alone, Windows", CU130_INDEX),
        ("card newer than the build", CU130_INDEX),
        ("card older than the build", CU126_INDEX),
        ("card hidden", "unset CUDA_VISIBLE_DEVICES"),
        ("card without driver", "sudo ubuntu-drivers install"),
        ("card without driver, WSL", "wsl --shutdown"),
        ("toolkit without CUDA_HOME", "export CUDA_HOME=/usr/local/cuda"),
    ],
)
def test_the_command_of_the_first_step(machine: str, command: str) -> None:
    assert command in steps(MACHINES[machine])[0].command


def test_the_path_is_said_with_the_toolkit() -> None:
    (step,) = steps(MACHINES["toolkit not on the path"])
    assert step.command == 'export CUDA_HOME=/usr/local/cuda-13.0 && export PATH="/usr/local/cuda-13.0/bin:$PATH"'
    assert not step.needed
    assert "PATH and CUDA_HOME do not say so" in step.wrong


def test_a_new_card_with_an_old_driver_needs_the_driver_first() -> None:
    driver, build = steps(MACHINES["build for processors alone, old driver, new card"])
    assert "580" in driver.do
    assert CU130_INDEX in build.command


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [("580.95.05", 13), ("595.58", 13), ("579.99", 12), ("525.60.13", 12), ("470.1", 11), ("390.1", None), ("?", None)],
)
def test_the_newest_cuda_of_a_driver(driver: str, cuda: int | None) -> None:
    assert highest_cuda(driver) == cuda


def test_indexes_need_drivers_that_are_known() -> None:
    assert {index.cuda for index in INDEXES} <= {cuda for cuda, _ in LEAST_DRIVER}
    assert [index.cuda for index in INDEXES] == sorted((index.cuda for index in INDEXES), reverse=True)


def test_the_index_follows_driver_and_card() -> None:
    named = {
        (driver, card.name): getattr(index_for(driver, card), "name", None)
        for driver in ("580.1", "550.1", "470.1")
        for card in (H100, RTX_3060, RTX_5090, GTX_1080, K80)
    }
    assert named["580.1", H100.name] == "cu130"
    assert named["580.1", GTX_1080.name] == "cu126"  # CUDA 13 left Pascal out
    assert named["550.1", RTX_3060.name] == "cu126"
    assert named["550.1", RTX_5090.name] is None
    assert named["470.1", RTX_3060.name] is None
    assert named["580.1", K80.name] is None
    assert index_for("580.1", None) == INDEXES[0]


@pytest.mark.parametrize(
    ("architectures", "capability", "runs"),
    [
        (("sm_80",), (8, 6), True),
        (("sm_86",), (8, 0), False),
        (("sm_90",), (12, 0), False),
        (("sm_90", "compute_90"), (12, 0), True),
        (("sm_90a",), (9, 0), True),
        (("sm_100a",), (10, 3), False),
        (("sm_120",), (12, 0), True),
        (("gfx90a",), (9, 0), False),
    ],
)
def test_which_code_runs_on_which_card(architectures: tuple[str, ...], capability: tuple[int, int], runs: bool) -> None:
    assert compiled_for(architectures, capability) is runs


def test_a_second_card_that_the_build_cannot_use_is_told() -> None:
    (step,) = steps(replace(WORKING, cards=(H100, GTX_1080)))
    assert "GTX 1080" in step.wrong
    assert CU126_INDEX in step.command


def test_builds_for_cuda_run_on_their_cards() -> None:
    assert compiled_for(CU130.architectures, (8, 9))
    assert not compiled_for(CU126.architectures, (12, 0))
