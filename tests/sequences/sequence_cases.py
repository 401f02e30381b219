"""Small sequences for tests: what is in them is known."""

import numpy as np
import polars as pl


def waves(n=60, steps=24, channels=2, classes=2, seed=0, ragged=False):
    """Sequences whose class is how fast a wave goes, noisy, with lengths: float32 [n, steps, channels], int64 [n], int64 [n]."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    random.shuffle(labels)
    at = np.arange(steps)[None, :, None] / steps
    phase = random.uniform(0, 2 * np.pi, (n, 1, channels))
    values = np.sin(2 * np.pi * (1 + 2 * labels[:, None, None]) * at + phase)
    values += 0.2 * random.normal(size=values.shape)
    lengths = random.integers(steps // 2, steps + 1, n) if ragged else np.full(n, steps)
    lengths[0] = steps
    values[np.arange(steps)[None] >= lengths[:, None]] = 0.0
    return values.astype(np.float32), labels.astype(np.int64), lengths.astype(np.int64)


def saved(path, n=60, ragged=False, classes=2, **more):
    """An array file of such sequences, two thirds of them to learn from."""
    values, labels, lengths = waves(n, ragged=ragged, classes=classes)
    cut = 2 * n // 3
    arrays = {"x_train": values[:cut], "y_train": labels[:cut], "x_test": values[cut:], "y_test": labels[cut:]}
    if ragged:
        arrays |= {"len_train": lengths[:cut], "len_test": lengths[cut:]}
    np.savez(path, **arrays, names=np.array([f"kind {i}" for i in range(classes)]), **more)
    return path


def seasonal(steps=400, season=12, seed=0):
    """A series with a season and a slow drift, float32 [steps]."""
    random = np.random.default_rng(seed)
    at = np.arange(steps)
    return (10 + 3 * np.sin(2 * np.pi * at / season) + 0.3 * random.normal(size=steps)).astype(np.float32)


def long_table(n=30, seed=0, irregular=False):
    """A long table: `who`, `when`, two measurements with gaps, a word, and what is wanted, the same in all rows of one sequence. Rows
    come in no order."""
    random = np.random.default_rng(seed)
    frames = []
    for who in range(n):
        steps = int(random.integers(8, 15))
        label = who % 2
        when = np.arange(steps) * 10.0
        if irregular:
            when = when + random.uniform(0, 8, steps)
        level = 2.0 * label + 0.3 * random.normal(size=steps)
        frames.append(
            pl.DataFrame(
                {
                    "who": [f"s{who}"] * steps, "when": when, "level": level, "other": random.normal(size=steps),
                    "mood": random.choice(["calm", "wild"], steps), "kind": ["high" if label else "low"] * steps,
                }
            )
        )  # fmt: skip
    table = pl.concat(frames).with_columns(
        pl.when(pl.int_range(pl.len()) % 7 == 3).then(None).otherwise(pl.col("other")).alias("other")
    )
    return table.sample(fraction=1.0, shuffle=True, seed=seed)
