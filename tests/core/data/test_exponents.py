"""1E5 may be a part number: kept as text where the column's name says so, else a number with a word about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.exponents import names_codes
from core.data.options import Reading
from core.data.reading import read_file
from core.data.scanning import has_exponents


def read(folder: Path, name: str, cells: list[str]) -> tuple[Reading, pd.DataFrame]:
    path = folder / "a.csv"
    path.write_text("k," + name + "\n" + "".join(f"{k},{c}\n" for k, c in enumerate(cells)), encoding="utf-8")
    reading = read_file(path, folder / "a.parquet")
    assert reading.lines.holds
    return reading, pd.read_parquet(folder / "a.parquet")


def found(reading: Reading) -> dict[str, str]:
    return {f.code: str(f.message) for f in reading.findings if f.code in ("kept_as_text", "powers_of_ten")}


@pytest.mark.parametrize(
    "name", ["part", "Part No.", "serial", "id", "SKU", "article_code", "Teilenummer", "Artikel-Nr", "零件编号", "model"]
)
@pytest.mark.parametrize("cells", [["1E5", "12345", "3e10", "77"], ["1E5", "12E3", "3e10"], ["1E5", "NA", "2"]])
def test_codes_stay_as_they_are_written(tmp_path: Path, name: str, cells: list[str]) -> None:
    reading, table = read(tmp_path, name, cells)
    assert table[name].fillna("NA").tolist() == cells
    assert list(found(reading)) == ["kept_as_text"]
    assert reading.outcome == ("warn" if "NA" in cells else "load")


def test_without_such_a_name_they_are_numbers_and_their_lines_are_named(tmp_path: Path) -> None:
    reading, table = read(tmp_path, "pressure", ["12", "1E5", "12345", "3e10"])
    assert table["pressure"].tolist() == [12, 100_000, 12345, 3e10]
    assert reading.outcome == "warn" and "(lines 3, 5)" in found(reading)["powers_of_ten"]


@pytest.mark.parametrize(
    "cells",
    [
        ["1.2E-05", "1E-3", "3.0E+5"],
        ["1E5", "2.5", "3"],  # Decimals beside it.
        ["1E5", "-3", "4"],  # A sign beside it.
        ["1E5", "12.0", "3"],  # Decimals that are zero.
        ["1E+05", "2E+05", "3"],
        ["1E5", "1.2E5", "7"],
        ["-1E5", "3E5", "4"],
    ],
)
@pytest.mark.parametrize("name", ["pressure", "part"])
def test_measurements_are_silent_numbers(tmp_path: Path, name: str, cells: list[str]) -> None:
    reading, table = read(tmp_path, name, cells)
    assert table[name].tolist() == [float(c) for c in cells]
    assert found(reading) == {} and reading.outcome == "load"


def test_one_code_far_below_the_sample_is_found(tmp_path: Path) -> None:
    cells = [str(v) for v in np.random.default_rng(3).integers(1, 99_999, 30_000)]
    cells[25_000] = "4E7"
    reading, table = read(tmp_path, "part_id", cells)
    assert table["part_id"].tolist() == cells and "kept_as_text" in found(reading)
    reading, table = read(tmp_path, "torque", cells)
    assert table["torque"][25_000] == 4e7 and "(line 25002)" in found(reading)["powers_of_ten"]


def test_a_code_beyond_all_numbers_is_kept_too(tmp_path: Path) -> None:
    assert read(tmp_path, "part", ["1E999", "12"])[1]["part"].tolist() == ["1E999", "12"]
    reading, table = read(tmp_path, "v", ["1E999", "12"])
    assert np.isnan(table["v"][0]) and "infinite" in {f.code for f in reading.findings}


def test_what_makes_it_worth_looking() -> None:
    assert has_exponents(b"x\n12E3\n") and has_exponents(b"1e5") and has_exponents(b"1.2e05")
    assert not has_exponents(b"") and not has_exponents(b"E5,5E,name,1E-5,\xe9\n")
    assert not names_codes("pressure") and not names_codes("note") and names_codes("Serial")
