"""The screening of a whole table: columns and rows beside each other, groups, order, what the import said, and the record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.findings import Finding
from core.messages import msg
from core.screening import Screening, screen
from tests.core.screening.columns import N, column, reason, screened, timed
from tests.synthetic import as_dataset


def test_free_text_is_told_with_its_words_a_row_and_leaves_the_grade(tmp_path: Path) -> None:
    remarks = [f"bearing {k} of the left pump is hot" for k in range(N)]  # seven words; the number is none
    found = screened(
        tmp_path, timed({"remark": remarks, "note": remarks, "x": np.sin(np.arange(N))}), when="time", note="ignore"
    )
    told = column(found, "remark")
    assert [str(r.message) for r in told.reasons] == ["free text, about 7 words a row: text families can learn from it"]
    assert (told.reasons[0].code, told.reasons[0].fix, told.grade) == ("free_text", None, "A")
    assert column(found, "note").reasons == ()


def test_constant_empty_counter_and_serial_columns_are_to_be_ignored(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    table = timed(
        {
            "flat": 4.0,
            "empty": np.nan,
            "number": np.arange(N, dtype=float) + 17,
            "serial": [f"S{k:06d}" for k in range(N)],
            "same": "yes",
            "article": rng.choice([f"A{k}" for k in range(80)], N),
            "line": rng.choice(["L1", "L2"], N),
        }
    )
    found = screened(tmp_path, table, when="time")
    codes = {c.name: [r.code for r in c.reasons] for c in found.columns}
    assert codes == {
        "when": [], "flat": ["constant"], "empty": ["all_missing"], "number": ["id_like"], "serial": ["id_like"],
        "same": ["constant"], "article": ["many_values"], "line": [],
    }  # fmt: skip
    assert all(r.fix is not None and r.fix.role == "ignore" for c in found.columns for r in c.reasons)
    assert [c.value for c in column(found, "line").classes] in (["L1", "L2"], ["L2", "L1"])


def test_equal_and_converted_columns_are_named_on_the_later_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    celsius = rng.normal(80, 3, N)
    near = celsius + rng.normal(0, 0.3, N)
    table = timed({"celsius": celsius, "near": near, "fahrenheit": celsius * 1.8 + 32, "again": celsius})
    found = screened(tmp_path, table, when="time")
    assert str(reason(found, "again", "duplicate_column").message) == "equal to 'celsius' in every row"
    assert "says the same as 'celsius'" in str(reason(found, "fahrenheit", "duplicate_column").message)
    assert column(found, "celsius").reasons == () and column(found, "near").reasons == ()


def test_columns_alike_in_a_sample_but_not_in_all_rows_stay(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    a = rng.normal(0, 1, 10_000)
    b = a.copy()
    b[np.arange(1, 10_000, 5)] = rng.normal(0, 1, 2_000)  # the sample takes every fifth row from 0 on
    found = screened(tmp_path, timed({"a": a, "b": b}, 10_000), when="time")
    assert "duplicate_column" not in {r.code for r in column(found, "b").reasons}


def test_equal_rows_and_rows_equal_but_for_the_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    table = timed({"a": rng.normal(0, 1, N), "b": rng.normal(0, 1, N)})
    table.loc[101] = table.loc[100]
    table.loc[202, ["a", "b"]] = table.loc[200, ["a", "b"]].to_numpy()
    found = screened(tmp_path, table, when="time")
    by_code = {r.code: r for r in found.reasons}
    assert [p.first for p in by_code["double_rows"].places] == [101]
    assert [p.first for p in by_code["near_double_rows"].places] == [202]
    assert "'when'" in str(by_code["near_double_rows"].message)


def test_equal_rows_of_a_few_states_are_no_finding(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    table = pd.DataFrame({"a": rng.integers(0, 3, N).astype(float), "b": rng.choice(["x", "y"], N)})
    assert screened(tmp_path, table).reasons == ()


def test_control_shifts_and_capability(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    dataset = as_dataset(timed({"width": rng.normal(10, 0.1, N)}), tmp_path, when="time")
    width = dataset.columns[1]
    limited = type(width)(width.name, width.kind, width.role, "mm", 9.7, 10.0, 10.2)
    found = column(screen(dataset.with_columns([dataset.columns[0], limited])), "width")
    assert found.in_control is not None and found.in_control > 0.96
    assert found.shifts == 0
    assert found.ppk == pytest.approx(2 / 3, abs=0.04)  # 0.2 / (3 · 0.1)
    assert found.grade == "A"
    (told,) = found.reasons
    assert "% of the rows lie outside the specification limits" in str(told.message)


def test_an_unsorted_file_is_looked_at_in_order_of_time_and_told_in_rows_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(50, 2, N)
    x[1_800:] += 9
    order = rng.permutation(N)
    found = screened(tmp_path, timed({"x": x}).iloc[order].reset_index(drop=True), when="time")
    assert reason(found, "when", "unsorted").severity == "warn"
    place = reason(found, "x", "shift").places[0]
    assert place.start.startswith("2026-02-02 0")  # minute 1,800 is 06:00 of the second day
    assert order[place.first] == pytest.approx(1_800, abs=5)


def test_groups_that_start_again_have_no_common_level(tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    parts = [
        pd.DataFrame(
            {"unit": float(u), "cycle": np.arange(200.0), "wear": np.linspace(0, 4, 200) + rng.normal(u % 3, 0.1, 200)}
        )
        for u in range(20)
    ]
    found = screened(tmp_path, pd.concat(parts, ignore_index=True), unit="group", cycle="time")
    assert column(found, "wear").reasons == ()
    assert column(found, "wear").shifts is None and column(found, "wear").in_control is None
    assert column(found, "cycle").reasons == ()


def test_the_level_is_followed_within_each_machine(tmp_path: Path) -> None:
    """Two machines side by side, at different levels; from row 4,000 on, M1 alone stands 8 spreads higher in one column."""
    rng, n = np.random.default_rng(3), 8_000
    machine = np.where(np.arange(n) % 2 == 0, "M1", "M2")
    level = np.where(machine == "M1", 100.0, 140.0) + rng.normal(0, 1, n)
    jumped = level + 8 * ((machine == "M1") & (np.arange(n) >= 4_000))
    found = screened(tmp_path, timed({"machine": machine, "steady": level, "jumped": jumped}, n), machine="group", when="time")
    assert not column(found, "steady").reasons
    told = reason(found, "jumped", "shift")
    assert told.severity == "warn" and abs(told.places[0].first - 4_000) < 100
    both = screened(
        tmp_path, timed({"machine": machine, "both": level + 8 * (np.arange(n) >= 4_000)}, n), machine="group", when="time"
    )
    assert reason(both, "both", "shift").severity == "info", "so the process runs"


def test_ignored_columns_have_no_grade(tmp_path: Path) -> None:
    x = np.random.default_rng(14).normal(0, 1, N)
    x[1_000:] += 9
    found = screened(tmp_path, timed({"x": x}), when="time", x="ignore")
    assert (column(found, "x").grade, column(found, "x").reasons) == ("", ())


@pytest.mark.parametrize("n", [0, 1, 2, 11])
def test_very_short_tables_give_records_without_figures(tmp_path: Path, n: int) -> None:
    table = timed({"x": np.arange(n) * 1.5, "t": ["a"] * n}, n)
    found = screened(tmp_path, table, when="time")
    assert [c.name for c in found.columns] == ["when", "x", "t"]
    assert column(found, "x").shifts is None


def test_what_the_import_said_of_mixed_types_is_a_reason(tmp_path: Path) -> None:
    dataset = as_dataset(timed({"x": np.random.default_rng(1).normal(size=N)}), tmp_path, when="time")
    mixed = Finding("mixed", msg("'{column}' mixes numbers and texts.", column="x"), "x")
    (found,) = column(screen(dataset, [mixed]), "x").reasons
    assert (found.code, found.severity) == ("mixed_types", "warn")


def test_what_the_import_repaired_in_the_file_comes_before_anything_else(tmp_path: Path) -> None:
    dataset = as_dataset(timed({"x": np.random.default_rng(1).normal(size=N)}), tmp_path, when="time")
    said = [
        Finding("rejected", msg("2 lines were rejected.")),
        Finding("units_row", msg("The row below the header was read as units."), severity="info"),
        Finding("duplicate_name", msg("A name stood twice."), "x"),
    ]
    found = screen(dataset, said)
    assert [(r.code, r.severity) for r in found.reasons] == [("import_rejected", "warn")]
    assert [(r.code, r.severity) for r in column(found, "x").reasons] == [("duplicate_name", "info")]
    assert column(found, "x").grade == "A"


def test_progress_is_told_for_each_column_and_may_stop_the_work(tmp_path: Path) -> None:
    dataset = as_dataset(timed({"a": 1.0, "b": 2.0}), tmp_path, when="time")
    told: list[tuple[int, int]] = []
    screen(dataset, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screen(dataset, progress=stop)


def test_the_record_survives_json(tmp_path: Path) -> None:
    rng = np.random.default_rng(15)
    x = rng.normal(0, 1, N)
    x[:100] = np.nan
    x[rng.choice(N, 5)] = -999
    found = screened(tmp_path, timed({"x": x, "t": rng.choice(["a", "b"], N)}), when="time")
    again = Screening.from_json(json.loads(json.dumps(found.to_json())))
    assert again.to_json() == found.to_json()
    assert column(again, "x").grade == "C"
    with pytest.raises(ValueError, match="another format"):
        Screening.from_json({"format": 0})
