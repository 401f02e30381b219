"""Tables as people have them: files of any common writing, and any dataframe.

Text files are read as text throughout; what a column is, `kinds` decides. So "007" stays what it is until someone knows
whether it is a number.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from liebig.core.errors import UserError, did_you_mean
from liebig.data.table.columns import nameless

#: How much of a file is looked at to find its encoding and separator, in bytes.
_HEAD: Final = 1 << 18
_SEPARATORS: Final = (",", ";", "\t", "|")
#: Endings of text tables; others are judged by their content.
_TEXT_ENDINGS: Final = frozenset({".csv", ".tsv", ".txt", ".tab", ".psv", ".dat", ""})
#: First bytes of what is no text table, and its name.
_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a zip archive (or an Excel workbook)"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
)
#: What reading a file that is cut off or damaged raises.
_BROKEN: Final = (OSError, EOFError, zlib.error)
_ENDING_FORMATS: Final = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table as it came. `frame` holds text columns as text; `name` is what the user may call it; `comma` is True when
    the file's separator says that numbers have decimal commas."""

    name: str
    frame: pl.DataFrame
    comma: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text table is written."""

    encoding: str
    separator: str
    is_gzip: bool = False


def read_table(source: object, *, least_columns: int = 2) -> Table:
    """Read a file (`str` or `Path`: CSV in any common writing, Parquet, Arrow) or take a dataframe (polars, pandas,
    pyarrow, anything with the Arrow interface, a mapping of arrays).

    Raises UserError when there is no such file, it holds no table, or one of fewer than `least_columns`.
    """
    if isinstance(source, str | Path):
        return _read_file(Path(source).expanduser(), least_columns)
    return Table("table", _checked(_from_frame(source), "the dataframe", least_columns))


def read_chunks(source: object, rows: int = 65_536) -> Iterator[pl.DataFrame]:
    """The table in pieces of at most `rows` rows, in order, in memory that does not grow with the file (for text tables
    and Parquet). A table without rows gives none. Raises UserError as `read_table` does, before the first piece.
    """
    if not isinstance(source, str | Path):
        yield from read_table(source, least_columns=1).frame.iter_slices(rows)
        return
    path = Path(source).expanduser()
    form = _format_of(path)
    if form == "text":
        yield from _text_chunks(path, rows)
    elif form == "parquet":
        yield from _parquet_chunks(path, rows)
    else:
        yield from _read_file(path, 1).frame.iter_slices(rows)


def _read_file(path: Path, least: int) -> Table:
    form = _format_of(path)
    name = path.name.split(".")[0] or path.name
    if form == "text":
        dialect = _dialect(path)
        return Table(name, _checked(_read_text(path, dialect), f'"{path}"', least), comma=dialect.separator == ";")
    try:
        frame = pl.read_parquet(path) if form == "parquet" else pl.read_ipc(path)
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise UserError(f'"{path}" begins like {form}, but cannot be read: {_first_line(problem)}') from problem
    return Table(name, _checked(_plain_types(frame), f'"{path}"', least))


def _format_of(path: Path) -> str:
    """ "text", "parquet" or "arrow" by the file's first bytes. Raises UserError for anything else."""
    _must_exist(path)
    with _opened(path) as file:
        head = file.read(16)
    if not head:
        raise UserError(f'"{path}" is empty; a table with a line of column names was expected')
    ending = path.suffix.casefold()
    if ending == ".gz":
        ending = Path(path.stem).suffix.casefold()
    found = next((form for magic, form in _MAGIC if head.startswith(magic)), "text")
    named = _ENDING_FORMATS.get(ending)
    if found == "gzip":
        return _format_in_gzip(path)
    if found in {"parquet", "arrow"}:
        if ending in _TEXT_ENDINGS and ending:
            raise UserError(f'"{path}" is named as text, however it is a {found} file; rename it to end in .{found}')
        return found
    if found != "text":
        raise UserError(f'"{path}" should be a table, however it is {found}')
    if named is not None:
        raise UserError(f'"{path}" is named as a {named} file, however its content is not {named}')
    return "text"


def _format_in_gzip(path: Path) -> str:
    try:
        with gzip.open(path) as file:
            inner = file.read(16)
    except _BROKEN as problem:
        raise UserError(f'"{path}" is compressed with gzip, but broken: {_first_line(problem)}') from problem
    if not inner:
        raise UserError(f'"{path}" is empty; a table with a line of column names was expected')
    found = next((form for magic, form in _MAGIC if inner.startswith(magic)), "text")
    if found != "text":
        what = found if found.startswith("a") and " " in found else f"a {found} file"
        raise UserError(f'"{path}" should hold a compressed text table, however it holds {what}')
    return "text"


