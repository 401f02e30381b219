"""What a model of pictures answers: for folders, archives, files and arrays."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from liebig.core.arrays import Predictions
from liebig.core.errors import UserError
from liebig.data.pictures.feed import PictureEncoder
from liebig.data.pictures.found import is_pictures
from liebig.data.pictures.task import read_pictures
from liebig.store.atomic import replacing
from liebig.store.predict import AnswerColumns
from liebig.train.combination import Combination
from liebig.train.fitted import Fitted


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredPictures:
    """`predictions` for the pictures `names`, and those that could not be read."""

    names: tuple[str, ...]
    predictions: Predictions
    broken: tuple[str, ...]


def picture_shape(fitted: Fitted | Combination) -> tuple[int, int, int] | None:
    """(channels, height, width) of the pictures that a model reads; None where it reads a table."""
    first = fitted if isinstance(fitted, Fitted) else next(iter(fitted.networks), None)
    encoder = None if first is None else first.encoder
    return encoder.shape if isinstance(encoder, PictureEncoder) else None


def answered_pictures(fitted: Fitted | Combination, source: object, shape: tuple[int, int, int]) -> AnsweredPictures:
    """Read and answer the pictures of `source`, whatever labels they have. Raises UserError."""
    if not is_pictures(source):
        told = f'"{source}"' if isinstance(source, str | Path) else f"a {type(source).__name__}"
        raise UserError(
            f"this model reads pictures: a folder, an archive, a file or an array of them, however {told} came"
        )
    read = read_pictures(source, shape=shape)
    predictions = fitted.predict_frame(read.pixels)
    return AnsweredPictures(
        tuple(each.name for each in read.places), predictions, tuple(each.name for each in read.broken)
    )


def predict_pictures(
    fitted: Fitted | Combination, source: object, shape: tuple[int, int, int], output: str | Path | io.BufferedIOBase,
    columns: AnswerColumns,
) -> int:  # fmt: skip
    """Write a row for each picture (its name, then what is answered), CSV, TSV or Parquet by the ending of `output`; those that
    cannot be read stand at the end without an answer. Returns the rows. Raises UserError."""
    if isinstance(output, str | Path) and Path(output).suffix.casefold() not in {".csv", ".tsv", ".parquet", ".pq"}:
        raise UserError(f'predictions are written as .csv, .tsv, .parquet, .pq, however "{output}" was named')
    answered = answered_pictures(fitted, source, shape)
    frame = columns.frame(answered.predictions).insert_column(0, pl.Series("file", answered.names, dtype=pl.String))
    if answered.broken:
        without = pl.DataFrame({"file": pl.Series(answered.broken, dtype=pl.String)})
        frame = pl.concat([frame, without], how="diagonal")
    if isinstance(output, io.BufferedIOBase):
        output.write(frame.write_csv().encode())
        return frame.height
    place = Path(output)
    with replacing(place, "the predictions") as beside:
        if place.suffix.casefold() in {".parquet", ".pq"}:
            frame.write_parquet(beside)
        else:
            frame.write_csv(beside, separator="\t" if place.suffix.casefold() == ".tsv" else ",")
    return frame.height
