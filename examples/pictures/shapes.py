"""A folder of small pictures to try the verbs on: discs, crosses and rings, drawn here, one folder for each.

    python examples/pictures/shapes.py shapes 600
    liebig look shapes
    liebig improve shapes --budget 2m

Some things are wrong with it on purpose, as with most folders: one file is broken, one picture is copied into another class, and all
rings were taken by a darker camera. `look` and the report's data findings name all three.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

KINDS = ("disc", "cross", "ring")


def drawn(kind: str, rng: np.random.Generator) -> Image.Image:
    """One picture of 48 x 48 pixels: the shape somewhere, in some colour, on noise."""
    noise = rng.integers(90, 170, (12, 12, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((48, 48), Image.Resampling.BICUBIC)
    pen, size = ImageDraw.Draw(picture), int(rng.integers(8, 14))
    x, y = (int(each) for each in rng.integers(size + 2, 46 - size, 2))
    colour = tuple(int(each) for each in rng.integers(60, 255, 3))
    if kind == "disc":
        pen.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    elif kind == "ring":
        pen.ellipse((x - size, y - size, x + size, y + size), outline=colour, width=3)
    else:
        pen.line((x - size, y, x + size, y), fill=colour, width=4)
        pen.line((x, y - size, x, y + size), fill=colour, width=4)
    picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 0.8))))
    return picture.point(lambda tone: int(0.7 * tone)) if kind == "ring" else picture


def main(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for number in range(count):
        kind = KINDS[number % 3]
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        drawn(kind, rng).save(place / f"{number:04}.jpg", quality=90)
    (folder / "disc" / "broken.jpg").write_bytes(b"this is no picture")
    Image.open(folder / "disc" / "0000.jpg").save(folder / "cross" / "copy.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 600)
    print(f"{sys.argv[1]} holds {', '.join(KINDS)}: liebig improve {sys.argv[1]} --budget 2m")
