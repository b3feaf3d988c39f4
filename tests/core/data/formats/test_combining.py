"""Several files as one table: nothing lost, nothing doubled, and what does not match counted on both sides."""

from __future__ import annotations

import bisect
import csv
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.data.formats.combining import combine_files
from core.data.formats.records import Combination, SourceOptions, Unmatched
from core.data.options import ReadOptions
from core.errors import DataProblem, SettingProblem
from tests.core.data.formats.making import codes, rows_of, said, write_workbook


def combined(
    folder: Path, files: Mapping[str, str], read: ReadOptions | None = None, **source: Any
) -> tuple[Combination, list[tuple[Any, ...]]]:
    """Write the files and put them together: what was made, and all its rows."""
    paths = []
    for name, text in files.items():
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    return put_together(folder, paths, list(files), read, **source)


def put_together(
    folder: Path, paths: list[str], names: list[str], read: ReadOptions | None = None, **source: Any
) -> tuple[Combination, list[tuple[Any, ...]]]:
    work = folder / "work"
    work.mkdir()
    table = folder / "table.parquet"
    made = combine_files(paths, names, str(work), str(table), read or ReadOptions(), SourceOptions(**source))
    return made, rows_of(table)


def text(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


# Stacked


def test_files_are_stacked_by_name_and_keep_their_order(tmp_path: Path) -> None:
    made, rows = combined(
        tmp_path,
        {"b.csv": text("p,u", "1.5,20", "2.5,21"), "a.csv": text("u;p", "30;9,5", "31;8,5")},
        combine="stack",
    )
    assert rows == [("b", 1.5, 20.0), ("b", 2.5, 21.0), ("a", 9.5, 30.0), ("a", 8.5, 31.0)]
    assert [(c.name, c.role) for c in made.reading.columns] == [("file", "group"), ("p", "sensor"), ("u", "sensor")]
    lines = made.reading.lines
    assert lines.holds and (lines.total, lines.header, lines.accepted) == (6, 2, 4)
    assert made.head[0] == ("b", "1.5", "20")


def test_differing_columns_are_asked_for(tmp_path: Path) -> None:
    files = {"a.csv": text("p,t", "1,2", "3,4"), "b.csv": text("p,u", "5,x", "7,y")}
    made, rows = combined(tmp_path, files, combine="stack")
    assert made.reading.outcome == "ask"
    assert str(made.reading.questions[0].message) == "2 columns are not in every file: t, u. What becomes of them?"
    assert rows == [("a", 1.0, 2.0, None), ("a", 3.0, 4.0, None), ("b", 5.0, None, "x"), ("b", 7.0, None, "y")]
    (tmp_path / "all").mkdir()
    made, again = combined(tmp_path / "all", files, combine="stack", columns="all")
    assert not made.reading.questions and again == rows
    (tmp_path / "common").mkdir()
    assert combined(tmp_path / "common", files, combine="stack", columns="common")[1] == [
        ("a", 1.0),
        ("a", 3.0),
        ("b", 5.0),
        ("b", 7.0),
    ]


def test_files_without_a_common_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="no column in common"):
        combined(tmp_path, {"a.csv": text("p,q", "1,2", "3,4"), "b.csv": text("r,s", "1,2", "3,4")}, combine="stack")


def test_a_number_here_and_text_there_is_text_and_an_empty_column_is_neither(tmp_path: Path) -> None:
    files = {"a.csv": text("c,d", "12,", "7,"), "b.csv": text("c,d", "x1,5", "x2,6")}
    made, rows = combined(tmp_path, files, combine="stack")
    assert rows == [("a", "12", None), ("a", "7", None), ("b", "x1", 5.0), ("b", "x2", 6.0)]
    assert "mixed_files" in codes(made.reading)


def test_a_column_called_file_and_a_group_make_room(tmp_path: Path) -> None:
    rows = ["f1,L1,1.5", "f2,L1,2.5", "f1,L2,3.5", "f2,L2,4.5"]
    made, _ = combined(tmp_path, {"a.csv": text("file,lot,p", *rows), "b.csv": text("file,lot,p", *rows)}, combine="stack")
    roles = {c.name: c.role for c in made.reading.columns}
    assert roles["file_2"] == "group" and list(roles.values()).count("group") == 1


