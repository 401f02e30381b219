"""What is to save time tells how much less whole trainings took."""

from dataclasses import replace

from liebig.core.study import Purpose
from liebig.core.trial import Look, Verdict
from liebig.report.rungs import _with_time

LOOK = Look(3, 0.0, -0.01, 0.01, Verdict.EQUAL, 0.5, 0.0, 0.5, 0, 0, 0, 0, 1, 5, 0.01, 0.0,
            seconds_ratio=2.9, seconds_low=2.72, seconds_high=3.1)  # fmt: skip


def test_a_saving_tells_its_time():
    assert _with_time("", Purpose.SAVING, LOOK) == "whole trainings 2.9 times as fast (2.7 to 3.1)"
    assert _with_time("slow", Purpose.SAVING, LOOK).startswith("slow; whole")


def test_others_do_not():
    assert _with_time("slow", Purpose.REMEDIES, LOOK) == "slow"
    assert _with_time("slow", Purpose.SAVING, replace(LOOK, seconds_ratio=float("nan"))) == "slow"
    assert _with_time("slow", None, None) == "slow"
