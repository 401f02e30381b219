"""Files as people have them, dataframes of every make, and files that are no tables."""

import gzip
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from liebig.core.errors import UserError
from liebig.data.table.columns import Kind, numbers
from liebig.data.table.kinds import taken_for
from liebig.data.table.reading import read_chunks, read_table

FRAME = pl.DataFrame({"größe": ["1.5", "2", None], "Stadt": ["Köln", "Łódź", "서울"], "k": ["a", "b", "a"]})


def written(rows, separator=",", newline="\n"):
    return newline.join(separator.join(cell or "" for cell in row) for row in rows) + newline


def cells(frame):
    return [frame.columns, *[[cell or "" for cell in row] for row in frame.rows()]]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_separators_encodings_and_newlines(tmp_path, separator, encoding, newline):
    path = tmp_path / "t.csv"
    path.write_bytes(written(cells(FRAME), separator, newline).encode(encoding))
    assert_frame_equal(read_table(path).frame, FRAME)


def test_utf_16_big_endian_with_mark(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xfe\xff" + written(cells(FRAME)).encode("utf-16-be"))
    assert_frame_equal(read_table(str(path)).frame, FRAME)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp949", ["서울특별시", "부산", "대구 광역시"]),
        ("latin-1", ["Köln", "café", "naïve"]),
        ("cp1252", ["“so”", "€ 5", "Zoë"]),
    ],
)
def test_older_encodings(tmp_path, encoding, words):
    path = tmp_path / "t.csv"
    path.write_bytes(("name,n\n" + "".join(f"{word},{i}\n" for i, word in enumerate(words))).encode(encoding))
    assert read_table(path).frame["name"].to_list() == words


def test_one_foreign_byte_late_in_a_long_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"plain,1\n" * 50_000 + "Köln,2\n".encode("latin-1"))
    assert read_table(path).frame["a"][-1] == "Köln"


def test_gzip_and_quoted_newlines(tmp_path):
    text = 'a,b\n"one\ntwo, and ""three""",1\nx,2\n'
    plain, packed = tmp_path / "t.csv", tmp_path / "u.csv.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        assert read_table(path).frame["a"].to_list() == ['one\ntwo, and "three"', "x"]
        assert pl.concat(read_chunks(path, 1))["a"].to_list() == ['one\ntwo, and "three"', "x"]