def test_rejected_rows_and_findings_name_their_file(tmp_path: Path) -> None:
    good = [f"{n},{n * 2}" for n in range(8)]
    made, rows = combined(tmp_path, {"a.csv": text("p,t", *good), "b.csv": text("p,t", *good, "1,2,3")}, combine="stack")
    assert len(rows) == 16 and made.reading.lines.rejected == 1 and made.reading.lines.holds
    assert str(made.reading.rejected[0].reason).startswith("b: ")
    assert said(made.reading, "rejected") == "b: 1 line was rejected."


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="b"):
        combined(tmp_path, {"a.csv": text("p,t", "1,2"), "b.csv": ""}, combine="stack")


def test_sheets_of_workbooks_are_stacked(tmp_path: Path) -> None:
    paths = [str(write_workbook(tmp_path / f"{n}.xlsx", {"S": [["p", "t"], [n, 2.5], [n, 3.5]]})) for n in (1, 2)]
    assert put_together(tmp_path, paths, ["1.xlsx", "2.xlsx"], combine="stack")[1] == [
        ("1", 1.0, 2.5),
        ("1", 1.0, 3.5),
        ("2", 2.0, 2.5),
        ("2", 2.0, 3.5),
    ]


def test_the_34_skab_files_stack_to_their_rows(tmp_path: Path, shared_data: Path) -> None:
    paths = sorted((shared_data / "skab").glob("*/[0-9]*.csv"))
    made, rows = put_together(tmp_path, [str(p) for p in paths], [f"{p.parent.name}/{p.name}" for p in paths], combine="stack")
    assert len(paths) == 34 and made.reading.n_rows == len(rows) == 37_401
    n_lines = sum(p.read_bytes().count(b"\n") for p in paths)
    assert made.reading.lines.total == n_lines == 37_401 + 34
    assert {row[0] for row in rows} == {f"{p.parent.name}/{p.stem}" for p in paths}
    assert {c.role for c in made.reading.columns if c.name in ("file", "datetime")} == {"group", "time"}
    with paths[20].open(encoding="utf-8") as file:
        wanted = [float(row["Pressure"]) for row in csv.DictReader(file, delimiter=";")]
    place = [c.name for c in made.reading.columns].index("Pressure")
    label = f"{paths[20].parent.name}/{paths[20].stem}"
    assert [row[place] for row in rows if row[0] == label] == wanted


# Joined


def test_a_join_on_a_key_counts_both_sides_and_keeps_every_row_of_the_first(tmp_path: Path) -> None:
    files = {
        "parts.csv": text("part,p", "A1,1.5", "A2,2.5", "A3,3.5", "A2,9.5"),
        "tests.csv": text("part,p,ok", "A2,0.5,yes", "A1,0.25,no", "A9,0.75,yes"),
    }
    made, rows = combined(tmp_path, files, combine="join", key="part")
    assert rows == [
        ("A1", 1.5, 0.25, "no"),
        ("A2", 2.5, 0.5, "yes"),
        ("A3", 3.5, None, None),
        ("A2", 9.5, 0.5, "yes"),
    ]
    assert [c.name for c in made.reading.columns] == ["part", "p", "p · tests", "ok"]
    assert made.unmatched == (Unmatched("tests", 1, 1),)
    assert said(made.reading, "unmatched_first").startswith("1 row of 'parts' has no partner in 'tests'")
    assert said(made.reading, "unmatched_other").startswith("1 row of 'tests' goes with no row of 'parts'")


def test_a_number_as_key_meets_the_same_number_as_text(tmp_path: Path) -> None:
    files = {"a.csv": text("id,p", "1,0.5", "2,1.5"), "b.csv": text("id,q", "1,x", "2,y", "3b,z")}
    assert combined(tmp_path, files, combine="join", key="id")[1] == [(1.0, 0.5, "x"), (2.0, 1.5, "y")]


