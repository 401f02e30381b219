"""Tables as training asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch

from liebig.core.arrays import Rows
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.table.encoder import Encoder as TableEncoder
from liebig.data.table.encoder import fit_encoder
from liebig.data.table.feed import feed
from liebig.data.table.inputs import TableInputs
from liebig.stack.specs import Wants
from liebig.train.encoding import Encoder, Feed


class TableEncoding:
    """Makes encoders and feeds of a table."""

    def fit_encoder(self, task: Task[Any], inputs: Settings, rows: Rows, wants: Wants) -> Encoder:
        if not isinstance(inputs, TableInputs):
            raise TypeError(f"a table needs inputs of kind table, however {inputs.kind} came")
        return fit_encoder(task, inputs, rows, wants)

    def feed(self, task: Task[Any], encoders: Sequence[Encoder], device: torch.device, dtype: torch.dtype) -> Feed:
        return feed(task, [each for each in encoders if isinstance(each, TableEncoder)], device, dtype)


TABLES: Final = TableEncoding()