def test_decimal_comma(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b;c\n1,5;1.234,5;1,234\n-2,25;2.000,0;2,000\n3;7;3,5\n")
    table = read_table(path)
    assert table.comma
    columns = [taken_for(series, None, table.comma) for series in table.frame.get_columns()]
    read = [numbers(table.frame[column.name], column.written).to_list() for column in columns]
    assert read == [[1.5, -2.25, 3.0], [1234.5, 2000.0, 7.0], [1.234, 2.0, 3.5]]


def test_short_lines_are_filled_and_empty_ones_skipped(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2\n\n4,5,6\n")
    assert read_table(path).frame.rows() == [("1", "2", None), ("4", "5", "6")]
    assert pl.concat(read_chunks(path)).rows() == [("1", "2", None), ("4", "5", "6")]


def test_a_column_without_a_name_gets_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",x\n0,5\n1,6\n")
    assert read_table(path).frame.columns == ["unnamed: 0", "x"]


def test_parquet_with_dictionaries_and_arrow(tmp_path):
    frame = pl.DataFrame({"c": pl.Series(["x", "y", None], dtype=pl.Categorical), "n": [1, 2, 3]})
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ipc(tmp_path / "t.feather")
    wanted = frame.with_columns(pl.col("c").cast(pl.String))
    for name in ("t.parquet", "t.feather"):
        assert_frame_equal(read_table(tmp_path / name).frame, wanted)
        assert_frame_equal(pl.concat(read_chunks(tmp_path / name, 2)), wanted)


class OnlyCapsule:
    """Knows nothing but the Arrow interface."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def test_any_dataframe():
    columns = {"n": [1.5, 2.5, 3.5], "s": ["a", "b", "c"]}
    arrow = pa.table(columns)
    for source in (pl.DataFrame(columns), pl.LazyFrame(columns), pd.DataFrame(columns), arrow, OnlyCapsule(arrow),
                   columns, {"n": np.array(columns["n"]), "s": np.array(columns["s"], dtype=object)}):  # fmt: skip
        assert_frame_equal(read_table(source).frame, pl.DataFrame(columns))


def test_pandas_oddities():
    frame = pd.DataFrame(
        {
            "mixed": [1, "two", None],
            "category": pd.Categorical(["u", None, "v"]),
            "int": pd.array([1, None, 3], dtype="Int64"),
            "when": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
            7: [True, False, True],
        },
        index=[9, 9, 9],
    )
    read = read_table(frame).frame
    assert read.columns == ["mixed", "category", "int", "when", "7"]
    assert read["mixed"].to_list() == ["1", "two", None]
    assert read["category"].to_list() == ["u", None, "v"]
    assert read["int"].to_list() == [1, None, 3]
    assert read["when"].dtype.is_temporal()


def refused(source):
    with pytest.raises(UserError) as caught:
        read_table(source)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_no_such_file_offers_the_nearest(tmp_path):
    (tmp_path / "adult.csv").write_text("a,b\n1,2\n")
    assert '"adult.csv"' in refused(tmp_path / "adlt.csv")


def test_directory_empty_and_header_only(tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    assert "in.csv" in refused(tmp_path)
    for name, content in (("e.csv", b""), ("w.csv", b" \n\n"), ("m.csv", b"\xef\xbb\xbf")):
        (tmp_path / name).write_bytes(content)
        assert "empty" in refused(tmp_path / name)
    (tmp_path / "h.csv").write_text("a,b\n")
    assert "no rows" in refused(tmp_path / "h.csv")


def test_files_that_are_not_what_their_name_says(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.csv", "w") as archive:
        archive.writestr("inner.csv", "a,b\n1,2\n")
    (tmp_path / "p.csv").write_bytes(b"\x89PNG\r\n\x1a\n0000")
    (tmp_path / "t.parquet").write_text("a,b\n1,2\n")
    FRAME.write_parquet(tmp_path / "q.csv")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and nothing more")
    (tmp_path / "b.csv").write_bytes(bytes(range(256)) * 20)
    assert "zip" in refused(tmp_path / "z.csv")
    assert "PNG" in refused(tmp_path / "p.csv")
    assert "not parquet" in refused(tmp_path / "t.parquet")
    assert "parquet" in refused(tmp_path / "q.csv")
    assert "cannot be read" in refused(tmp_path / "b.parquet")
    assert "binary" in refused(tmp_path / "b.csv")


def test_broken_gzip(tmp_path):
    whole = gzip.compress(written(cells(FRAME)).encode() * 1000)
    (tmp_path / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "t.csv.gz")


def test_column_names_must_differ(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,a\n1,2,3\n")
    assert '"a"' in refused(tmp_path / "t.csv")
    assert '"a"' in refused(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_one_column_only_and_too_many_cells(tmp_path):
    (tmp_path / "one.csv").write_text("a\n1\n2\n")
    assert "one column" in refused(tmp_path / "one.csv")
    (tmp_path / "long.csv").write_text("a,b\n1,2\n3,4,5\n")
    assert "line 3" in refused(tmp_path / "long.csv")


def test_what_is_no_table_at_all():
    assert "int came" in refused(7)
    assert "equally long" in refused({"a": [1, 2], "b": [1]})


def test_chunks_are_the_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b\n" + "".join(f"{i};x{i % 3}\n" for i in range(1000)))
    pieces = list(read_chunks(path, 300))
    assert [piece.height for piece in pieces] == [300, 300, 300, 100]
    assert_frame_equal(pl.concat(pieces), read_table(path).frame)


def test_chunks_need_memory_for_one_piece(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1234567890,abcdefghij\n" * 200_000)
    tracemalloc.start()
    rows = sum(piece.height for piece in read_chunks(path, 1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 200_000
    assert peak < 3_000_000  # the file has 4.4 million bytes


def test_leading_zeros_survive_reading(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("zip,y\n01234,1\n56789,2\n")
    table = read_table(path)
    assert taken_for(table.frame["zip"]).kind is Kind.CATEGORY
