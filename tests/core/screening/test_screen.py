"""Each defect is found where it was put, and clean columns of many kinds are graded A."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from core.data.findings import Finding
from core.messages import msg
from core.screening import ColumnScreen, Reason, Screening, screen
from tests.synthetic import as_dataset

N = 3_000
Make = Callable[[np.random.Generator, int], np.ndarray]


def autoregressive(phi: float) -> Make:
    return lambda rng, n: lfilter([1], [1, -phi], rng.normal(size=n + 1_000))[1_000:]


CLEAN: dict[str, Make] = {
    "normal": lambda rng, n: rng.normal(50, 2, n),
    "rounded": lambda rng, n: rng.normal(50, 2, n).round(0),
    "ar_0.5": autoregressive(0.5),
    "ar_0.9": autoregressive(0.9),
    "uniform": lambda rng, n: rng.uniform(0, 1, n),
    "exponential": lambda rng, n: rng.exponential(3, n),
    "lognormal": lambda rng, n: rng.lognormal(0, 1, n),
    "gamma": lambda rng, n: rng.gamma(0.5, 2, n),
    "poisson": lambda rng, n: rng.poisson(3, n).astype(float),
    "counts": lambda rng, n: rng.poisson(40, n).astype(float),
    "integers": lambda rng, n: rng.integers(0, 100, n).astype(float),
    "zero_one": lambda rng, n: (rng.random(n) < 0.03).astype(float),
    "setpoints": lambda rng, n: rng.choice([10.0, 20.0, 30.0], n),
    "daily": lambda rng, n: np.sin(np.arange(n) * 2 * np.pi / 96) + 0.2 * rng.normal(size=n),
}


def screened(folder: Path, table: pd.DataFrame, **roles: str) -> Screening:
    return screen(as_dataset(table, folder, **roles))


def timed(values: dict[str, object], n: int = N) -> pd.DataFrame:
    return pd.DataFrame({"when": pd.Timestamp("2026-02-01") + pd.to_timedelta(np.arange(n), unit="min"), **values})


def column(found: Screening, name: str) -> ColumnScreen:
    return next(c for c in found.columns if c.name == name)


def reason(found: Screening, name: str, code: str) -> Reason:
    by_code = {r.code: r for r in column(found, name).reasons}
    assert code in by_code, f"{name}: {[str(r.message) for r in by_code.values()]}"
    return by_code[code]


def one(folder: Path, values: np.ndarray) -> Screening:
    return screened(folder, timed({"x": values}, len(values)), when="time")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [300, N, 20_000])
def test_clean_columns_are_graded_a_without_any_reason(tmp_path: Path, seed: int, n: int) -> None:
    rng = np.random.default_rng([seed, n])
    found = screened(tmp_path, timed({name: make(rng, n) for name, make in CLEAN.items()}, n), when="time")
    said = {c.name: [str(r.message) for r in c.reasons] for c in found.columns if c.reasons}
    assert said == {}
    assert {c.grade for c in found.columns} == {"A"}
    assert found.reasons == ()


@pytest.mark.parametrize("name", ["normal", "ar_0.9", "counts", "daily"])
@pytest.mark.parametrize("seed", range(3))
class TestFoundInPlace:
    """A defect in an otherwise clean column of each kind."""

    def values(self, name: str, seed: int) -> np.ndarray:
        return CLEAN[name](np.random.default_rng([seed, 99]), N)

    def test_codes(self, tmp_path: Path, name: str, seed: int) -> None:
        x = self.values(name, seed)
        at = np.sort(np.random.default_rng(seed).choice(N, 15, replace=False))
        x[at] = -999.0
        found = reason(one(tmp_path, x), "x", "missing_code")
        assert found.severity == "stop"
        assert str(found.message).startswith("-999 used as a code in 15 rows (0.5 %)")
        assert [p.first for p in found.places] == at.tolist()
        assert found.fix is not None
        assert [s.key for s in found.fix.steps] == ["iqr_outliers", "linear_fill"]

    def test_stuck(self, tmp_path: Path, name: str, seed: int) -> None:
        x = self.values(name, seed)
        x[1_200:1_320] = x[1_200]
        found = reason(one(tmp_path, x), "x", "stuck")
        assert (found.places[0].first, found.places[0].last) == pytest.approx((1_200, 1_319), abs=2)
        assert "for 2 h 0 min from 2026-02-01 20:0" in str(found.message) or "from 2026-02-01 19:59" in str(found.message)

    def test_spikes(self, tmp_path: Path, name: str, seed: int) -> None:
        x = self.values(name, seed)
        x[[500, 1_500, 2_500]] += 15 * x.std()
        found = reason(one(tmp_path, x), "x", "spikes")
        assert sorted(p.first for p in found.places) == [500, 1_500, 2_500]
        assert str(found.message).startswith("3 spikes")

    def test_level_shift(self, tmp_path: Path, name: str, seed: int) -> None:
        x = self.values(name, seed)
        x[1_800:] += 3 * x.std()
        whole = one(tmp_path, x)
        found = reason(whole, "x", "shift")
        assert column(whole, "x").shifts == 1
        assert found.places[0].first == pytest.approx(1_800, abs=40)
        assert column(whole, "x").grade == "B"

    def test_drift(self, tmp_path: Path, name: str, seed: int) -> None:
        x = self.values(name, seed)
        x += np.linspace(0, 5 * x.std(), N)
        assert "drifts by +" in str(reason(one(tmp_path, x), "x", "drift").message)

    def test_noise(self, tmp_path: Path, name: str, seed: int) -> None:
        x = self.values(name, seed)
        rng = np.random.default_rng(seed)
        x[2_000:] += rng.normal(0, 4 * np.abs(np.diff(x)).mean(), 1_000)
        found = reason(one(tmp_path, x), "x", "noise_change")
        assert found.places[0].first == pytest.approx(2_000, abs=100)

    def test_missing_block(self, tmp_path: Path, name: str, seed: int) -> None:
        x = self.values(name, seed)
        x[700:1_000] = np.nan
        found = reason(one(tmp_path, x), "x", "missing")
        assert (found.places[0].first, found.places[0].last) == (700, 999)
        assert str(found.message) == "10 % missing: one gap of 5 h 0 min from 2026-02-01 11:40"


def test_clipping_is_found_at_its_end_and_natural_ends_are_only_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(50, 2, N)
    found = screened(tmp_path, timed({"x": np.minimum(x, 53.0), "share": np.clip(rng.normal(95, 5, N), 0, 100)}), when="time")
    clipped = reason(found, "x", "clipped")
    assert (clipped.severity, "clipped at 53" in str(clipped.message)) == ("warn", True)
    told = reason(found, "share", "clipped")
    assert (told.severity, column(found, "share").grade, told.fix) == ("info", "A", None)
    assert "exactly at 100, the end of its range: this may be a natural limit" in str(told.message)


@pytest.mark.parametrize(("end", "n_at_end"), [(0.0, 900), (0.0, 2_400), (100.0, 2_400), (1.0, 600)])
def test_many_values_at_a_natural_end_carry_a_note_and_no_fault(tmp_path: Path, end: float, n_at_end: int) -> None:
    rng = np.random.default_rng(8)
    x = rng.uniform(20, 80, N) if end == 100 else rng.uniform(0.1, 0.9, N) if end == 1 else rng.uniform(0.01, 60, N)
    x[rng.choice(N, n_at_end, replace=False)] = end
    found = one(tmp_path, x)
    said = [str(r.message) for r in column(found, "x").reasons]
    assert column(found, "x").grade == "A"
    assert said == [
        f"{100 * n_at_end / N:.0f} % of the rows stand exactly at {end:g}, the end of its range: this may be a natural limit"
    ]


@pytest.mark.parametrize(
    ("factor", "offset", "words"),
    [(10.0, 0.0, "×10)"), (25.4, 0.0, "mm / inch"), (1000.0, 0.0, "×1000"), (0.001, 0.0, "×1000"), (1.8, 32.0, "°C / °F")],
)
def test_a_change_of_unit_is_found_with_its_factor(tmp_path: Path, factor: float, offset: float, words: str) -> None:
    x = np.random.default_rng(2).normal(80, 3, N)
    x[2_100:] = x[2_100:] * factor + offset
    found = reason(one(tmp_path, x), "x", "unit_change")
    assert words in str(found.message)
    assert found.places[0].first == pytest.approx(2_100, abs=5)
    assert found.severity == "stop"


def test_another_load_is_a_shift_and_no_unit(tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(80, 3, N)
    x[2_100:] += 35
    codes = {r.code for r in column(one(tmp_path, x), "x").reasons}
    assert "shift" in codes and "unit_change" not in codes


def test_zero_far_from_everything_is_a_question_and_a_count_from_zero_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    speed = rng.normal(1_500, 20, N)
    speed[rng.choice(N, 200, replace=False)] = 0.0
    found = screened(tmp_path, timed({"speed": speed, "count": rng.poisson(2, N).astype(float)}), when="time")
    asked = reason(found, "speed", "missing_code")
    assert (asked.severity, "standstill or a missing code?" in str(asked.message)) == ("warn", True)
    assert column(found, "count").reasons == ()


def test_several_columns_missing_together_are_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    table = timed({name: rng.normal(5, 1, N) for name in ("a", "b", "c")})
    table.loc[rng.choice(N, 300, replace=False), ["a", "c"]] = np.nan
    found = screened(tmp_path, table, when="time")
    assert str(reason(found, "a", "missing").message) == "10 % missing, scattered, together with 'c'"
    assert column(found, "b").reasons == ()


def test_grades_of_missing_shares(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    table = timed({f"p{k}": rng.normal(5, 1, N) for k in (5, 50, 400, 700)})
    for k in (5, 50, 400, 700):
        table.loc[rng.choice(N, N * k // 1000, replace=False), f"p{k}"] = np.nan
    found = screened(tmp_path, table, when="time")
    assert [column(found, f"p{k}").grade for k in (5, 50, 400, 700)] == ["A", "B", "C", "C"]
    fixes = [reason(found, f"p{k}", "missing").fix for k in (50, 700)]
    assert fixes[0] is not None and fixes[0].steps[0].key == "linear_fill"
    assert fixes[1] is not None and fixes[1].role == "ignore"


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
    import json

    again = Screening.from_json(json.loads(json.dumps(found.to_json())))
    assert again.to_json() == found.to_json()
    assert column(again, "x").grade == "C"
    with pytest.raises(ValueError, match="another format"):
        Screening.from_json({"format": 0})


def test_scale_and_unit_change_no_grade(tmp_path: Path) -> None:
    rng = np.random.default_rng(16)
    x = rng.normal(50, 2, N)
    x[2_000:] += 8
    x[[100, 300]] += 60
    codes = []
    for k, scale in enumerate((1.0, 1e-6, 1e6)):
        folder = tmp_path / str(k)
        folder.mkdir()
        codes.append({r.code for r in column(one(folder, x * scale), "x").reasons})
    assert codes[0] == codes[1] == codes[2] == {"spikes", "shift"}
