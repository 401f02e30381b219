"""`look`: what Liebig takes each column for, or what pictures there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liebig.core.errors import UserError, did_you_mean
from liebig.data.pictures.found import is_pictures
from liebig.data.pictures.look import PictureLook, look_at_pictures
from liebig.data.pictures.task import read_pictures
from liebig.data.sequences.long import Question
from liebig.data.sequences.look import SequenceLook, look_at_sequences
from liebig.data.sequences.task import is_sequences, read_sequences
from liebig.data.table.look import TableLook
from liebig.data.table.look import look as look_at


@dataclass(frozen=True, slots=True)
class Look:
    """What a table is taken for, or what pictures there are."""

    seen: TableLook | PictureLook | SequenceLook

    def as_json(self) -> dict[str, Any]:
        return self.seen.plain()

    def __str__(self) -> str:
        return self.seen.text()


def look(source: object, target: str | None = None, *, columns: Mapping[str, str] | None = None) -> Look:
    """What each column of `source` (a path or any dataframe) is taken for, and what could be learnt.

    `columns` corrects single columns. For a folder, an archive or an array of pictures: how many of which class and size,
    which are copies and which cannot be read; for arrays of sequences how long they are and what is wanted. Raises UserError for a file that cannot be read or a column that is not there.
    """
    if is_sequences(source):
        if columns:
            raise UserError("--columns belongs to a table, however these are sequences")
        return Look(look_at_sequences(read_sequences(source, Question(target, None, None))))
    if is_pictures(source):
        if columns:
            raise UserError("--columns belongs to a table, however these are pictures")
        return Look(look_at_pictures(read_pictures(source, target)))
    seen = look_at(source, columns=columns)
    names = [column.name for column in seen.columns]
    if target is not None and target not in names:
        raise UserError(f'{seen.name} has no column "{target}".{did_you_mean(target, names)}')
    return Look(seen)
