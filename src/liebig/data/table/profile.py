"""What the table shows before anything is trained."""

from __future__ import annotations

from liebig.core.arrays import Reals
from liebig.core.evidence import ColumnProfile, DataProfile
from liebig.core.task import Task
from liebig.data.table.content import TableData


def profile_of(task: Task[TableData], duplicates: int, shared: int, dropped: int, why: str) -> DataProfile:
    nan = float("nan")
    return DataProfile(len(task.parts.work), (), ColumnProfile(task.target_name, "number", why, 0, 0, 0, nan, nan, nan, nan, nan, nan, nan), (), duplicates, shared, dropped)