def test_a_repeated_key_would_multiply_rows_and_is_refused(tmp_path: Path) -> None:
    files = {"a.csv": text("id,p", "1,0.5", "2,1.5"), "b.csv": text("id,q", "1,3", "1,4")}
    with pytest.raises(DataProblem, match="'id' is 1 in 2 rows of 'b'"):
        combined(tmp_path, files, combine="join", key="id")


def test_an_open_key_is_asked_for_times_first(tmp_path: Path) -> None:
    rows = [f"2024-01-01 00:00:0{n},{n},{n}.5" for n in range(5)]
    made, _ = combined(tmp_path, {"a.csv": text("time,n,p", *rows), "b.csv": text("time,n,q", *rows)}, combine="join")
    assert made.reading.outcome == "ask"
    assert [o.key for o, _ in made.reading.questions[0].options][0] == "time"  # type: ignore[attr-defined]
    with pytest.raises(DataProblem, match="'a' has no column 'x'"):
        (tmp_path / "x").mkdir()
        combined(tmp_path / "x", {"a.csv": text("n,p", "1,2"), "b.csv": text("n,q", "1,2")}, combine="join", key="x")


def test_the_nearest_time_within_the_tolerance(tmp_path: Path) -> None:
    files = {
        "fast.csv": text("time,p", *(f"2024-01-01 00:00:{s:02d},{s}" for s in range(0, 12, 2))),
        "slow.csv": text("time,q", "2024-01-01 00:00:01,10", "2024-01-01 00:00:06.5,65", "2024-01-01 00:01:00,99"),
    }
    made, rows = combined(tmp_path, files, combine="join", key="time", tolerance=1.5)
    # 0 → 1 (1 s); 2 → 1 (1 s); 4 → none (2.5 s); 6 → 6.5; 8 → 6.5 (1.5 s, just inside); 10 → none.
    assert [row[2] for row in rows] == [10.0, 10.0, None, 65.0, 65.0, None]
    assert made.unmatched == (Unmatched("slow", 2, 1),)


def test_the_nearest_row_is_that_of_a_plain_search(tmp_path: Path) -> None:
    rng = random.Random(5)
    left = [rng.uniform(0, 100) for _ in range(300)]
    right = sorted(rng.uniform(0, 100) for _ in range(80))
    files = {
        "a.csv": text("x,n", *(f"{x!r},{k}" for k, x in enumerate(left))),
        "b.csv": text("x,m", *(f"{x!r},{k}" for k, x in enumerate(right))),
    }
    _, rows = combined(tmp_path, files, combine="join", key="x", tolerance=0.8)
    for x, row in zip(left, rows, strict=True):
        place = bisect.bisect(right, x)
        near = min((abs(right[k] - x), k) for k in (place - 1, place) if 0 <= k < len(right))
        assert row[2] == (near[1] if near[0] <= 0.8 else None)


@pytest.mark.parametrize("numbers_here", [False, True])
def test_the_nearest_row_of_the_same_group_is_that_of_a_plain_search(tmp_path: Path, numbers_here: bool) -> None:
    rng = random.Random(11)
    machines = ["1", "2", "3", ""] if numbers_here else ["M1", "M2", "M3", ""]
    left = [(rng.choice(machines), rng.randrange(0, 400) / 4) for _ in range(400)]
    # Machine 3 is only in one file; of several rows at one time the last before and the first after count.
    right = [(rng.choice(machines[:2] + ["x", ""]), rng.randrange(0, 400) / 4) for _ in range(200)]
    files = {
        "a.csv": text("machine,x,n", *(f"{g},{x!r},{k}" for k, (g, x) in enumerate(left))),
        "b.csv": text("machine,x,m", *(f"{g},{x!r},{k}" for k, (g, x) in enumerate(right))),
    }
    made, rows = combined(tmp_path, files, combine="join", key="x", tolerance=0.8, within="machine")
    assert [c.name for c in made.reading.columns] == ["machine", "x", "n", "m"]
    assert {c.name: c.role for c in made.reading.columns}["machine"] == "group" and made.reading.questions == ()
    partners = set()
    for (group, x), row in zip(left, rows, strict=True):
        near = [(abs(t - x), t > x, -k if t <= x else k, k) for k, (g, t) in enumerate(right) if g == group != ""]
        best = min(near, default=None)
        wanted = best[3] if best is not None and best[0] <= 0.8 else None
        assert row[3] == wanted
        partners.add(wanted)
    assert len(partners - {None}) > 50
    assert made.unmatched == (Unmatched("b", sum(r[3] is None for r in rows), 200 - len(partners - {None})),)


