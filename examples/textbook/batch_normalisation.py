"""Batch normalisation or none, on small grey pictures: which network learns faster, and does it end better?

python examples/textbook/batch_normalisation.py
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import liebig

RECIPES = Path(__file__).parent / "recipes"


def digits():
    """1,797 handwritten digits of 8 x 8 pixels, which come with scikit-learn: bytes, and which digit each is."""
    found = load_digits()
    return (found.images * 15).astype(np.uint8), found.target  # their tones go from 0 to 16


def show(folder, blocks=12):
    """Compare the two, write the page, return what was found."""
    compared = liebig.compare(
        digits(), RECIPES / "plain.toml", RECIPES / "batch-normalisation.toml",
        blocks=blocks, budget="60s", on_event=liebig.silent,
    )  # fmt: skip
    print(compared.summary())
    plain, normalised = (each.curves for each in compared.data.compared)
    early = len(plain.stop_metric) // 3
    print(
        f"after one epoch:    {plain.stop_metric[0]:.3f} without, {normalised.stop_metric[0]:.3f} with batch normalisation\n"
        f"after {early} epochs:     {plain.stop_metric[early - 1]:.3f} without, {normalised.stop_metric[early - 1]:.3f} with\n"
        "These are the first block's curves. What is said of the end is the verdict above, over all blocks."
    )
    print("page   ", compared.report(Path(folder) / "batch-normalisation.html"))
    return compared


if __name__ == "__main__":
    show(".")
