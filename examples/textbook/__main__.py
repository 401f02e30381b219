"""Three experiments that every course shows, with verdicts and pictures.

    python examples/textbook [FOLDER] [--quick]

Pages and pictures are written into FOLDER (textbook-pages where none is named). With `--quick` it takes a minute,
and less is shown.
"""

import argparse
from pathlib import Path

import batch_normalisation
import frozen_backbone
import twenty_points

parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
parser.add_argument("folder", nargs="?", default="textbook-pages", type=Path, metavar="FOLDER")
parser.add_argument(
    "--quick", action="store_true", help="fewer blocks, draws and pictures: a minute, and less is shown"
)
asked = parser.parse_args()
asked.folder.mkdir(parents=True, exist_ok=True)
EXPERIMENTS = (
    (batch_normalisation, {"blocks": 3}),
    (twenty_points, {"blocks": 3, "draws": 3}),
    (frozen_backbone, {"blocks": 3, "few": 24, "pretraining": 1}),
)
for number, (experiment, quick) in enumerate(EXPERIMENTS, start=1):
    print(f"\n{number}. {(experiment.__doc__ or '').splitlines()[0]}\n")
    experiment.show(asked.folder, **(quick if asked.quick else {}))
