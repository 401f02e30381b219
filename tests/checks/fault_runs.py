"""Small real trainings, healthy ones and ones with a seeded fault: plain PyTorch loops that are watched through looks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_blobs, make_circles
from torch import Tensor, nn
from torch.nn import functional

from liebig.core.evidence import (
    ClassRecall,
    EpochCurves,
    Evidence,
    FinalScore,
    InputScales,
    LayerShape,
    Structure,
)
from liebig.probes.look import Look, SeenLayer, SeenWeight
from liebig.probes.recorder import Recorder
from liebig.probes.schedule import Seeing


class Exponential(nn.Module):
    """An activation that nobody should use."""

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()


ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "identity": nn.Identity,
    "exp": Exponential, "leaky-relu": nn.LeakyReLU, "elu": nn.ELU, "silu": nn.SiLU,
}  # fmt: skip


@dataclass(frozen=True)
class Setup:
    """One training. `start` draws weights: torch, he, zero, constant, uniform:LIMIT, normal:SPREAD; `hidden_bias` is added."""

    data: str = "digits"
    widths: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    start: str = "torch"
    hidden_bias: float | None = None
    batch_norm: bool = False
    input_norm: bool = False
    layer_norm: bool = False
    dropout: float = 0.0
    optimizer: str = "adam"
    rate: float = 1e-3
    momentum: float = 0.0
    decay: float = 0.0
    epochs: int = 20
    batch: int = 32
    cosine: bool = False
    warmup: int = 0
    smoothing: float = 0.0
    clip: float = 0.0
    train_rows: int | None = None
    rare: float = 0.0  # the last class is kept at this share of its rows
    shuffled_labels: bool = False
    random_labels: float = 0.0
    scale: str = "standard"  # of the inputs: standard, raw, unit, or a number to multiply by
    target: str = "standard"  # of a regression: standard, or a number to multiply the standardised by
    early: int = 0  # patience; 0 trains all epochs


@dataclass(frozen=True)
class Parts:
    x: Tensor
    y: Tensor
    select_x: Tensor
    select_y: Tensor
    classes: int  # 0: numbers


def parts_of(setup: Setup, seed: int) -> Parts:
    x, y = _raw(setup.data)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    cut = int(0.75 * len(x))
    fit, select = order[:cut], order[cut:]
    if setup.rare:
        last = y.max()
        fit = np.array([i for i in fit if y[i] != last or rng.random() < setup.rare])
    if setup.train_rows:
        fit = fit[: setup.train_rows]
    y = y.copy()
    if setup.random_labels:
        hit = fit[rng.random(len(fit)) < setup.random_labels]
        y[hit] = rng.integers(0, int(y.max()) + 1, len(hit))
    if setup.shuffled_labels:
        y = y[rng.permutation(len(y))]
    if setup.scale == "standard":
        x = (x - x[fit].mean(0)) / np.maximum(x[fit].std(0), 1e-6) * (x[fit].std(0) > 0)
    elif setup.scale == "unit":
        x = x / x[fit].max()
    elif setup.scale != "raw":
        x = x / x[fit].max() * float(setup.scale)
    numbers = setup.data == "diabetes"
    if numbers:
        y = (y - y[fit].mean()) / y[fit].std()
        if setup.target != "standard":
            y = y * float(setup.target) + float(setup.target)
    target = torch.tensor(y, dtype=torch.float32 if numbers else torch.long)
    inputs = torch.tensor(x, dtype=torch.float32)
    classes = 0 if numbers else int(y.max()) + 1
    return Parts(inputs[fit], target[fit], inputs[select], target[select], classes)


def _raw(name: str) -> tuple[np.ndarray, np.ndarray]:
    if name == "circles":
        return make_circles(1500, noise=0.1, factor=0.5, random_state=0)
    if name == "blobs":
        return make_blobs(1500, centers=4, cluster_std=2.0, random_state=1)
    load = {"digits": load_digits, "cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}[name]
    x, y = load(return_X_y=True)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


class Net(nn.Module):
    """Linear layers with normalisation, activation, dropout; `seen` collects what enters and leaves an activation."""

    def __init__(self, setup: Setup, inputs: int, outputs: int) -> None:
        super().__init__()
        sizes = [inputs, *setup.widths, outputs]
        self.kind = setup.activation
        self.linear = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        norm = nn.BatchNorm1d if setup.batch_norm else nn.LayerNorm if setup.layer_norm else None
        self.norms = nn.ModuleList(norm(w) if norm else nn.Identity() for w in setup.widths)
        self.first = nn.BatchNorm1d(inputs) if setup.input_norm else nn.Identity()
        self.activation = ACTIVATIONS[setup.activation]()
        self.dropout = nn.Dropout(setup.dropout)
        for i, layer in enumerate(self.linear):
            _draw(layer, setup, i == len(self.linear) - 1)

    def forward(self, x: Tensor, seen: list[SeenLayer] | None = None) -> Tensor:
        x = self.first(x)
        for i, (layer, norm) in enumerate(zip(self.linear, self.norms, strict=False)):
            before = norm(layer(x))
            after = self.activation(before)
            if seen is not None:
                seen.append(SeenLayer(f"layers.{i}", self.kind, before.detach()[None], after.detach()[None]))
            x = self.dropout(after)
        return self.linear[-1](x)


@torch.no_grad()
def _draw(layer: nn.Linear, setup: Setup, last: bool) -> None:
    name, _, value = setup.start.partition(":")
    if name == "he":
        nn.init.kaiming_normal_(layer.weight)
        layer.bias.zero_()
    elif name in {"zero", "constant"}:
        layer.weight.fill_(float(value or 0))
        layer.bias.zero_()
    elif name == "uniform":
        layer.weight.uniform_(-float(value), float(value))
    elif name == "normal":
        layer.weight.normal_(0, float(value))
        layer.bias.zero_()
    if setup.hidden_bias is not None and not last:
        layer.bias.fill_(setup.hidden_bias)


def _losses(out: Tensor, y: Tensor, classes: int, smoothing: float = 0.0) -> Tensor:
    if classes == 0:
        return (out[:, 0] - y).square()
    return functional.cross_entropy(out, y, reduction="none", label_smoothing=smoothing)


def _structure(setup: Setup, inputs: int, outputs: int) -> Structure:
    sizes = [inputs, *setup.widths, outputs]
    layers = []
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        last = i == len(sizes) - 2
        layers.append(
            LayerShape(f"layers.{i}", "linear", a, b, a * b + b, a * b + b, 2 * a * b, "" if last else setup.activation)
        )
        if setup.batch_norm and not last:
            layers.append(LayerShape(f"layers.{i}.norm", "batch-norm", b, b, 2 * b, 2 * b, 4 * b))
    return Structure("mlp", tuple(layers))


class Judged:
    """Loss and accuracy (or RMSE) over rows."""

    def __init__(self, net: Net, x: Tensor, y: Tensor, classes: int) -> None:
        net.eval()
        with torch.no_grad():
            self.out = net(x)
            each = _losses(self.out, y, classes)
        net.train()
        self.losses = each.double()
        self.loss = float(each.mean())
        self.error = float(each.std() / len(each) ** 0.5)
        self.metric = float((self.out.argmax(1) == y).float().mean()) if classes else float(each.mean().sqrt())


def train(setup: Setup, seed: int) -> Evidence:
    """Train as `setup` says and hand back what was seen."""
    torch.manual_seed(seed)
    p = parts_of(setup, seed)
    outputs = p.classes or 1
    net = Net(setup, p.x.shape[1], outputs)
    parameters = list(net.parameters())
    make = {
        "adam": lambda: torch.optim.Adam(parameters, lr=setup.rate, weight_decay=setup.decay),
        "adamw": lambda: torch.optim.AdamW(parameters, lr=setup.rate, weight_decay=setup.decay),
        "sgd": lambda: torch.optim.SGD(parameters, lr=setup.rate, momentum=setup.momentum, weight_decay=setup.decay),
    }
    optimizer = make[setup.optimizer]()
    n = len(p.x)
    per_epoch = math.ceil(n / setup.batch)
    total = per_epoch * setup.epochs
    shares = tuple((torch.bincount(p.y) / n).tolist()) if p.classes else ()
    recorder = Recorder(1, total, is_classification=p.classes > 0, class_shares=shares, grace=math.inf)
    rows: list[tuple[float, ...]] = []
    best, selected, broken = math.inf, 0, False
    step = 0
    for epoch in range(setup.epochs):
        order, sum_loss = torch.randperm(n), 0.0
        for chosen in order.split(setup.batch):
            x, y = p.x[chosen], p.y[chosen]
            if setup.batch_norm and len(x) < 2:
                continue
            factor = 0.5 * (1 + math.cos(math.pi * step / total)) if setup.cosine else 1.0
            factor *= min(1.0, (step + 1) / setup.warmup) if setup.warmup else 1.0
            for group in optimizer.param_groups:
                group["lr"] = setup.rate * factor
            seeing = recorder.wants(step)
            seen: list[SeenLayer] = []
            out = net(x, seen if seeing is Seeing.WHOLE else None)
            each = _losses(out, y, p.classes, setup.smoothing)
            optimizer.zero_grad()
            each.mean().backward()
            if setup.clip:
                nn.utils.clip_grad_norm_(parameters, setup.clip)
            before = [w.detach().clone() for w in parameters] if seeing is not Seeing.NOTHING else []
            optimizer.step()
            if seeing is not Seeing.NOTHING:
                recorder.see(_look(net, step, before, seen, each, out, y, seeing))
            plain = float(each.detach().sum())
            sum_loss += plain
            step += 1
            if not math.isfinite(plain):
                recorder.diverged(0, step - 1)
                broken = True
                break
        if broken:
            break
        train_part, stop = (
            Judged(net, p.x[:2048], p.y[:2048], p.classes),
            Judged(net, p.select_x, p.select_y, p.classes),
        )
        rows.append(
            (sum_loss / n, stop.loss, stop.metric, train_part.metric, train_part.loss, setup.rate * factor, stop.error)
        )
        if stop.loss < best:
            best, selected = stop.loss, epoch
            kept = {name: value.clone() for name, value in net.state_dict().items()}
        if setup.early and epoch - selected >= setup.early:
            break
    evidence = recorder.evidence(0).having(_scales(p), _structure(setup, p.x.shape[1], outputs))
    if rows:
        columns = list(zip(*rows, strict=True))
        evidence = evidence.having(
            EpochCurves(
                columns[0], columns[1], columns[2], columns[3], columns[4], columns[5],
                tuple(float(i) for i in range(len(rows))), selected if setup.early else len(rows) - 1, setup.epochs,
                len(p.select_x), columns[6], p.classes > 0, "accuracy" if p.classes else "rmse",
            )
        )  # fmt: skip
    if broken:
        return evidence
    if setup.early:
        net.load_state_dict(kept)
    return _judged(evidence, net, p)


def _look(
    net: Net,
    step: int,
    before: list[Tensor],
    seen: list[SeenLayer],
    each: Tensor,
    out: Tensor,
    y: Tensor,
    seeing: Seeing,
) -> Look:
    names = [name for name, _ in net.named_parameters()]
    weights = tuple(
        SeenWeight(name, old[None], w.grad[None] if seeing is Seeing.WHOLE else None, (w.detach() - old)[None], True)
        for name, old, w in zip(names, before, net.parameters(), strict=True)
        if name.startswith("linear") and w.dim() == 2
    )
    return Look(step, weights, tuple(seen), each.detach()[None], out.detach()[None], y[None])


def _scales(p: Parts) -> InputScales:
    columns = tuple(str(i) for i in range(p.x.shape[1]))
    return InputScales(
        columns, tuple(p.x.mean(0).tolist()), tuple(p.x.std(0).tolist()), tuple(p.x.abs().amax(0).tolist())
    )


def _judged(evidence: Evidence, net: Net, p: Parts) -> Evidence:
    train_part, select = Judged(net, p.x[:2048], p.y[:2048], p.classes), Judged(net, p.select_x, p.select_y, p.classes)
    n, m = len(p.x), len(p.select_x)
    if not p.classes:
        unit = float(p.y.var(correction=0))
        chance = (p.select_y - p.y.mean()).square()
        score = FinalScore(
            "rmse", False, select.metric, float(chance.mean().sqrt()), select.error / (2 * max(select.metric, 1e-9)),
            train_part.metric, select.loss / unit, float(chance.mean()) / unit, select.error / unit,
            train_part.loss / unit, m, n,
        )  # fmt: skip
        return evidence.having(score)
    shares = torch.bincount(p.y, minlength=p.classes).float() / n
    chance = -shares.clamp(min=1e-6).log()[p.select_y]
    likely = float((p.select_y == shares.argmax()).float().mean())
    error = math.sqrt(max(select.metric * (1 - select.metric), 1e-4) / m)
    score = FinalScore(
        "accuracy", True, select.metric, likely, error, train_part.metric, select.loss, float(chance.mean()),
        select.error, train_part.loss, m, n,
    )  # fmt: skip
    guess, probability = select.out.argmax(1), select.out.softmax(1)
    recall, counts, areas = [], [], []
    for c in range(p.classes):
        own = p.select_y == c
        recall.append(float((guess[own] == c).float().mean()) if own.any() else math.nan)
        counts.append(int(own.sum()))
        up, down = probability[own, c], probability[~own, c]
        areas.append(float((up[:, None] > down[None]).float().mean()) if len(up) and len(down) else math.nan)
    names = tuple(str(c) for c in range(p.classes))
    return evidence.having(
        score, ClassRecall(names, tuple(shares.tolist()), tuple(recall), tuple(counts), tuple(areas))
    )


def unwatched(evidence: Evidence) -> Evidence:
    """The same where no stop part was held out, as with a fixed number of epochs."""
    curves = evidence.get(EpochCurves)
    if curves is None:
        return evidence
    nothing = (math.nan,) * len(curves.stop_loss)
    return evidence.having(
        replace(curves, stop_loss=nothing, stop_metric=nothing, stop_loss_error=nothing, stop_rows=0,
                selected=len(nothing) - 1)
    )  # fmt: skip


S = Setup
#: Each fault with the answers that are accepted as its name.
FAULTS: Mapping[str, tuple[Setup, frozenset[str]]] = {
    "V1 deep sigmoid": (S(widths=(32,) * 11, activation="sigmoid", epochs=10), frozenset({"vanishing-gradient"})),
    "V2 tiny uniform": (S(widths=(16,) * 16, start="uniform:0.05", epochs=10), frozenset({"poor-initialisation", "vanishing-gradient"})),
    "L1 adam 0.3": (S(rate=0.3), frozenset({"learning-rate-too-high"})),
    "L2 sgd 3": (S(optimizer="sgd", rate=3.0), frozenset({"learning-rate-too-high"})),
    "L3 momentum 1": (S(optimizer="sgd", rate=1.0, momentum=0.9), frozenset({"learning-rate-too-high"})),
    "L4 adam 1e-6": (S(rate=1e-6), frozenset({"learning-rate-too-low"})),
    "L5 sgd 1e-4": (S(optimizer="sgd", rate=1e-4), frozenset({"learning-rate-too-low"})),
    "D1 bias -5": (S(start="he", hidden_bias=-5.0), frozenset({"dead-units", "poor-initialisation"})),
    "Z1 zero": (S(widths=(64,) * 3, start="zero"), frozenset({"poor-initialisation"})),
    "Z2 constant": (S(widths=(64,) * 3, start="constant:0.01"), frozenset({"poor-initialisation"})),
    "S1 tanh sd 3": (S(widths=(64,) * 3, activation="tanh", start="normal:3"), frozenset({"saturated-units", "poor-initialisation"})),
    "X1 exp": (
        S(data="circles", widths=(8,) * 8, activation="exp", rate=0.1, optimizer="sgd", scale="raw"),
        frozenset({"exploding-gradient", "non-finite"})),
    "X2 sd 3, 8 layers": (S(widths=(32,) * 8, start="normal:3", optimizer="sgd", rate=0.1), frozenset({"exploding-gradient", "non-finite", "poor-initialisation"})),
    "U1 digits x 255": (S(optimizer="sgd", rate=0.1, scale="255"), frozenset({"unscaled-inputs"})),
    "U2 raw cancer": (S(data="cancer", optimizer="sgd", rate=0.05, scale="raw"), frozenset({"unscaled-inputs"})),
    "U3 raw cancer 1": (S(data="cancer", optimizer="sgd", rate=1.0, scale="raw"), frozenset({"unscaled-inputs", "learning-rate-too-high"})),
    "O1 100 rows": (S(widths=(256, 256), train_rows=100, epochs=80), frozenset({"overfitting", "too-little-data"})),
    "C1 width 2": (S(widths=(2,), epochs=10), frozenset({"underfitting"})),
    "C2 linear circles": (S(data="circles", widths=(16, 16), activation="identity"), frozenset({"missing-nonlinearity", "underfitting"})),
    "R1 decay 0.3": (S(optimizer="sgd", rate=0.1, decay=0.3), frozenset({"over-regularised"})),
    "R2 dropout 0.9": (S(dropout=0.9), frozenset({"over-regularised"})),
    "H1 2 epochs": (S(batch=128, epochs=2), frozenset({"still-improving"})),
    "H2 2 epochs, sgd": (S(optimizer="sgd", rate=0.01, epochs=2), frozenset({"still-improving", "learning-rate-too-low"})),
    "H3 10 epochs, sgd": (S(optimizer="sgd", rate=0.01, epochs=10), frozenset({"still-improving", "learning-rate-too-low"})),
    "P1 target 1e6": (S(data="diabetes", optimizer="sgd", rate=1e-2, target="1e6"), frozenset({"unscaled-targets"})),
    "P2 target 1e6 adam": (S(data="diabetes", target="1e6"), frozenset({"unscaled-targets"})),
    "I1 rare class": (S(rare=0.01), frozenset({"class-imbalance"})),
    "B1 batch 2 BN": (S(batch_norm=True, batch=2, epochs=4), frozenset({"tiny-batch-normalisation"})),
    "N2 shuffled": (S(shuffled_labels=True, epochs=40), frozenset({"misaligned-labels"})),
    "T1 long": (S(data="diabetes", widths=(128, 128), epochs=120), frozenset({"overfitting", "trained-too-long"})),
}  # fmt: skip

#: Nothing is wrong with these: no warning may be raised.
HEALTHY: Mapping[str, Setup] = {
    "adam": S(),
    "he sgd": S(start="he", optimizer="sgd", rate=0.1),
    "momentum": S(optimizer="sgd", rate=0.05, momentum=0.9),
    "batch norm": S(batch_norm=True),
    "raw into bn": S(scale="raw", input_norm=True),
    "dropout": S(dropout=0.3, epochs=30),
    "tanh": S(widths=(32,) * 3, activation="tanh"),
    "gelu": S(activation="gelu"),
    "six layers": S(widths=(64,) * 6, start="he"),
    "wide": S(widths=(512, 512), epochs=10),
    "circles relu": S(data="circles", epochs=40),
    "circles tanh": S(data="circles", activation="tanh", rate=3e-3, epochs=40),
    "blobs": S(data="blobs"),
    "cancer": S(data="cancer", epochs=15),
    "wine": S(data="wine", epochs=40),
    "weight decay": S(optimizer="adamw", decay=0.01),
    "cosine": S(cosine=True, rate=3e-3),
    "warm-up": S(warmup=50),
    "smoothing": S(smoothing=0.1),
    "diabetes, stopped": S(data="diabetes", widths=(32,), epochs=100, early=8),
    "ten to one": S(data="circles", rare=0.1, epochs=60),
    "early-stopped": S(epochs=60, early=6),
    "layer norm": S(layer_norm=True),
    "clipped": S(clip=1.0),
    "large batches": S(batch=256, rate=3e-3, epochs=40),
    "unit scale": S(scale="unit", epochs=40),
    "leaky": S(activation="leaky-relu"),
    "bn circles": S(data="circles", batch_norm=True, epochs=30),
}  # fmt: skip
