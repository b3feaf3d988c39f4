"""Parquet: the schema is kept, what a dataset does not know is said, and a file that is not whole is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.formats.parquet import preview_parquet
from core.errors import DataProblem
from tests.core.data.formats.making import codes, read_any, said

N = 6


def written(tmp_path: Path, columns: dict[str, pa.Array], **options: Any) -> Path:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def column_of(tmp_path: Path, array: pa.Array) -> tuple[list[Any], str, set[str]]:
    """One column beside an index: its values, its kind, and the codes of what was found about it."""
    _, reading, rows = read_any(written(tmp_path, {"n": pa.array(range(len(array))), "x": array}), tmp_path)
    kinds = {c.name: c.kind for c in reading.columns}
    return [row[1] for row in rows], kinds["x"], {f.code for f in reading.findings if f.column == "x"}


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.uint16(), pa.int32(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.float16()]
)
def test_numbers(tmp_path: Path, kind: pa.DataType) -> None:
    values = pa.array([0, 1, 2, None, 4, 5]).cast(pa.float64() if pa.types.is_floating(kind) else kind)
    assert column_of(tmp_path, values.cast(kind))[:2] == ([0.0, 1.0, 2.0, None, 4.0, 5.0], "number")


def test_whole_numbers_beyond_2_to_53_stay_exact_as_text(tmp_path: Path) -> None:
    values, kind, found = column_of(tmp_path, pa.array([2**53 + 1, -(2**60) - 1, None, 7], pa.int64()))
    assert (values, kind) == ([str(2**53 + 1), str(-(2**60) - 1), None, "7"], "text")
    assert "kept_as_text" in found
    assert column_of_second(tmp_path, pa.array([2**53, -(2**53), 0], pa.int64())) == ([2.0**53, -(2.0**53), 0.0], "number")


def column_of_second(tmp_path: Path, array: pa.Array) -> tuple[list[Any], str]:
    (tmp_path / "second").mkdir()
    return column_of(tmp_path / "second", array)[:2]


def test_nan_and_infinite_are_empty_and_infinite_is_counted(tmp_path: Path) -> None:
    values, _, found = column_of(tmp_path, pa.array([1.0, float("nan"), float("inf"), -float("inf"), None]))
    assert values == [1.0, None, None, None, None]
    assert "infinite" in found


def test_decimals_booleans_and_durations(tmp_path: Path) -> None:
    _, reading, rows = read_any(
        written(
            tmp_path,
            {
                "price": pa.array([Decimal("1.25"), None, Decimal("-3.10")], pa.decimal128(20, 2)),
                "ok": pa.array([True, False, None]),
                "took": pa.array([dt.timedelta(seconds=90), dt.timedelta(milliseconds=1500), None], pa.duration("ms")),
            },
        ),
        tmp_path,
    )
    assert rows == [(1.25, 1.0, 90.0), (None, 0.0, 1.5), (-3.1, None, None)]
    assert {"decimal", "boolean", "duration"} <= codes(reading)
    assert [c.unit for c in reading.columns] == ["", "", "s"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_in_every_unit(tmp_path: Path, unit: str) -> None:
    moments = [dt.datetime(2024, 2, 29, 12, 0, k) for k in range(4)]
    values, kind, _ = column_of(tmp_path, pa.array(moments, pa.timestamp(unit)))
    assert (values, kind) == (moments, "time")


def test_times_with_a_zone_are_utc_and_said(tmp_path: Path) -> None:
    moments = pa.array([dt.datetime(2024, 7, 1, 10, 0, k) for k in range(3)], pa.timestamp("us")).cast(
        pa.timestamp("us", "Europe/Berlin")
    )
    values, kind, found = column_of(tmp_path, moments)
    assert (values[2], kind) == (dt.datetime(2024, 7, 1, 10, 0, 2), "time")
    assert "time_zone" in found


def test_dates_clocks_and_dictionaries(tmp_path: Path) -> None:
    _, reading, rows = read_any(
        written(
            tmp_path,
            {
                "day": pa.array([dt.date(2024, 1, k) for k in (1, 2, 3)]),
                "clock": pa.array([dt.time(8, k) for k in (1, 2, 3)]),
                "lot": pa.array(["A", "B", "A"]).dictionary_encode(),
                "blank": pa.array(["", " ", "x"]),
                "nothing": pa.nulls(3),
            },
        ),
        tmp_path,
    )
    assert rows[1] == (dt.datetime(2024, 1, 2), "08:02:00", "B", None, None)
    assert [c.kind for c in reading.columns] == ["time", "text", "text", "text", "number"]


def test_nested_and_binary_columns_are_left_out_and_said(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "p": pa.array([1.0, 2.0]),
            "curve": pa.array([[1, 2], [3]]),
            "facts": pa.array([{"a": 1}, {"a": 2}]),
            "raw": pa.array([b"a", b"b"]),
        },
    )
    _, reading, rows = read_any(path, tmp_path)
    assert rows == [(1.0,), (2.0,)]
    assert [f.column for f in reading.findings if f.code == "left_out"] == ["curve", "facts", "raw"]
    assert said(reading, "left_out") == "Column 'curve' holds list<element: int64> and was left out."
    assert reading.outcome == "warn"


def test_a_file_of_nested_columns_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="No column of 'a.parquet' holds numbers, times or text"):
        read_any(written(tmp_path, {"curve": pa.array([[1, 2], [3]])}), tmp_path)


def test_odd_names_and_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    arrays = [pa.array([1.0, 2.0])] * 4
    pq.write_table(pa.Table.from_arrays(arrays, names=["a", 'q"uote', "", "a"]), path)
    opened, reading, rows = read_any(path, tmp_path)
    assert rows == [(1.0,) * 4, (2.0,) * 4]
    assert len({c.name for c in reading.columns}) == 4 and reading.columns[1].name == 'q"uote'
    assert preview_parquet(path, "a.parquet").names == tuple(c.name for c in reading.columns)
    assert opened.kind == "parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.float64())}), path)
    (tmp_path / "more").mkdir()
    with pytest.raises(DataProblem, match="'a.parquet' has no rows"):
        read_any(path, tmp_path / "more")


def test_order_and_count_survive_many_row_groups(tmp_path: Path) -> None:
    n = 250_000
    _, reading, rows = read_any(written(tmp_path, {"n": pa.array(range(n))}, row_group_size=7_000), tmp_path)
    assert reading.n_rows == reading.lines.total == reading.lines.accepted == n
    assert [row[0] for row in rows] == list(range(n))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    content = written(tmp_path, {"n": pa.array(range(5_000))}).read_bytes()
    (tmp_path / "b.parquet").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DataProblem, match="'b.parquet' is damaged or cut off"):
        read_any(tmp_path / "b.parquet", tmp_path)


def test_pages_that_cannot_be_unpacked_are_refused(tmp_path: Path) -> None:
    content = bytearray(written(tmp_path, {"n": pa.array([k * 0.37 for k in range(5_000)])}, compression="zstd").read_bytes())
    for k in range(4, 40):
        content[k] ^= 0xFF
    (tmp_path / "b.parquet").write_bytes(content)
    with pytest.raises(DataProblem, match="damaged"):
        read_any(tmp_path / "b.parquet", tmp_path)


def test_an_encrypted_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PARE" + bytes(100) + b"PARE")
    with pytest.raises(DataProblem, match="'a.parquet' is encrypted"):
        read_any(tmp_path / "a.parquet", tmp_path)
