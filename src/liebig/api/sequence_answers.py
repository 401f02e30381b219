"""What a model of sequences answers: for array files, long tables and arrays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl

from liebig.core.arrays import Predictions
from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.feed import SequenceEncoder
from liebig.data.sequences.task import new_sequences
from liebig.store.atomic import replacing
from liebig.store.predict import AnswerColumns
from liebig.train.combination import Combination, FittedChallenger
from liebig.train.fitted import Fitted

_ENDINGS = (".csv", ".tsv", ".parquet", ".pq")


def sequences_like(fitted: Fitted | Combination) -> SequenceData | None:
    """Of which form the sequences are that a model reads, without any; None where it reads something else."""
    members = (fitted,) if isinstance(fitted, Fitted) else fitted.members
    for each in members:
        if isinstance(each, FittedChallenger) and each.like is not None:
            return each.like
        if isinstance(each, Fitted) and isinstance(each.encoder, SequenceEncoder):
            return each.encoder.like
    return None


def answered_sequences(
    fitted: Fitted | Combination, source: object, like: SequenceData
) -> tuple[tuple[str, ...], Predictions]:
    """Names and answers of the sequences of `source`, whatever is said of them. Raises UserError."""
    data = new_sequences(source, like)
    if len(data.channels) != len(like.channels):
        raise UserError(
            f"the model reads {len(like.channels)} channels ({', '.join(like.channels[:6])}), however {len(data.channels)} came"
        )
    return data.names, fitted.predict_frame(data)


def predict_sequences(
    fitted: Fitted | Combination,
    source: object,
    like: SequenceData,
    output: str | Path | io.BufferedIOBase,
    columns: AnswerColumns,
) -> int:
    """Write a row for each sequence (its name, then what is answered; a column for each step of a forecast), CSV, TSV or Parquet by
    the ending of `output`. Returns the rows. Raises UserError."""
    if isinstance(output, str | Path) and Path(output).suffix.casefold() not in _ENDINGS:
        raise UserError(f'predictions are written as {", ".join(_ENDINGS)}, however "{output}" was named')
    names, predictions = answered_sequences(fitted, source, like)
    if columns.kind is TaskKind.REGRESSION and predictions.ndim == 2:
        frame = pl.DataFrame(
            {f"step {i + 1}": np.ascontiguousarray(predictions[:, i]) for i in range(predictions.shape[1])}
        )
    else:
        frame = columns.frame(predictions)
    frame = frame.insert_column(0, pl.Series("sequence", names, dtype=pl.String))
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
