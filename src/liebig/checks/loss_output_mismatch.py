"""Loss and output do not match.

Means: The loss function expects another kind of answer than the network gives: probabilities where it takes raw scores, raw
  scores where it takes log-probabilities, answers that are cut off below zero, a squared error for classes, labels outside the
  range of the outputs. The network trains, on a loss that is not the one that was meant, and often cannot get it low.
Measured: the tensors that the loss call really gets: what made them, their range, their sums over the classes, the range of the
  targets; and the lowest loss that such answers can reach (softmax twice, 10 classes: 1.46).
Misleads: a squared error on one-hot targets can be a choice: it is a warning only where a softmax or sigmoid stands before it
  and the outcome is poor. A second log-softmax changes nothing and is only a hint.
Source: Bridle 1990 (softmax and its loss are one pair); the documentation of each loss function says what it takes; Golik,
  Doetsch & Ney 2013 (squared error against cross-entropy).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from liebig.checks.numbers import ramp, scaled_to_hint
from liebig.checks.strength import disappoints
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, LossCall, LossCalls

_SURE: Final = 0.97
_BY_LOGITS: Final = "binary_cross_entropy_with_logits"
_OF_NUMBERS: Final = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
_OF_CODES: Final = frozenset({"cross_entropy", "nll_loss"})
#: What squashes answers into a range, and that range.
_RANGES: Final = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "hardsigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_CUT: Final = frozenset({"relu", "relu6"})
_NEAR: Final = 1e-3
#: By how much sums of probabilities differ from 1 where they are none, beyond the rounding of half precision.
_APART: Final = 0.1

#: A strength with its kind and what else the words need.
Seen = tuple[float, str, dict[str, Fact]]


class LossOutputMismatch(Check):
    """The loss call gets another kind of tensor than it takes."""

    name = "loss-output-mismatch"
    stave = Stave.START
    needs = (LossCalls,)
    of_code = True
    explains = POOR_RESULT | WILD_STEPS | LOST_SIGNAL | {"learning-rate-too-low", "learning-rate-too-high", "unscaled-targets",
                                                         "overfitting", "batch-size", "misaligned-labels"}  # fmt: skip
    words = {
        "en": Telling(
            headline="The loss function and the network's answers do not match.",
            evidence="{function}{where} gets answers between {low:.3g} and {high:.3g} for targets between {target_low:.3g} and {target_high:.3g}.",
            advice="Look up what {function} takes, and give it that.",
            short="the loss that gets the wrong kind of answer",
        )
    }
    kinds = {
        "en": {
            "softmax-twice": Telling(
                headline="Softmax is applied twice: in the network, and in {function}.",
                evidence="{function}{where} gets probabilities (each row lies between 0 and 1 and sums to 1) and applies its own softmax to them. With {classes:.0f} classes the loss then cannot fall below {floor:.2f}; it is {loss:.2f}.",
                advice="Give {function} the raw answers of the last layer: take the softmax out of the network, and apply it only to what you predict.",
                short="softmax applied twice",
            ),
            "log-softmax-twice": Telling(
                headline="Log-softmax is applied twice.",
                evidence="{function}{where} gets log-probabilities and applies its own log-softmax. That changes nothing, and costs a little.",
                advice="Give {function} the raw answers, or keep the log-softmax and take nll_loss.",
                short="log-softmax applied twice",
            ),
            "bounded-logits": Telling(
                headline="{Made_by} stands before {function}, which takes raw scores.",
                evidence="{function}{where} gets answers squeezed between {low:.2g} and {high:.2g}. With {classes:.0f} classes the loss then cannot fall below {floor:.2f}; it is {loss:.2f}.",
                advice="Take the {made_by} out: {function} has its own softmax and needs answers without bounds. For several labels at once take binary_cross_entropy_with_logits, also on raw answers.",
                short="the squeezed answers",
            ),
            "probabilities-for-logs": Telling(
                headline="{function} gets probabilities where it takes log-probabilities.",
                evidence="{function}{where} gets answers between {low:.2g} and {high:.2g}; logarithms of probabilities are never above zero. The loss is {loss:.2f}, no longer the negative logarithm of a probability.",
                advice="Take log_softmax in place of softmax before {function}; or raw answers with cross_entropy.",
                short="the missing logarithm",
            ),
            "raw-for-logs": Telling(
                headline="{function} gets raw scores where it takes log-probabilities.",
                evidence="{function}{where} gets answers up to {high:.2g}; logarithms of probabilities are never above zero. Such a loss ({loss:.3g}) falls without end by making the answers large, and the network need not learn anything for it.",
                advice="Put log_softmax before {function}, or take cross_entropy, which has it inside.",
                short="the missing log-softmax",
            ),
            "sigmoid-twice": Telling(
                headline="Sigmoid is applied twice: in the network, and in {function}.",
                evidence="{function}{where} gets probabilities (between {low:.2g} and {high:.2g}) and applies its own sigmoid: it never sees a probability below 0.50 or above 0.73, so the loss of a row of class 0 cannot fall below 0.69, that of class 1 not below 0.31. It is {loss:.2f}.",
                advice="Take the sigmoid out of the network, or keep it and take binary_cross_entropy (BCELoss).",
                short="sigmoid applied twice",
            ),
            "softmax-of-one": Telling(
                headline="Softmax over a single unit is always 1.",
                evidence="{function}{where} gets the answer 1 for every row, whatever the network computes: no gradient comes back.",
                advice="For two classes take one unit with binary_cross_entropy_with_logits and no activation; or two units with cross_entropy.",
                short="a softmax over one unit",
            ),
            "not-over-classes": Telling(
                headline="The probabilities that {function} gets do not add up to 1 over the classes.",
                evidence="{function}{where} takes the logarithms of the classes' probabilities; for one row these add up to anything from {sums_low:.2g} to {sums_high:.2g}. So the softmax was taken over another dimension (over the rows of the batch: dim=0), or is missing.",
                advice="Take log_softmax over the classes (dim=1, or dim=-1 where they come last), or give the raw answers to cross_entropy.",
                short="probabilities that are not over the classes",
            ),
            "one-class": Telling(
                headline="{function} over one class is always 0.",
                evidence="{function}{where} gets answers of one column, so there is nothing to choose between: the loss is {loss:.2g} and no gradient comes back.",
                advice="For two classes take one unit with binary_cross_entropy_with_logits, or two units with {function}; for numbers mse_loss.",
                short="a cross-entropy over one class",
            ),
            "cut-logits": Telling(
                headline="The network's answers are cut off at zero before {function}.",
                evidence="The last operation before {function}{where} is a {made_by}: no answer is below 0 (the least is {low:.2g}), though raw scores must be able to fall. A score that is cut off gets no gradient, and under a sigmoid 0 is a probability of one half.",
                advice="Let the last layer answer without an activation.",
                short="the answers cut off at zero",
            ),
            "cut-numbers": Telling(
                headline="The network cannot answer below zero, and targets do.",
                evidence="The last operation before {function}{where} is a {made_by}; the targets go down to {target_low:.3g}. Rows below zero can never be met, and get no gradient where the answer is cut off.",
                advice="Let the last layer answer without an activation.",
                short="the answers cut off at zero",
            ),
            "cut-may-be": Telling(
                headline="The network's answers are cut off at zero.",
                evidence="The last operation before {function}{where} is a {made_by}. No target seen is below zero, so this may be meant; yet an answer that is cut off gets no gradient and may stay at zero for ever.",
                advice="Let the last layer answer without an activation, or take softplus where answers must be positive.",
                short="the answers cut off at zero",
            ),
            "bounded-numbers": Telling(
                headline="The targets lie outside what the network can answer.",
                evidence="The last operation before {function}{where} is a {made_by}, whose answers lie between {reach_low:.0f} and {reach_high:.0f}; the targets lie between {target_low:.3g} and {target_high:.3g}.",
                advice="Let the last layer answer without an activation; or scale the targets into that range.",
                short="the targets out of reach",
            ),
            "squared-one-hot": Telling(
                headline="A squared error is used for classes.",
                evidence="{function}{where} compares a {made_by} with one-hot targets of {classes:.0f} classes. Where the network is sure and wrong, the slope of the {made_by} is next to nothing, and so is the gradient.",
                advice="Take cross_entropy on the raw answers of the last layer, without {made_by}, and the class numbers as targets.",
                short="a squared error for classes",
            ),
            "squared-bits": Telling(
                headline="A squared error is used for two classes.",
                evidence="{function}{where} compares a {made_by} with targets that are all 0 or 1. Where the network is sure and wrong, the slope of the {made_by} is next to nothing, and so is the gradient.",
                advice="Take binary_cross_entropy_with_logits on the raw answer of the last layer, without {made_by}.",
                short="a squared error for classes",
            ),
            "plain-squared": Telling(
                headline="The targets look like classes, and the loss is one for numbers.",
                evidence="{function}{where} compares answers with targets that are all whole numbers from {target_low:.0f} to {target_high:.0f}.",
                advice="If they are classes, give the network one output for each and take cross_entropy (two classes: one output with binary_cross_entropy_with_logits). If they are numbers, this is as it should be.",
                short="a loss for numbers on classes",
            ),
            "label-range": Telling(
                headline="Labels lie outside the range of the outputs.",
                evidence="{function}{where} gets labels from {target_low:.0f} to {target_high:.0f}; with {classes:.0f} outputs it takes 0 to {most:.0f}.",
                advice="Number the classes from 0, or give the network as many outputs as there are classes.",
                short="the labels out of range",
            ),
            "labels-from-one": Telling(
                headline="The labels count from 1, and {function} counts from 0.",
                evidence="{function}{where} gets labels from {target_low:.0f} to {target_high:.0f}; with {classes:.0f} outputs it takes 0 to {most:.0f}.",
                advice="Subtract 1 from the labels (and have one output for each class).",
                short="the labels that count from 1",
            ),
            "unused-class": Telling(
                headline="No row has class 0.",
                evidence="{function}{where} saw labels from {target_low:.0f} to {target_high:.0f} for {classes:.0f} outputs: the labels seem to count from 1. Output 0 is never right.",
                advice="Subtract 1 from the labels and take one output less.",
                short="the labels that count from 1",
            ),
            "bits-range": Telling(
                headline="Targets of {function} must lie between 0 and 1.",
                evidence="{function}{where} gets targets from {target_low:.3g} to {target_high:.3g}. Outside of 0 to 1 the loss ({loss:.3g}) has no lower bound, and its least value is no longer the right answer.",
                advice="Map the labels to 0 and 1: from -1 and 1 by (y + 1) / 2, from 1 and 2 by y - 1. For more than two classes take cross_entropy.",
                short="the targets out of range",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        seen = evidence.get(LossCalls)
        assert seen is not None
        if not seen.calls:
            return NotApplicable("no call of a loss function was seen")
        best: tuple[Seen, str] = ((0.0, "", {}), "")
        for calls in _by_place(seen.calls):
            for look in _LOOKS:
                found = look(calls, evidence)
                if found[0] > best[0][0]:
                    best = found, calls[0].place
        (strength, kind, facts), place = best
        return Found(strength, place, {"kind": Fact(kind), **facts}) if strength >= 0.05 else Clear()


def _by_place(calls: Sequence[LossCall]) -> list[list[LossCall]]:
    """Calls of one function at one place together; those on the way to a step alone where there are any."""
    chosen = [call for call in calls if call.training] or list(calls)
    groups: dict[tuple[str, str], list[LossCall]] = {}
    for call in chosen:
        groups.setdefault((call.function, call.place), []).append(call)
    return list(groups.values())


def _facts(calls: Sequence[LossCall], **more: float | str) -> dict[str, Fact]:
    last = calls[-1]
    made = last.made_by or "softmax"
    values: dict[str, float | str] = {
        "function": last.function,
        "where": f" at {last.place}" if last.place else "",
        "made_by": made,
        "Made_by": f"A {made}",
        "classes": float(_classes(last)),
        "most": float(_classes(last) - 1),
        "loss": last.loss,
        "low": min(call.low for call in calls),
        "high": max(call.high for call in calls),
        "target_low": min(call.target_low for call in calls),
        "target_high": max(call.target_high for call in calls),
        "since": float(calls[0].step),
        **more,
    }
    return {name: Fact(value) for name, value in values.items()}


def _classes(call: LossCall) -> int:
    """The number of classes that the answers are over: the second dimension, or the only one."""
    shape = call.input_shape
    return shape[1] if len(shape) > 1 else shape[0] if shape else 0


def _function(calls: Sequence[LossCall]) -> str:
    return calls[0].function


def _made(calls: Sequence[LossCall], *names: str) -> bool:
    return all(call.made_by in names for call in calls)


def _sum_to_one(calls: Sequence[LossCall]) -> bool:
    """Every row of every call is a set of probabilities."""
    return all(
        call.low >= -_NEAR and abs(call.sums_low - 1.0) < _NEAR and abs(call.sums_high - 1.0) < _NEAR for call in calls
    )


def _floor(classes: int, width: float) -> float:
    """The least cross-entropy of scores that lie at most `width` apart."""
    return math.log1p((classes - 1) * math.exp(-width))


_NOTHING: Final[Seen] = (0.0, "", {})


def _constant(calls: Sequence[LossCall], evidence: Evidence) -> Seen:
    """Answers that are 1 whatever comes, or a choice among one class."""
    del evidence
    if _function(calls) in _OF_CODES and all(len(c.input_shape) == 2 and c.input_shape[1] == 1 for c in calls):
        return _SURE, "one-class", _facts(calls)
    ones = all(call.low == call.high == 1.0 and call.rows > 1 for call in calls)
    of_one = _made(calls, "softmax") and all(call.input_shape[-1:] == (1,) for call in calls)
    if of_one or (ones and (len(calls) > 2 or _made(calls, "softmax"))):
        return _SURE, "softmax-of-one", _facts(calls)
    return _NOTHING


def _cross_entropy(calls: Sequence[LossCall], evidence: Evidence) -> Seen:
    """Squeezed or cut answers before a cross-entropy over raw scores."""
    if _function(calls) != "cross_entropy" or any(_classes(call) < 2 for call in calls):
        return _NOTHING
    classes = _classes(calls[-1])
    if _made(calls, "softmax") or _sum_to_one(calls):
        return _SURE, "softmax-twice", _facts(calls, floor=_floor(classes, 1.0))
    if _made(calls, "log_softmax"):
        return 0.25, "log-softmax-twice", _facts(calls)
    if _made(calls, "sigmoid", "hardsigmoid"):
        return 0.95, "bounded-logits", _facts(calls, floor=_floor(classes, 1.0))
    if _made(calls, "tanh"):
        strength = 0.5 + 0.4 * disappoints(evidence)
        return strength, "bounded-logits", _facts(calls, floor=_floor(classes, 2.0))
    if _made(calls, *_CUT):
        return 0.5 + 0.45 * disappoints(evidence), "cut-logits", _facts(calls)
    return _NOTHING


def _logarithms(calls: Sequence[LossCall], evidence: Evidence) -> Seen:
    """Losses that take log-probabilities, which are never above zero, and whose probabilities add up to 1 over the classes."""
    del evidence
    if _function(calls) not in {"nll_loss", "kl_div"}:
        return _NOTHING
    if max(call.high for call in calls) <= _NEAR:
        apart = all(
            call.high <= 0 and max(abs(call.sums_low - 1.0), abs(call.sums_high - 1.0)) > _APART for call in calls
        )
        over_classes = _function(calls) == "nll_loss" or all(len(call.input_shape) == 2 for call in calls)
        if apart and over_classes and _classes(calls[-1]) > 1:
            sums = {"sums_low": min(c.sums_low for c in calls), "sums_high": max(c.sums_high for c in calls)}
            return 0.95, "not-over-classes", _facts(calls, **sums)
        return _NOTHING
    if _made(calls, "softmax", "sigmoid") or _sum_to_one(calls):
        return _SURE, "probabilities-for-logs", _facts(calls)
    return 0.95, "raw-for-logs", _facts(calls)


def _bits(calls: Sequence[LossCall], evidence: Evidence) -> Seen:
    """Binary cross-entropy: sigmoid twice, answers cut off, targets that are no probabilities."""
    del evidence
    if _function(calls) not in {_BY_LOGITS, "binary_cross_entropy"}:
        return _NOTHING
    if min(c.target_low for c in calls) < -_NEAR or max(c.target_high for c in calls) > 1.0 + _NEAR:
        return _SURE, "bits-range", _facts(calls)
    if _function(calls) != _BY_LOGITS:
        return _NOTHING
    if _made(calls, "sigmoid", "softmax", "hardsigmoid"):
        return _SURE, "sigmoid-twice", _facts(calls)
    if _made(calls, *_CUT):
        return 0.95, "cut-logits", _facts(calls)
    return _NOTHING


def _numbers(calls: Sequence[LossCall], evidence: Evidence) -> Seen:
    """Losses for numbers: answers that cannot reach the targets."""
    if _function(calls) not in _OF_NUMBERS:
        return _NOTHING
    low, high = min(call.target_low for call in calls), max(call.target_high for call in calls)
    made = calls[-1].made_by
    if _made(calls, *_CUT):
        if low < -_NEAR * max(1.0, high - low):
            return 0.95, "cut-numbers", _facts(calls)
        return scaled_to_hint(0.2 + 0.25 * disappoints(evidence)), "cut-may-be", _facts(calls)
    if made in _RANGES and _made(calls, made):
        least, most = _RANGES[made]
        beyond = max(high - most, least - low) / max(high - low, 1e-12)
        strength = 0.95 * ramp(beyond, 0.02, 0.15)
        return strength, "bounded-numbers", _facts(calls, reach_low=least, reach_high=most)
    return _NOTHING


def _squares(calls: Sequence[LossCall], evidence: Evidence) -> Seen:
    """Losses for numbers, and targets that are classes."""
    if _function(calls) not in _OF_NUMBERS or not all(call.target_whole for call in calls):
        return _NOTHING
    low, high = min(call.target_low for call in calls), max(call.target_high for call in calls)
    classes, poor = _classes(calls[-1]), disappoints(evidence)
    squashed = _made(calls, "softmax", "sigmoid") or _sum_to_one(calls)
    one_hot = all(
        call.input_shape == call.target_shape and call.target_sums_low == call.target_sums_high == 1.0 for call in calls
    )
    if one_hot and len(calls[-1].input_shape) == 2 and classes > 1:
        if squashed:
            return 0.45 + 0.5 * poor, "squared-one-hot", _facts(calls)
        return 0.3, "plain-squared", _facts(calls)
    single = all(len(call.input_shape) < 2 or call.input_shape[1:] == (1,) for call in calls)
    if single and low == 0.0 and high == 1.0:
        if squashed:
            return 0.4 + 0.4 * poor, "squared-bits", _facts(calls)
        return 0.3, "plain-squared", _facts(calls)
    if single and low >= 0.0 and 2.0 <= high <= 20.0 and sum(call.rows for call in calls) > 20 * high:
        return 0.25, "plain-squared", _facts(calls)
    return _NOTHING


def _labels(calls: Sequence[LossCall], evidence: Evidence) -> Seen:
    """Class numbers outside 0..C-1, or that count from 1."""
    del evidence
    if _function(calls) not in _OF_CODES or not all(call.target_whole for call in calls):
        return _NOTHING
    if any(call.target_shape == call.input_shape for call in calls):
        return _NOTHING  # probabilities for targets
    classes = _classes(calls[-1])
    low, high = min(call.target_low for call in calls), max(call.target_high for call in calls)
    if any(call.failed for call in calls) and (low < 0 or high >= classes):
        return _SURE, "labels-from-one" if low >= 1 and high == classes else "label-range", _facts(calls)
    many = sum(call.rows for call in calls) >= 20 * classes
    if low == 1 and high == classes - 1 and classes > 2 and many:
        return 0.3, "unused-class", _facts(calls)
    return _NOTHING


_LOOKS: Final[tuple[Callable[[Sequence[LossCall], Evidence], Seen], ...]] = (
    _constant, _cross_entropy, _logarithms, _bits, _numbers, _squares, _labels,
)  # fmt: skip