def _must_exist(path: Path) -> None:
    if path.is_dir():
        tables = sorted(each.name for each in path.iterdir() if each.suffix.casefold() in {".csv", ".parquet", ".tsv"})
        inside = f"; in it are {', '.join(tables[:5])}" if tables else ""
        raise UserError(f'"{path}" is a directory, a file was expected{inside}')
    if not path.exists():
        folder = path.parent
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        raise UserError(f'there is no file "{path}".{did_you_mean(path.name, names)}')


def _opened(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as problem:
        raise UserError(f'"{path}" cannot be opened: {problem.strerror or problem}') from problem


# --- text --------------------------------------------------------------------------------------------------


def _dialect(path: Path) -> Dialect:
    """Encoding and separator of a text table, from its head."""
    with _opened(path) as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if is_gzip else path.open("rb") as stream:
            head = stream.read(_HEAD)
            encoding = _encoding(head, stream, whole=len(head) < _HEAD)
    except _BROKEN as problem:
        raise UserError(f'"{path}" is broken: {_first_line(problem)}') from problem
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if "\x00" in text:
        raise UserError(f'"{path}" should be a text table, however it holds binary data')
    if not text.strip():
        raise UserError(f'"{path}" is empty; a table with a line of column names was expected')
    return Dialect(encoding, _separator(text), is_gzip)


def _encoding(head: bytes, rest: Any, whole: bool) -> str:
    """The encoding of a text: by its byte-order mark, else UTF-8 where all is valid, else cp949 where all is valid and
    holds Hangul, else the Western one."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    if head[1::2].count(0) > 0.4 * len(head[1::2]) or head[0::2].count(0) > 0.4 * len(head[0::2]):
        return "utf-16-le" if head[1::2].count(0) >= head[0::2].count(0) else "utf-16-be"
    checks = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "cp949")}
    foreign = bytearray()
    piece, last = head, whole
    while True:
        for name in list(checks):
            try:
                checks[name].decode(piece, final=last)
            except UnicodeDecodeError:
                del checks[name]
        foreign += bytes(byte for byte in piece if byte >= 0x80)[: max(0, 4096 - len(foreign))]
        if last or not checks:
            break
        piece = rest.read(_HEAD)
        last = not piece
    if "utf-8" in checks:
        return "utf-8"
    return "cp949" if "cp949" in checks and _looks_korean(bytes(foreign)) else "cp1252"


def _looks_korean(foreign: bytes) -> bool:
    """True when bytes above ASCII come as pairs of Hangul. In Western text they come alone, between letters."""
    decoded = foreign.decode("cp949", errors="ignore")
    hangul = sum("\uac00" <= letter <= "\ud7a3" for letter in decoded)
    return hangul > 0.5 * max(len(decoded), 1) and len(foreign) >= 2 and len(decoded) >= 0.4 * len(foreign)


def _separator(text: str) -> str:
    """The separator that cuts the first records into equally many cells, the most of them."""
    best, found = (0.0, 0), ","
    for separator in _SEPARATORS:
        lengths = _record_lengths(text, separator)
        if not lengths or lengths[0] < 2:
            continue
        agreeing = sum(length == lengths[0] for length in lengths) / len(lengths)
        if (agreeing, lengths[0]) > best:
            best, found = (agreeing, lengths[0]), separator
    return found


def _record_lengths(text: str, separator: str) -> list[int]:
    """Cells of each of the first records; quoted line breaks are not ends of records."""
    lengths = []
    # The last line of the head may be cut.
    lines = text.splitlines(keepends=True)
    reader = csv.reader(iter(lines[:-1] if len(lines) > 2 else lines), delimiter=separator)
    try:
        for record in reader:
            if record:
                lengths.append(len(record))
            if len(lengths) >= 200:
                break
    except csv.Error:
        pass
    return lengths


def _read_text(path: Path, dialect: Dialect) -> pl.DataFrame:
    names = _header(path, dialect)
    if dialect.encoding in {"utf-8", "utf-8-sig"} and not dialect.is_gzip:
        return _parse(path, names, dialect.separator, path)
    with gzip.open(path) if dialect.is_gzip else path.open("rb") as file:
        try:
            text = codecs.decode(file.read(), dialect.encoding, "replace")
        except _BROKEN as problem:
            raise UserError(f'"{path}" is broken: {_first_line(problem)}') from problem
    return _parse(text.encode(), names, dialect.separator, path)


def _header(path: Path, dialect: Dialect) -> list[str]:
    """The column names, checked. Raises UserError when two are the same."""
    with _decoded(path, dialect) as file:
        try:
            record = next((each for each in csv.reader(file, delimiter=dialect.separator) if each), [])
        except (csv.Error, *_BROKEN) as problem:
            raise UserError(f'the column names of "{path}" cannot be read: {_first_line(problem)}') from problem
    names = [name.strip().lstrip("\ufeff") for name in record]
    named = [name for name in names if name]
    repeated = sorted({name for name in named if named.count(name) > 1})
    if repeated:
        listed = ", ".join(f'"{name}"' for name in repeated[:5])
        raise UserError(f'column names must differ, however "{path}" has more than one {listed}')
    # A column without a name is what saving a dataframe with its row numbers leaves.
    return [name or f"unnamed: {number}" for number, name in enumerate(names)]


def _decoded(path: Path, dialect: Dialect) -> io.TextIOWrapper:
    binary: Any = gzip.open(path) if dialect.is_gzip else path.open("rb")  # noqa: SIM115  # the wrapper closes it
    return io.TextIOWrapper(binary, encoding=dialect.encoding, errors="replace", newline="")


def _parse(content: Path | bytes, names: Sequence[str], separator: str, path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_csv(
            content, separator=separator, has_header=True, new_columns=list(names), infer_schema=False,
            quote_char='"', extra_columns="raise", missing_columns="insert", glob=False,
        )  # fmt: skip
    except (pl.exceptions.PolarsError, TypeError):
        return _parse_slowly(content, names, separator, path)
    if frame.columns != list(names):
        return _parse_slowly(content, names, separator, path)
    # An empty line reads as a row without a single cell, and so does a row that tells nothing.
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _parse_slowly(content: Path | bytes, names: Sequence[str], separator: str, path: Path) -> pl.DataFrame:
    """The same by Python's own reader, which names the line that does not fit."""
    if isinstance(content, Path):
        content = content.read_bytes()
    text = io.StringIO(content.decode("utf-8-sig", "replace"), newline="")
    cells = _records(csv.reader(text, delimiter=separator), len(names), path)
    next(cells, None)  # the header
    rows = list(cells)
    return pl.DataFrame({name: pl.Series([row[i] for row in rows], dtype=pl.String) for i, name in enumerate(names)})


def _records(reader: Any, width: int, path: Path) -> Iterator[list[str | None]]:
    """The records of a text table, short ones filled up. Raises UserError for one that is too long."""
    csv.field_size_limit(1 << 30)
    try:
        for record in reader:
            if not record:
                continue
            if len(record) > width:
                if any(cell.strip() for cell in record[width:]):
                    raise UserError(
                        f'line {reader.line_num} of "{path}" has {len(record)} cells, however there are {width} column names'
                    )
                record = record[:width]
            yield [cell if cell else None for cell in record] + [None] * (width - len(record))
    except (csv.Error, *_BROKEN) as problem:
        raise UserError(f'line {reader.line_num} of "{path}" cannot be read: {_first_line(problem)}') from problem


def _text_chunks(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    dialect = _dialect(path)
    names = _header(path, dialect)
    with _decoded(path, dialect) as file:
        cells = _records(csv.reader(file, delimiter=dialect.separator), len(names), path)
        next(cells, None)
        piece: list[list[str | None]] = []
        for record in cells:
            piece.append(record)
            if len(piece) == rows:
                yield _frame_of(piece, names)
                piece = []
        if piece:
            yield _frame_of(piece, names)


def _frame_of(records: Sequence[Sequence[str | None]], names: Sequence[str]) -> pl.DataFrame:
    columns = zip(*records, strict=True)
    return pl.DataFrame([pl.Series(name, cells, dtype=pl.String) for name, cells in zip(names, columns, strict=True)])


def _parquet_chunks(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    try:
        for piece in pl.scan_parquet(path).collect_batches(chunk_size=rows, maintain_order=True, lazy=True):
            yield from _plain_types(piece).iter_slices(rows)
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise UserError(f'"{path}" begins like parquet, but cannot be read: {_first_line(problem)}') from problem


# --- dataframes --------------------------------------------------------------------------------------------


def _from_frame(source: Any) -> pl.DataFrame:
    """Any dataframe as polars'. Raises UserError."""
    if isinstance(source, pl.DataFrame):
        return _plain_types(source)
    if isinstance(source, pl.LazyFrame):
        return _plain_types(source.collect())
    if isinstance(source, Mapping):
        return _from_mapping(source)
    names = getattr(source, "columns", None)
    if names is not None and hasattr(source, "iloc"):
        return _from_pandas(source)
    try:
        if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
            return _plain_types(pl.DataFrame(source))
        if hasattr(source, "__dataframe__"):
            return _plain_types(pl.from_dataframe(source))
    except (pl.exceptions.PolarsError, TypeError, ValueError) as problem:
        raise UserError(f"the dataframe cannot be read: {_first_line(problem)}") from problem
    raise UserError(
        f"a path, a dataframe (polars, pandas, pyarrow, ...) or a mapping of columns was expected, however "
        f"{type(source).__name__} came"
    )


def _from_pandas(source: Any) -> pl.DataFrame:
    """Column by column, since pandas' own way out fails on mixed columns. The index is left out."""
    names = [str(name) for name in source.columns]
    _must_differ(names, "the dataframe")
    return _plain_types(pl.DataFrame([_series(name, source.iloc[:, i]) for i, name in enumerate(names)]))


def _from_mapping(source: Mapping[Any, Any]) -> pl.DataFrame:
    columns = [_series(str(name), values) for name, values in source.items()]
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        listed = ", ".join(f"{column.name}: {len(column)}" for column in columns[:5])
        raise UserError(f"columns of a table must be equally long, however they have {listed} values")
    return _plain_types(pl.DataFrame(columns))


def _series(name: str, values: Any) -> pl.Series:
    """One column. Mixed cells become text; pandas' categories their names."""
    kind = str(getattr(values, "dtype", ""))
    if hasattr(values, "to_numpy") and hasattr(values, "iloc"):
        if kind == "category":
            values = values.astype(object)
        elif kind.startswith("datetime64") or kind in {
            "Int64",
            "Int32",
            "Int16",
            "Int8",
            "boolean",
            "Float64",
            "string",
            "str",
        }:
            try:
                return pl.Series(name, pl.from_pandas(values))
            except (ImportError, pl.exceptions.PolarsError, TypeError, ValueError):
                values = values.astype(object)
        values = values.to_numpy()
    if isinstance(values, np.ndarray) and values.dtype != object:
        if values.ndim != 1:
            raise UserError(f'column "{name}" must hold one value for each row, however it has shape {values.shape}')
        return pl.Series(name, values)
    return _mixed(name, list(values))


def _mixed(name: str, cells: list[Any]) -> pl.Series:
    missing = [cell is None or cell != cell or str(cell) in {"<NA>", "NaT"} for cell in cells]
    clean = [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]
    kinds = {type(cell) for cell in clean if cell is not None}
    if len(kinds) <= 1 or kinds <= {int, float}:
        try:
            return pl.Series(name, clean, strict=False)
        except (pl.exceptions.PolarsError, TypeError, OverflowError):
            pass
    return pl.Series(name, [None if cell is None else str(cell) for cell in clean], dtype=pl.String)


def _plain_types(frame: pl.DataFrame) -> pl.DataFrame:
    """Dictionary columns as text, decimals as floats, durations as seconds, time zones dropped (the moment in UTC is kept)."""
    changed = []
    for column in frame.get_columns():
        name, dtype, column = column.name, column.dtype, nameless(column)
        if dtype in (pl.Categorical, pl.Enum) or isinstance(dtype, pl.Categorical | pl.Enum) or dtype == pl.Null:
            changed.append(column.cast(pl.String).alias(name))
        elif isinstance(dtype, pl.Duration):
            changed.append((column.dt.total_microseconds().cast(pl.Float64) / 1e6).alias(name))
        elif isinstance(dtype, pl.Decimal):
            changed.append(column.cast(pl.Float64).alias(name))
        elif isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
            changed.append(column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).alias(name))
    return frame.with_columns(changed) if changed else frame


def _checked(frame: pl.DataFrame, named: str, least: int) -> pl.DataFrame:
    """Refuse what cannot be used, whatever the task; `least` is the fewest columns."""
    _must_differ(frame.columns, named)
    if frame.width == 0:
        raise UserError(f"{named} has no columns")
    if frame.height == 0:
        raise UserError(f"{named} has column names, but no rows")
    if frame.width < least:
        raise UserError(
            f'{named} has one column only, "{frame.columns[0]}"; a target and at least one other column are needed'
        )
    return frame


def _must_differ(names: Sequence[str], named: str) -> None:
    repeated = sorted({name for name in names if list(names).count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        listed = ", ".join(f'"{name}"' for name in repeated[:5])
        raise UserError(f"column names must differ, however {named} has more than one {listed}")


def _first_line(problem: BaseException) -> str:
    text = str(problem).strip()
    return text.splitlines()[0] if text else type(problem).__name__
