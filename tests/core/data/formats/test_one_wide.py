"""One wide file alone becomes long: series told by their columns' names, facts repeated, the cycle found."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from core.data.formats.combining import combine_files
from core.data.formats.one_wide import looks_wide, numbered
from core.data.formats.records import Combination, SourceOptions
from core.data.options import ReadOptions
from core.errors import DataProblem
from tests.core.data.formats.making import rows_of


def turned(
    folder: Path, content: str, name: str = "press.csv", read: ReadOptions | None = None, **source: Any
) -> tuple[Combination, list[tuple[Any, ...]]]:
    path, place, table = folder / name, folder / "place", folder / "long.parquet"
    path.write_text(content, encoding="utf-8")
    place.mkdir()
    options = SourceOptions(combine="wide", **source)
    made = combine_files([str(path)], [name], str(place), str(table), read or ReadOptions(), options)
    return made, rows_of(table)


def names(made: Combination) -> list[str]:
    return [c.name for c in made.reading.columns]


def said(made: Combination, code: str) -> str:
    return next((str(f.message) for f in made.reading.findings if f.code == code), "")


@pytest.mark.parametrize(
    ("columns", "ends"),
    [
        (["part", *(f"t{k}" for k in range(1, 41)), "ok"], ("t1", "t40")),
        ([str(k) for k in range(40)], ("0", "39")),
        (["lot", *(f"x_{k}" for k in range(40))], ("x_0", "x_39")),
        ([f"x_{k}" for k in sorted(range(40), key=str)], ("x_0", "x_39")),  # an export in alphabetical order
        ([f"t{k}" for k in range(1, 10)], ()),  # too few to say so
        ([f"t{k}" for k in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)], ()),
        (["time", "machine", *(f"s{k}" for k in range(1, 22))], ()),  # each row is a step already
        ([*(f"a{c}" for c in "bcdefghijklmnopqrstu"), *(f"t{k}" for k in range(1, 13))], ()),
        ([], ()),
    ],
)
def test_a_wide_file_is_told_by_its_column_names(columns: list[str], ends: tuple[str, ...]) -> None:
    found = looks_wide(columns)
    assert found[:1] + found[-1:] == ends


def test_numbered_columns_become_steps_and_the_others_facts(tmp_path: Path) -> None:
    made, rows = turned(tmp_path, "part,lot,p_0,p_1,p_2,ok\nA1,L1,1,2,3,yes\nA2,L1,4,5,,no\n")
    assert names(made) == ["part", "step", "press", "lot", "ok"]
    assert rows == [
        ("A1", 0.0, 1.0, "L1", "yes"),
        ("A1", 1.0, 2.0, "L1", "yes"),
        ("A1", 2.0, 3.0, "L1", "yes"),
        ("A2", 0.0, 4.0, "L1", "no"),
        ("A2", 1.0, 5.0, "L1", "no"),
    ]
    assert {c.name: c.role for c in made.reading.columns} | {"ok": ""} == {
        "part": "group",
        "step": "time",
        "press": "sensor",
        "lot": "ignore",
        "ok": "",
    }
    assert "lot, ok" in said(made, "wide_facts") and "1 step without any value" in said(made, "empty_steps")


def test_several_series_are_several_sensors_whatever_the_order_of_their_columns(tmp_path: Path) -> None:
    rng = random.Random(2)
    columns = [f"{s}_{k}" for s in ("pressure", "temp") for k in range(12)]
    values = {(c, row): rng.randrange(1000) / 8 for c in columns for row in range(30)}
    shuffled = sorted(columns)  # pressure_1, pressure_10, pressure_11, pressure_2, …
    lines = [",".join(str(values[c, row]) for c in shuffled) for row in range(30)]
    made, rows = turned(tmp_path, ",".join(shuffled) + "\n" + "\n".join(lines) + "\n")
    assert names(made) == ["cycle", "step", "pressure", "temp"]
    wanted = [
        (row + 1.0, float(k), values[f"pressure_{k}", row], values[f"temp_{k}", row]) for row in range(30) for k in range(12)
    ]
    assert rows == wanted


def test_a_file_of_numbers_without_names(tmp_path: Path) -> None:
    made, rows = turned(tmp_path, "1.5\t2\t3\t4\n5\t6\t7\t8\n9\t1\t2\t3\n", "PS1.txt")
    assert names(made) == ["cycle", "step", "PS1"] and made.reading.questions == ()
    assert [row[2] for row in rows] == [1.5, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]


def test_columns_named_by_their_time(tmp_path: Path) -> None:
    made, rows = turned(tmp_path, "shot,0.0,0.5,1.0,1.5\n7,1,2,3,4\n9,5,6,7,8\n", "force.csv")
    assert names(made) == ["shot", "step", "force"]
    assert [(row[0], row[2]) for row in rows][3:5] == [(7.0, 4.0), (9.0, 5.0)]


def test_a_key_and_names_without_numbers(tmp_path: Path) -> None:
    made, rows = turned(tmp_path, "start,middle,end,tray,who\n1,2,3,T1,Kim\n4,5,6,T2,Kim\n", key="tray")
    assert names(made) == ["tray", "step", "press", "who"]
    assert [row[:3] for row in rows] == [
        (t, float(k), v) for t, vs in (("T1", (1, 2, 3)), ("T2", (4, 5, 6))) for k, v in enumerate(vs)
    ]


def test_shorter_series_are_facts_and_that_is_said(tmp_path: Path) -> None:
    made, _ = turned(tmp_path, "dim_1,dim_2,dim_3,s1,s2,s3,s4\n1,2,3,4,5,6,7\n1,2,3,4,5,6,8\n")
    assert names(made) == ["cycle", "step", "press", "dim_1", "dim_2", "dim_3"]
    assert "'dim_1' to 'dim_3'" in said(made, "fewer_steps") and made.reading.outcome == "warn"


def test_a_rejected_line_does_not_keep_the_others_from_being_turned(tmp_path: Path) -> None:
    made, rows = turned(tmp_path, "part,s1,s2,s3\nA,1,2,3\nB,4,5,6\nTotal,5,7,9\n")
    assert len(rows) == 6 and made.reading.lines.rejected == 1 and "totals" in {f.code for f in made.reading.findings}


@pytest.mark.parametrize(
    ("content", "source", "words"),
    [
        ("part,a,b\nA,1,2\nB,3,4\n", {}, "at least 3"),
        ("part,who\nA,x\nB,y\n", {}, "at least 3"),
        ("part,s1,s2,s3\nA,1,x,3\nB,4,y,6\n", {}, "'s2' of 'press' is not a number"),
        ("part,s1,s2,s3\nA,1,2,3\nB,4,5,6\n", {"key": "shot"}, "no column 'shot'"),
        ("part,s1,s2,s3\nA,1,2,3\nA,4,5,6\n", {"key": "part"}, "'part' does not have another value"),
    ],
)
def test_what_cannot_be_turned_is_refused(tmp_path: Path, content: str, source: dict[str, Any], words: str) -> None:
    with pytest.raises(DataProblem, match=words):
        turned(tmp_path, content, **source)


def test_names_are_numbered_by_their_last_number() -> None:
    assert numbered(["P1_0", "P1_1", "P1_2", "P2_0", "P2_1"]) == {"P1": ["P1_0", "P1_1", "P1_2"]}
    assert numbered(["x1", "x01", "x2", "x3"]) == {}  # The same number twice: no order to tell.
