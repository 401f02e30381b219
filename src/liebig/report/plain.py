"""`ReportData` -> one plain JSON object with everything in it; what is not a finite number is null."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

from liebig.report.data import ReportData


def to_json(data: ReportData) -> dict[str, Any]:
    """Field names as in `report.data`; enumerations by their value."""
    return {field.name: plain_value(getattr(data, field.name)) for field in dataclasses.fields(data)}


def plain_value(value: object) -> Any:
    """Frozen values as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain_value(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_value(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain_value(each) for each in value]
    return value