def test_times_meet_within_their_lot_and_the_open_group_is_asked_for(tmp_path: Path) -> None:
    lots = ["A", "A", "B", "B"] * 5
    files = {
        "a.csv": text("lot,time,p", *(f"{g},2024-01-01 00:00:{k:02d},{k}" for k, g in enumerate(lots))),
        "b.csv": text("lot,time,q", *(f"{g},2024-01-01 00:00:{k:02d}.4,{k}" for k, g in enumerate(reversed(lots)))),
    }
    made, _ = combined(tmp_path, files, combine="join", key="time", tolerance=0.5)
    (question,) = made.reading.questions
    assert (made.reading.outcome, question.code) == ("ask", "within")
    found = []
    for number, (answer, _) in enumerate(question.options):
        (tmp_path / str(number)).mkdir()
        chosen = answer.within  # type: ignore[attr-defined]
        made, rows = combined(tmp_path / str(number), files, combine="join", key="time", tolerance=0.5, within=chosen)
        assert made.reading.questions == ()
        found.append((chosen, [c.name for c in made.reading.columns], [row[-1] for row in rows]))
    # Row k of the second file is 0.4 s after row k of the first, and of the other lot.
    assert found[0] == ("lot", ["lot", "time", "p", "q"], [None] * 20)
    assert found[1] == ("*", ["lot", "time", "p", "lot · b", "q"], [float(k) for k in range(20)])


def test_equal_keys_within_a_group_may_repeat_between_groups(tmp_path: Path) -> None:
    files = {
        "a.csv": text("machine,cycle,p", "M1,1,10", "M2,1,20", "M2,2,21"),
        "b.csv": text("machine,cycle,q", "M2,1,200", "M1,1,100", "M1,2,101"),
    }
    _, rows = combined(tmp_path, files, combine="join", key="cycle", within="machine")
    assert rows == [("M1", 1.0, 10.0, 100.0), ("M2", 1.0, 20.0, 200.0), ("M2", 2.0, 21.0, None)]
    (tmp_path / "twice").mkdir()
    files["b.csv"] += "M2,1,7\n"
    with pytest.raises(DataProblem, match="'cycle · machine' is 1 · M2 in 2 rows of 'b'"):
        combined(tmp_path / "twice", files, combine="join", key="cycle", within="machine")


def test_a_group_that_a_file_lacks_or_that_is_the_key_is_refused(tmp_path: Path) -> None:
    files = {"a.csv": text("k,g,p", "1,x,1", "2,y,2"), "b.csv": text("k,q", "1,1", "2,2")}
    with pytest.raises(DataProblem, match="no column 'g'"):
        combined(tmp_path, files, combine="join", key="k", within="g", tolerance=1.0)
    (tmp_path / "same").mkdir()
    with pytest.raises(SettingProblem, match="both the key and the group"):
        combined(tmp_path / "same", files, combine="join", key="k", within="k")


def test_a_tolerance_needs_times_or_numbers_and_a_join_two_files(tmp_path: Path) -> None:
    files = {"a.csv": text("k,p", "x,1", "y,2"), "b.csv": text("k,q", "x,1", "y,2")}
    with pytest.raises(DataProblem, match="'k' is not a time or number"):
        combined(tmp_path, files, combine="join", key="k", tolerance=1.0)
    (tmp_path / "one").mkdir()
    with pytest.raises(SettingProblem, match="One file was given to join"):
        combined(tmp_path / "one", {"a.csv": text("k,p", "x,1", "y,2")}, combine="join")


# Wide


