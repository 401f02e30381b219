"""How many examples have no label and may be pretrained on."""

from __future__ import annotations

from typing import Any

from liebig.core.task import Task
from liebig.data.pictures.content import PictureData
from liebig.data.table.content import TableData


def unlabelled_rows(task: Task[Any]) -> int:
    """Pictures, or rows of a table, that stand beside the rows of `task` and have no label."""
    if isinstance(task.data, PictureData) and task.data.unlabelled is not None:
        return len(task.data.unlabelled)
    if isinstance(task.data, TableData) and task.data.unlabelled is not None:
        return task.data.unlabelled.rows
    return 0
