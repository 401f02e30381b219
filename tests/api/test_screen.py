"""What a person sees while Liebig works, as plain lines."""

from __future__ import annotations

import io

from liebig.core import event as events
from liebig.core.trial import Verdict
from liebig.screen import FitScreen, Screen, bar, clock


def _drawn(screen_of: type[Screen], *told: events.Event, verbose: int = 1) -> str:
    stream = io.StringIO()
    with screen_of(stream, verbose) as screen:
        for each in told:
            assert screen.listen(each) is None
    return stream.getvalue()


def test_the_ladder_grows_by_a_line_for_each_treatment() -> None:
    rung = events.RungAdopted("scale: standardise", 0.902, 0.016, 0.013, 0.019, Verdict.PROVEN, "unscaled-inputs", 31)
    tried = events.TrialJudged("wider", -0.002, -0.005, 0.001, Verdict.UNCLEAR, 5, "underfitting", True, 40)
    running = events.TrialJudged("deeper", 0.0, -1.0, 1.0, Verdict.UNCLEAR, 3, "underfitting", False, 41)
    drawn = _drawn(Screen, events.BaselineJudged("textbook network", 0.886, 9.0), rung, tried, running)
    lines = drawn.splitlines()
    assert len(lines) == 3, drawn
    assert "0.886" in lines[0]
    assert "0:09" in lines[0]
    assert "+ scale: standardise" in lines[1]
    assert "proven" in lines[1]
    assert "- wider" in lines[2]
    assert "underfitting" in lines[2]


def test_a_failed_treatment_has_no_number() -> None:
    nan = float("nan")
    drawn = _drawn(Screen, events.TrialJudged("rate x 30", nan, nan, nan, Verdict.WORSE, 0, "", True, 1.0))
    assert "nan" not in drawn
    assert "worse" in drawn


def test_fit_tells_why_the_rate_fell_and_training_stopped() -> None:
    told = (
        events.TrainingBegan(1, 1_000, 3, 10, 100),
        events.EpochEnded(0, 0, 3, 0.7, 0.6, 0.8, 0.75, 1e-3, 0.5),
        events.RateLowered(0, 1, 1e-3, 5e-4, "the loss has not improved for 4 epochs"),
        events.Stopped(0, 2, "all 3 epochs are done", 1),
    )
    drawn = _drawn(FitScreen, *told, verbose=2)
    assert "10/10 batches" in drawn
    assert "0.001 -> 0.0005: the loss has not improved" in drawn
    assert "kept the weights of epoch 2" in drawn
    assert _drawn(FitScreen, *told, verbose=0) == ""


def test_small_parts() -> None:
    assert clock(108) == "1:48"
    assert clock(7_500) == "2:05:00"
    assert bar(0.5, 4) == "██░░"
