"""A CSV that is written in parts reads as if written in one piece."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.workflows.csv_out import without_noise, write_csv, write_csv_parts

TIMES = pd.to_datetime(["2026-01-01 00:00:00", "2026-01-01 00:00:01", "2026-01-01 00:00:01.5"], format="ISO8601").astype(
    "datetime64[us]"
)
TABLE = pd.DataFrame(
    {
        "n": [1.0, np.nan, 2.5],
        "whole": [3.0, 4.0, np.nan],
        "when": TIMES,
        "flag": [True, False, True],
        "text": ["a", None, "=1+1"],
    }
)


def by_row() -> Iterator[pd.DataFrame]:
    for i in range(len(TABLE)):
        yield TABLE.iloc[i : i + 1]


def test_a_column_is_spelled_alike_from_its_first_row_to_its_last(tmp_path: Path) -> None:
    write_csv_parts(by_row, tmp_path / "parts.csv")
    assert (tmp_path / "parts.csv").read_text(encoding="utf-8").splitlines() == [
        '"n","whole","when","flag","text"',
        '1,3,"2026-01-01 00:00:00.000000",1,"a"',
        ',4,"2026-01-01 00:00:01.000000",0,',
        '2.5,,"2026-01-01 00:00:01.500000",1,"=1+1"',
    ]
    write_csv(TABLE, tmp_path / "whole.csv")
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "parts.csv").read_bytes()


def test_what_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    calls = []

    def failing() -> Iterator[pd.DataFrame]:
        calls.append(1)
        yield TABLE
        if len(calls) == 2:
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_csv_parts(failing, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_exported_texts_cannot_be_run_by_a_spreadsheet(tmp_path: Path) -> None:
    write_csv(
        pd.DataFrame({"=a": ["=1+1", "@x", "-x", "ok"], "n": [-3.2, 1.0, 2.0, 3.0]}), tmp_path / "x.csv", formula_safe=True
    )
    with (tmp_path / "x.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["'=a", "n"] and [r[0] for r in rows[1:]] == ["'=1+1", "'@x", "'-x", "ok"] and rows[1][1] == "-3.2"


def test_what_a_difference_leaves_of_rounding_is_not_written() -> None:
    measured = np.array([48.09, 48.102, np.nan])
    moved = np.abs(np.diff(measured))
    assert float(moved[0]) != 0.012, "a float has the noise"
    rounded = without_noise(moved, measured)
    assert float(rounded[0]) == 0.012 and np.isnan(rounded[1])
    assert float(without_noise(np.array([1e-7]), measured)[0]) == 1e-7, "what is small and real stays"
    assert without_noise(np.array([0.1]), np.zeros(2)).tolist() == [0.1]
