"""Twenty noisy points in [-1, 1], and a network with ninety thousand weights, with and without dropout.

python examples/textbook/twenty_points.py
"""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from drawing import Curve, chart
from scipy.special import stdtrit

import liebig

RECIPES = Path(__file__).parent / "recipes"
NOISE = 0.3


def points(count, seed):
    """y = x and noise, at random places."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, count)
    return pl.DataFrame({"x": x, "y": x + NOISE * random.normal(size=count)})


def fitted(known, fresh, name, seed):
    """One network of a recipe."""
    with tempfile.TemporaryDirectory() as run:
        return liebig.fit(
            known,
            "y",
            recipe=str(RECIPES / f"{name}.toml"),
            test=fresh,
            run=f"{run}/1",
            seed=seed,
            on_event=liebig.silent,
        ).model


def away(model, fresh):
    """How far a network is from y = x: root mean square over the fresh places."""
    return float(np.sqrt(np.mean((model.predict(fresh) - fresh["x"].to_numpy()) ** 2)))


def show(folder, blocks=12, draws=8):
    """Compare the two, fit and draw them, do that for further draws of the points, return what was found."""
    # Of 25 points every network learns from 20; compare judges it on the other five.
    known, fresh = points(25, seed=0), points(1000, seed=1000)
    compared = liebig.compare(
        known, RECIPES / "wide.toml", RECIPES / "dropout.toml", target="y", test=fresh,
        blocks=blocks, budget="60s", on_event=liebig.silent,
    )  # fmt: skip
    print(compared.summary())

    line = pl.DataFrame({"x": np.linspace(-1, 1, 201)})
    curves, distances = [Curve("y = x", line["x"], line["x"], "#8a8f98", dashed=True)], []
    for seed in range(draws):
        drawn = points(25, seed)
        models = [fitted(drawn, fresh, name, seed) for name in ("wide", "dropout")]
        distances.append([away(model, fresh) for model in models])
        if seed == 0:
            for name, model, colour in zip(("wide", "dropout"), models, ("#c2410c", "#1d4ed8"), strict=True):
                curves.append(Curve(f"{name}, {away(model, fresh):.2f} away", line["x"], model.predict(line), colour))
    print(told(np.array(distances)))
    picture = Path(folder) / "twenty-points.svg"
    picture.write_text(
        chart("A wide network on twenty noisy points, with and without dropout", curves, known["x"], known["y"]),
        encoding="utf-8",
    )
    print("picture", picture)
    print("page   ", compared.report(Path(folder) / "twenty-points.html"))
    return compared


def told(distances):
    """What further draws of the points say: `distances` [draws, (wide, dropout)]."""
    wide, dropout = distances.mean(axis=0)
    less = distances[:, 0] - distances[:, 1]
    half = float(stdtrit(len(less) - 1, 0.975)) * float(less.std(ddof=1)) / len(less) ** 0.5
    low, high = less.mean() - half, less.mean() + half
    shown = "dropout is nearer" if low > 0 else "dropout is further away" if high < 0 else "no difference is shown"
    return (
        f"Away from y = x, over {len(less)} draws of the points: wide {wide:.3f}, dropout {dropout:.3f}; "
        f"nearer by {less.mean():+.3f} [{low:+.3f}, {high:+.3f}]: {shown}.\n"
        "The verdict above has twenty-five points and no more, as whoever measures has; this line knows the truth."
    )


if __name__ == "__main__":
    show(".")
