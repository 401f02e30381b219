"""Predictions of a table of any size: read, answered and written piece by piece, in memory that does not grow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from liebig.core.arrays import Predictions
from liebig.core.decision import AS_THEY_COME, Decision
from liebig.core.errors import UserError
from liebig.core.metric import predicted_classes
from liebig.core.task import TaskKind
from liebig.data.table.reading import read_chunks
from liebig.store.atomic import replacing

#: Rows that are in memory at a time.
ROWS: Final = 16_384
_ENDINGS: Final = (".csv", ".tsv", ".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class AnswerColumns:
    """How answers are written: for classes the name of the one that `decision` names in `prediction`, and one column for the
    probability of each; for numbers `prediction` alone."""

    kind: TaskKind
    classes: tuple[str, ...]
    decision: Decision = AS_THEY_COME

    def frame(self, predictions: Predictions) -> pl.DataFrame:
        """The columns of some rows. `predictions` as in `core.arrays.Predictions`."""
        if not self.kind.is_classification:
            return pl.DataFrame({"prediction": pl.Series(predictions, dtype=pl.Float32)})
        names = np.array(self.classes, dtype=object)
        named = predicted_classes(self.decision.naming(predictions))
        said = pl.Series("prediction", names[named].tolist(), dtype=pl.String)
        each = predictions if predictions.ndim == 2 else np.stack([1 - predictions, predictions], axis=1)
        shares = [
            pl.Series(f"probability: {name}", each[:, i], dtype=pl.Float32) for i, name in enumerate(self.classes)
        ]
        return pl.DataFrame([said, *shares])


def predict_pieces(
    pieces: Iterable[pl.DataFrame], answer: Callable[[pl.DataFrame], Predictions], columns: AnswerColumns
) -> Iterable[pl.DataFrame]:
    """The answers' columns for each piece of a table."""
    return (columns.frame(answer(piece)) for piece in pieces)


def predict_file(
    source: object,
    output: Path | io.RawIOBase | io.BufferedIOBase,
    answer: Callable[[pl.DataFrame], Predictions],
    columns: AnswerColumns,
    *,
    on_rows: Callable[[int], None] | None = None,
    rows: int = ROWS,
) -> int:
    """Answer every row of `source` (a path or a dataframe), in order, and write CSV, TSV or Parquet by the ending of
    `output` (an open binary file gets CSV). Returns the number of rows.

    A file is written beside its place and renamed, so that it is there whole or not at all. `on_rows` is called with the
    number of rows done after each piece. Raises UserError as reading and `answer` do, and when `output` cannot be written.
    """
    counted = _Counted(on_rows)
    pieces = predict_pieces(read_chunks(source, rows), answer, columns)
    if not isinstance(output, Path):
        _write_text(counted.through(pieces), output, ",", columns)
        return counted.rows
    ending = output.suffix.casefold()
    if ending not in _ENDINGS:
        raise UserError(f'predictions are written as {", ".join(_ENDINGS)}, however "{output}" was named')
    with replacing(output, "the predictions") as beside:
        if ending in {".parquet", ".pq"}:
            _write_parquet(counted.through(pieces), beside, columns)
        else:
            with beside.open("wb") as file:
                _write_text(counted.through(pieces), file, "\t" if ending == ".tsv" else ",", columns)
    return counted.rows


class _Counted:
    """Counts rows on their way, and tells."""

    def __init__(self, on_rows: Callable[[int], None] | None) -> None:
        self.rows = 0
        self._on_rows = on_rows

    def through(self, pieces: Iterable[pl.DataFrame]) -> Iterable[pl.DataFrame]:
        for piece in pieces:
            yield piece
            self.rows += piece.height
            if self._on_rows is not None:
                self._on_rows(self.rows)


def _empty(columns: AnswerColumns) -> pl.DataFrame:
    shape = (0, len(columns.classes)) if columns.kind is TaskKind.MULTICLASS else (0,)
    return columns.frame(np.zeros(shape, dtype=np.float32))


def _write_text(
    pieces: Iterable[pl.DataFrame],
    file: io.RawIOBase | io.BufferedIOBase,
    separator: str,
    columns: AnswerColumns,
) -> None:
    file.write(_empty(columns).write_csv(separator=separator).encode())
    for piece in pieces:
        file.write(piece.write_csv(include_header=False, separator=separator).encode())


def _write_parquet(pieces: Iterable[pl.DataFrame], path: Path, columns: AnswerColumns) -> None:
    """A Parquet file is written in one go, so pieces go to files of their own first and are streamed together after."""
    folder = path.with_name(f"{path.name}-pieces")
    folder.mkdir()
    files: list[Path] = []
    try:
        for piece in _with_first(_empty(columns), pieces):
            files.append(folder / f"{len(files):08d}.parquet")
            piece.write_parquet(files[-1])
        pl.scan_parquet(files, glob=False).sink_parquet(path)
    finally:
        for each in files:
            each.unlink(missing_ok=True)
        folder.rmdir()


def _with_first(first: pl.DataFrame, rest: Iterable[pl.DataFrame]) -> Iterable[pl.DataFrame]:
    yield first
    yield from rest
