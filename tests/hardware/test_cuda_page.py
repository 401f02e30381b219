"""The page about CUDA has the steps that the advice gives, the commands, and the tables that it stands on."""

from __future__ import annotations

import re
from pathlib import Path

from machines import MACHINES

from liebig.hardware.advice import INDEXES, LEAST_DRIVER, steps

PAGE = (Path(__file__).parents[2] / "docs" / "cuda.md").read_text(encoding="utf-8")
#: Given only where AMD's build meets no card, which no recorded machine has.
_BESIDE = {"amd"}


def test_the_page_has_every_step_and_no_other() -> None:
    given = {step.name for facts in MACHINES.values() for step in steps(facts)}
    assert set(re.findall(r"<!-- step: ([a-z-]+) -->", PAGE)) == given | _BESIDE


def test_the_page_has_every_command() -> None:
    lines = PAGE.splitlines()
    missing = {
        step.command
        for facts in MACHINES.values()
        for step in steps(facts)
        if step.command and step.command not in lines
    }
    assert missing == set()


def test_the_page_has_the_tables() -> None:
    for cuda, driver in LEAST_DRIVER:
        assert f"| {cuda}.x | {driver} |" in PAGE
    for index in INDEXES:
        assert f"| `{index.url}` | {dict(LEAST_DRIVER)[index.cuda]} | {index.lowest[0]}.{index.lowest[1]}" in PAGE