def test_wide_files_without_header_become_long(tmp_path: Path) -> None:
    files = {
        "PS1.txt": "1.5\t2.5\t3.5\n4.5\t5.5\t6.5\n",
        "TS1.txt": "10\t20\t30\n40\t50\t60\n",
        "profile.txt": "3\t100\n20\t90\n",
    }
    made, rows = combined(tmp_path, files, ReadOptions(header=False), combine="wide")
    assert rows == [
        (1.0, 0.0, 1.5, 10.0, 3.0, 100.0),
        (1.0, 1.0, 2.5, 20.0, 3.0, 100.0),
        (1.0, 2.0, 3.5, 30.0, 3.0, 100.0),
        (2.0, 0.0, 4.5, 40.0, 20.0, 90.0),
        (2.0, 1.0, 5.5, 50.0, 20.0, 90.0),
        (2.0, 2.0, 6.5, 60.0, 20.0, 90.0),
    ]
    assert [(c.name, c.role) for c in made.reading.columns] == [
        ("cycle", "group"),
        ("step", "time"),
        ("PS1", "sensor"),
        ("TS1", "sensor"),
        ("profile_1", "ignore"),
        ("profile_2", "ignore"),
    ]


def test_cycles_of_different_length_lose_their_empty_steps_only(tmp_path: Path) -> None:
    files = {"a.csv": "part,s1,s2,s3\nA,1,2,3\nB,4,5,\nC,6,,\n", "b.csv": "part,s1,s2,s3\nA,1,2,3\nB,4,,\nC,6,,\n"}
    made, rows = combined(tmp_path, files, combine="wide")
    assert [row[:2] for row in rows] == [("A", 0), ("A", 1), ("A", 2), ("B", 0), ("B", 1), ("C", 0)]
    assert rows[4] == ("B", 1.0, 5.0, None)
    assert said(made.reading, "empty_steps") == "3 steps without any value were left out."


def test_cycles_are_joined_by_their_name_in_any_order(tmp_path: Path) -> None:
    files = {
        "a.csv": "part,s1,s2,s3\nA,1,2,3\nB,4,5,6\n",
        "b.csv": "part,s1,s2,s3\nB,40,50,60\nA,10,20,30\n",
        "f.csv": "part,ok\nB,0\nA,1\n",
    }
    _, rows = combined(tmp_path, files, combine="wide", key="part")
    assert rows[0] == ("A", 0.0, 1.0, 10.0, 1.0) and rows[5] == ("B", 2.0, 6.0, 60.0, 0.0)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("1,2,3\n", "has 1 rows, 'a' has 2"),
        ("1,2,3,4,5\n6,7,8,9,0\n", "has 5 columns, 'a' has 3|has 3 columns, 'b' has 5"),
        ("1,x,3\n4,y,6\n", "is not a number"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, second: str, words: str) -> None:
    with pytest.raises(DataProblem, match=words):
        files = {"a.csv": "1,2,3\n4,5,6\n", "c.csv": "1,2,3\n4,5,6\n", "b.csv": second}
        combined(tmp_path, files, ReadOptions(header=False), combine="wide")


def test_other_cycles_in_the_facts_are_refused(tmp_path: Path) -> None:
    files = {"a.csv": "part,s1,s2,s3\nA,1,2,3\nB,4,5,6\n", "f.csv": "part,ok\nA,0\nC,1\n"}
    with pytest.raises(DataProblem, match="The values of 'part' in 'f' are not those of 'a'"):
        combined(tmp_path, files, combine="wide", key="part")


def test_the_hydraulic_files_become_cycles_and_steps(tmp_path: Path, shared_data: Path) -> None:
    import gzip

    paths = sorted((shared_data / "hydraulic_1hz").glob("*.csv*"))
    made, rows = put_together(tmp_path, [str(p) for p in paths], [p.name for p in paths], combine="wide")
    assert made.reading.n_rows == len(rows) == 2_205 * 60
    names = [c.name for c in made.reading.columns]
    assert names[:3] == ["cycle", "step", "CE"] and "stable_flag" in names
    with gzip.open(shared_data / "hydraulic_1hz" / "TS3.csv.gz", "rt") as file:
        wanted = list(csv.reader(file))[1 + 1_234]
    place = names.index("TS3")
    found = [row for row in rows if row[0] == float(wanted[0])]
    assert [row[place] for row in found] == [float(v) for v in wanted[1:]]
    assert [row[1] for row in found] == [float(k) for k in range(60)]
