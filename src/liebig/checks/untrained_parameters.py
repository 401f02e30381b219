"""Parameters that are not trained.

Means: A part of the network never learns: it is frozen, or stands in no optimizer, or no gradient reaches it, or it is not
  registered as a part of the network at all (layers in a plain list).
Measured: the sets of parameters compared: the network's, the optimizers', those that require a gradient, had one, and moved; and
  whether what does not move still looks like a random start.
Misleads: a pretrained backbone is frozen on purpose: it does not look like a random start, and then this is a hint at most, unless
  next to nothing is learnt.
Source: common practice; Yosinski et al. 2014, arXiv:1411.1792 (what freezing costs).
"""

from __future__ import annotations

from typing import Final

from liebig.checks.numbers import middle, ramp, scaled_to_hint
from liebig.checks.strength import disappoints, has_had_time, layer_of, room
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, GradientNorms, ParameterUse

_SHOWN: Final = 3


class UntrainedParameters(Check):
    """A part of the network that never moves, and is not meant to stay."""

    name = "untrained-parameters"
    stave = Stave.START
    needs = (ParameterUse,)
    of_code = True
    explains = POOR_RESULT | LOST_SIGNAL | {"learning-rate-too-low", "shifting-activations", "poor-initialisation"}
    words = {
        "en": Telling(
            headline="A part of the network is not trained.",
            evidence="{share:.0%} of the network's {values:,.0f} values never move: {names}.",
            advice="Give the optimizer all of model.parameters(), and see that what should learn requires a gradient.",
            short="the untrained part of the network",
        )
    }
    kinds = {
        "en": {
            "nothing": Telling(
                headline="The optimizer trains nothing of this network.",
                evidence="None of the network's {values:,.0f} values is in the optimizer ({elsewhere:.0f} tensors in it belong to something else): it was made for another network, or before this one was made anew.",
                advice="Make the optimizer after the network has its final parts: torch.optim.Adam(model.parameters(), ...).",
                short="the optimizer of another network",
            ),
            "still": Telling(
                headline="No weight of the network ever moves.",
                evidence="The optimizer made its steps, and all of the network's {values:,.0f} values stayed as they were: no gradient arrives, or the rate is zero.",
                advice="Check the path from the loss to the weights (detach(), .data, no_grad(), numpy on the way) and the rate that the schedule sets.",
                short="the weights that never move",
            ),
            "fresh": Telling(
                headline="{names} {verb} never trained, and {verb} not pretrained either.",
                evidence="{share:.0%} of the network's {values:,.0f} values {reason}, and still look like their random start: the rest learns on top of random features.",
                advice="{cure}",
                short="the random part that is never trained",
            ),
            "left-out": Telling(
                headline="{names} {verb} in no optimizer.",
                evidence="{share:.0%} of the network's {values:,.0f} values require a gradient and never get a step.",
                advice="Give the optimizer model.parameters(); or, if that part is meant to stay, set requires_grad_(False) on it, which also saves its gradient.",
                short="the parameters that stand in no optimizer",
            ),
            "frozen": Telling(
                headline="{names} {verb} frozen.",
                evidence="{share:.0%} of the network's {values:,.0f} values do not require a gradient, and {left:.0%} of the loss is not learnt.",
                advice="If the frozen part knows nothing of data like these, unfreeze it, from the top downwards, at a tenth of the rate.",
                short="the frozen part",
            ),
            "no-gradient": Telling(
                headline="No gradient reaches {names}.",
                evidence="{share:.0%} of the network's {values:,.0f} values stand in the optimizer, and at no look had a gradient: they are not on the path from the input to the loss, or it is cut.",
                advice="Look for layers that forward() never calls, and for detach(), .data, no_grad() or numpy on the way.",
                short="the layers that no gradient reaches",
            ),
            "unmoved": Telling(
                headline="{names} {verb} a gradient and never move.",
                evidence="{share:.0%} of the network's {values:,.0f} values had a gradient that is not zero, stand in an optimizer, and are what they were at the start.",
                advice="Look at the learning rate of their parameter group, and whether something writes the old values back.",
                short="the weights that never move",
            ),
            "unregistered": Telling(
                headline="Layers are in use that the network does not know of: {names}.",
                evidence="The forward pass uses parameters that model.parameters() does not list: layers in a plain Python list or dictionary are not registered. They are not trained, not moved to the device, and not saved.",
                advice="Keep them in nn.ModuleList, nn.ModuleDict or nn.Sequential, and make the optimizer after that.",
                short="the layers that are not registered",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        use = evidence.get(ParameterUse)
        assert use is not None
        if not use.names and not use.unregistered:
            return NotApplicable("the network has no parameters")
        strength, kind, names = _worst(use, evidence)
        if strength < 0.05:
            return Clear()
        share = 1.0 - use.trained_values / use.values if use.values > 0 else 1.0
        left = room(evidence)
        facts = {
            "kind": Fact(kind),
            "share": Fact(min(1.0, max(0.0, share)), "share"),
            "values": Fact(float(use.values)),
            "elsewhere": Fact(float(use.elsewhere)),
            "names": Fact(_named(names)),
            "verb": Fact(_verb(kind, names)),
            "left": Fact(1.0 if left != left else left, "share"),
            "since": Fact(0.0, "step"),
            **_reason(use),
        }
        return Found(strength, layer_of(names[0]) if names else "", facts)


def _worst(use: ParameterUse, evidence: Evidence) -> tuple[float, str, tuple[str, ...]]:
    """Strength, kind and names of the gravest of what is seen."""
    share = 1.0 - use.trained_values / use.values if use.values > 0 else 1.0
    much, poor, lost = ramp(share, 0.02, 0.3), disappoints(evidence), _lost(evidence)
    trainable = [name for name in use.names if name not in use.frozen]
    if use.unregistered:
        return 0.95, "unregistered", use.unregistered
    if trainable and set(trainable) <= set(use.left_out):
        return 0.97, "nothing", ()
    if trainable and use.trained_values == 0:
        return 0.95, "still", ()
    moving = _with_gradient(evidence, use.unmoved)
    candidates: list[tuple[float, str, tuple[str, ...]]] = [
        (max(much, _of_layers(use, use.fresh)) * (0.35 + 0.6 * poor), "fresh", use.fresh),
        (much * (scaled_to_hint(0.3 + 0.2 * poor) if use.head_only else 0.35 + 0.5 * poor), "left-out", use.left_out),
        (much * (0.2 + 0.6 * lost), "frozen", use.frozen),
        (max(much, _of_layers(use, use.without_gradient)) * (0.3 + 0.6 * poor), "no-gradient", use.without_gradient),
        (much * (0.3 + 0.6 * poor), "unmoved", moving),
    ]
    if use.head_only and use.left_out:
        candidates.append((much * 0.8 * lost, "left-out", use.left_out))
    return max((each for each in candidates if each[2]), default=(0.0, "", ()))


def _of_layers(use: ParameterUse, names: tuple[str, ...]) -> float:
    """How much of the network these are by the number of layers: convolutions hold few of its values, and see all there is."""
    every = {layer_of(name).removesuffix(".bias") for name in use.names}
    own = {layer_of(name).removesuffix(".bias") for name in names}
    return ramp(len(own) / len(every), 0.1, 0.34) if every else 0.0


def _lost(evidence: Evidence) -> float:
    """Next to nothing is learnt: what a part that is frozen on purpose is judged by."""
    return ramp(room(evidence), 0.4, 0.8) * has_had_time(evidence)


def _with_gradient(evidence: Evidence, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `names` whose gradient is known not to be nothing: what has none lies behind another fault."""
    norms = evidence.get(GradientNorms)
    if norms is None:
        return ()
    size = {layer: middle(look[i] for look in norms.norms if i < len(look)) for i, layer in enumerate(norms.layers)}
    return tuple(name for name in names if size.get(name, 0.0) > 1e-7)


def _named(names: tuple[str, ...]) -> str:
    """The first few, and how many more: 'layers "0", "2" and 3 more'."""
    layers = list(dict.fromkeys(layer_of(name).removesuffix(".bias") for name in names))
    if not layers:
        return ""
    shown = ", ".join(f'"{layer}"' for layer in layers[:_SHOWN])
    more = f" and {len(layers) - _SHOWN} more" if len(layers) > _SHOWN else ""
    return f"{'Layers' if len(layers) > 1 else 'Layer'} {shown}{more}"


def _verb(kind: str, names: tuple[str, ...]) -> str:
    many = len({layer_of(name).removesuffix(".bias") for name in names}) > 1
    if kind == "unmoved":
        return "have" if many else "has"
    return "are" if many else "is"


def _reason(use: ParameterUse) -> dict[str, Fact]:
    """Why the fresh ones are not trained, and what to do about it."""
    if any(name in use.left_out for name in use.fresh):
        return {
            "reason": Fact("stand in no optimizer"),
            "cure": Fact("Give the optimizer all of model.parameters(), or load pretrained weights into that part."),
        }
    return {
        "reason": Fact("do not require a gradient"),
        "cure": Fact("Unfreeze that part (requires_grad_(True)), or load pretrained weights into it."),
    }
