"""`predict` on files: any size, in constant memory."""

from __future__ import annotations

import sys
from pathlib import Path

from liebig.api.model import load


def predict_file(model: str | Path, table: str | Path, output: str | Path = "-") -> int:
    """Predict the rows of `table` with the model of a study, a run or a model directory; returns how many.

    `output` is a CSV, TSV or Parquet file by its ending, or "-" for CSV on standard output. Raises UserError.
    """
    predictor = load(model)
    if output != "-":
        return predictor.predict_file(str(table), output)
    with open(sys.stdout.fileno(), "wb", closefd=False) as out:
        return predictor.predict_file(str(table), out)
