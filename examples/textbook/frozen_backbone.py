"""A frozen residual backbone with a new output layer: a fixed number of epochs, a rate that falls on a plateau, early stopping.

    python examples/textbook/frozen_backbone.py

Liebig never downloads weights. The backbone is a ResNet-18 that the script trains itself, on the digits 0 to 4; then its features
must do for 5 to 9, of which few pictures are shown.
"""

from pathlib import Path

import numpy as np
from batch_normalisation import digits
from residual import pretrained

import liebig

EPOCHS = 24
TOLERANCE = 0.02  # of accuracy: what loses no more is called equal
RECIPE = """\
[inputs]
kind = "pictures"
scale = "imagenet"

[network]
kind = "resnet"
depth = 18
backbone = "{backbone}"
trains = "output"

[optimizer]
kind = "adam"
learning_rate = 0.01

[batching]
kind = "shuffled"
size = 128
"""
#: What is said of a verdict on the score.
WORDS = {
    "equal": f"its accuracy is equal, up to {TOLERANCE}",
    "proven": "its accuracy is higher: proven",
    "worse": "its accuracy is lower",
    "likely": "its accuracy is likely higher, which is not proven",
}
NOT_SHOWN = "neither equal nor different accuracy is shown"
#: What differs between the three.
ENDS = {
    "fixed": f"""
[stopping]
kind = "epochs"
epochs = {EPOCHS}
""",
    "plateau": f"""
[schedule]
kind = "plateau"
factor = 0.5
patience = 2

[stopping]
kind = "epochs"
epochs = {EPOCHS}
""",
    "early-stopping": f"""
[stopping]
kind = "early-stopping"
epochs = {EPOCHS}
patience = 4
monitor = "loss"
""",
}


def show(folder, blocks=8, few=120, pretraining=6):
    """Pretrain, compare the three on `few` pictures of each digit, write the page, return what was found."""
    folder = Path(folder)
    pictures, labels = digits()
    pictures = pictures.repeat(2, axis=1).repeat(2, axis=2)  # 16 x 16 pixels: a residual network halves them four times
    backbone, known = folder / "backbone.pth", labels < 5
    pretrained(pictures[known], labels[known], backbone, pretraining)
    new = np.concatenate([np.flatnonzero(labels == digit)[:few] for digit in range(5, 10)])
    recipes = []
    for name, end in ENDS.items():
        recipes.append(folder / f"{name}.toml")
        recipes[-1].write_text(RECIPE.format(backbone=backbone.as_posix()) + end, encoding="utf-8")
    compared = liebig.compare(
        (pictures[new], labels[new]), *recipes, tolerance=TOLERANCE, blocks=blocks, budget="2m", on_event=liebig.silent
    )
    print(compared.summary())
    print(saved(compared))
    print("page   ", compared.report(folder / "frozen-backbone.html"))
    return compared


def saved(compared):
    """Accuracy, loss, epochs and seconds side by side."""
    lines = [f"{'':16}{'accuracy':>9}{'loss':>8}{'epochs':>8}{'seconds':>9}   beside fixed"]
    fixed, *others = compared.data.compared
    looks = {each.contestant.name: each.look for each in compared.contested.treatments}
    for each in (fixed, *others):
        curves, look = each.curves, looks.get(each.name)
        epochs = len(curves.stop_loss)
        line = f"{each.name:16}{each.score:9.3f}{curves.stop_loss[curves.selected]:8.3f}{epochs:8}{each.seconds:9.1f}"
        if look is not None:
            less = 1 - epochs / len(fixed.curves.stop_loss)
            line += (
                f"   {less:.0%} of the epochs saved, {look.seconds_ratio:.2f} times as fast "
                f"[{look.seconds_low:.2f}, {look.seconds_high:.2f}]; {WORDS.get(look.verdict.value, NOT_SHOWN)}"
            )
        lines.append(line)
    lines.append(
        "Loss and epochs are the first block's; accuracy is the mean over all blocks, seconds are of all together."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    show(".")
