"""Tables read in parts, arrays that lie in files, and how a long work is told and stopped."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data import rows as rows_module
from core.data.room import ColumnsBehind, MappedArray, Room, save_array
from core.data.rows import FrameRows, MappedRows, ParquetRows, RowsWriter, take_rows


@pytest.fixture
def files(tmp_path: Path) -> tuple[pd.DataFrame, ParquetRows]:
    """1,000 rows in two files whose row groups end at different rows."""
    rng = np.random.default_rng(0)
    words = pd.Series(rng.choice(["x", "y"], 1_000), dtype="str")
    table = pd.DataFrame({"a": np.arange(1_000.0), "text": words, "b": rng.normal(size=1_000)})
    table[["a", "text"]].to_parquet(tmp_path / "one.parquet", index=False, row_group_size=130)
    table[["b"]].to_parquet(tmp_path / "two.parquet", index=False, row_group_size=170)
    where = {"a": tmp_path / "one.parquet", "b": tmp_path / "two.parquet", "text": tmp_path / "one.parquet"}
    return table, ParquetRows(where)


@pytest.mark.parametrize(("start", "stop"), [(0, 1_000), (0, 1), (129, 131), (340, 900), (999, 1_000), (500, 500)])
def test_any_rows_of_any_columns_come_as_they_were_written(files, start: int, stop: int) -> None:
    table, rows = files
    found = rows.read(["b", "text", "a"], start, stop)
    expected = table[["b", "text", "a"]].iloc[start:stop]
    assert list(found.index) == list(range(start, stop))
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True), check_exact=True)


def test_stretches_cover_every_row_once(files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "STRETCH_ROWS", 200)
    ends = list(files[1].stretches())
    assert ends[0][0] == 0 and ends[-1][1] == 1_000
    assert all(a[1] == b[0] for a, b in zip(ends, ends[1:], strict=False))
    assert len(ends) > 3


def test_single_rows_are_taken_by_number(files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "STRETCH_ROWS", 200)
    table, rows = files
    wanted = np.array([3, 259, 260, 998])
    for given in (rows, FrameRows(table)):
        assert take_rows(given, wanted, ["a"])["a"].tolist() == [3.0, 259.0, 260.0, 998.0]


def test_mapped_rows_are_changed_as_they_are_read(files) -> None:
    doubled = MappedRows(files[1], lambda part: part.assign(a=part["a"] * 2))
    assert doubled.read(["a"], 4, 6)["a"].tolist() == [8.0, 10.0]
    assert doubled.n_rows == 1_000


def test_what_is_written_in_parts_is_read_as_one(tmp_path: Path) -> None:
    writer = RowsWriter(tmp_path / "w.parquet")
    first = pd.DataFrame({"n": [1.0, np.nan], "t": pd.Series(["a", None], dtype="str")})
    second = pd.DataFrame({"n": [np.nan], "t": pd.Series([None], dtype="str")})
    for part in (first, second):
        writer.write(part)
    writer.close()
    found = ParquetRows(dict.fromkeys(("n", "t"), tmp_path / "w.parquet")).read()
    pd.testing.assert_frame_equal(found.reset_index(drop=True), pd.concat([first, second], ignore_index=True))


def test_an_array_in_a_file_holds_what_one_in_memory_would(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    array = Room(tmp_path / "room", most_bytes=0).array((500, 3), np.float32, np.nan)
    assert isinstance(array, MappedArray) and np.isnan(array[:]).all()
    values = rng.normal(size=(500, 3)).astype(np.float32)
    order = rng.permutation(500)
    array[order[:400]] = values[order[:400]]
    values[order[400:]] = np.nan
    np.testing.assert_array_equal(array[:], values)
    np.testing.assert_array_equal(array[np.array([[1, 2], [3, 3]])], values[np.array([[1, 2], [3, 3]])])
    np.testing.assert_array_equal(array[np.array([5, 7]), 1], values[[5, 7], 1])
    taken = array[2:4]
    taken[:] = 0
    np.testing.assert_array_equal(array[2:4], values[2:4])


def test_a_small_array_stays_in_memory(tmp_path: Path) -> None:
    assert isinstance(Room(tmp_path).array((10,), np.float64, 0.0), np.ndarray)
    assert isinstance(Room().array((10**6,), np.float64), np.ndarray)
    assert list(tmp_path.iterdir()) == []


def test_an_array_is_saved_as_npy(tmp_path: Path) -> None:
    array = Room(tmp_path / "room", most_bytes=0).array((250_001, 2), np.float32, 1.5)
    array[100_000:100_002] = [[1, 2], [3, 4]]
    save_array(tmp_path / "a.npy", array)
    found = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert found.shape == (250_001, 2) and found.dtype == np.float32
    np.testing.assert_array_equal(found, array[:])


def test_scattered_places_of_a_mapped_array_come_as_asked_however_many(tmp_path: Path) -> None:
    array = Room(tmp_path, most_bytes=0).array((5_000, 3), np.float32)
    assert isinstance(array, MappedArray)
    values = np.arange(15_000, dtype=np.float32).reshape(5_000, 3)
    array[:] = values
    places = np.random.default_rng(0).integers(0, 5_000, size=(4_000, 2))
    np.testing.assert_array_equal(array[places], values[places])
    np.testing.assert_array_equal(array[places[:, 0]], values[places[:, 0]])


def test_columns_behind_others_are_read_without_a_copy_of_the_whole(tmp_path: Path) -> None:
    base = Room(tmp_path, most_bytes=1).array((6, 4), np.float32)
    base[0:6] = np.arange(24, dtype=np.float32).reshape(6, 4)
    behind = ColumnsBehind(base, 3)
    assert behind.shape == (6, 1) and len(behind) == 6
    np.testing.assert_array_equal(behind[np.array([[5, 0], [1, 1]])][..., 0], [[23, 3], [7, 7]])
    np.testing.assert_array_equal(behind[2:4], [[11], [15]])
    with pytest.raises(TypeError, match="only read"):
        behind[0] = 1.0
