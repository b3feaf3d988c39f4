"""Every fix that the screening offers, done by the recipe, takes its reason away: the cleaned table is screened again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import core.screening
from core.clean import Recipe, fit_recipe
from core.data.dataset import Dataset
from core.data.split import TrainPart
from core.screening import Fix, Reason, screen
from core.workflows.screening import with_steps
from tests.core.screening.columns import CLEAN, N, timed
from tests.synthetic import as_dataset

Values = np.ndarray
Defect = Callable[[Values, np.random.Generator], "Values | list[str]"]


def at(places: object, value: object) -> Defect:
    """A defect that writes into some cells: `value` is a number, or a function of the column and these cells."""

    def put(x: Values, rng: np.random.Generator) -> Values:
        x = x.copy()
        x[places] = value(x, x[places]) if callable(value) else value
        return x

    return put


def noisy(part: slice, times: float) -> Defect:
    def put(x: Values, rng: np.random.Generator) -> Values:
        x = x.copy()
        step = np.abs(np.diff(x)).mean()
        x[part] += rng.normal(0, times * step, len(x[part]))
        return x

    return put


def clipped(low: float, high: float) -> Defect:
    return lambda x, rng: np.clip(x, *np.quantile(x, (low, high)))


def spread(n: int, value: object) -> Defect:
    return lambda x, rng: at(np.sort(rng.choice(len(x), n, replace=False)), value)(x, rng)


def up(times: float) -> Callable[[Values, Values], Values]:
    return lambda x, some: some + times * x.std()


def slow(rng: np.random.Generator, n: int) -> Values:
    """A wave of 60 times its noise: spikes may lie within its range."""
    return 20 * np.sin(np.arange(n) * 2 * np.pi / 300) + rng.normal(0, 0.3, n)


MAKE = CLEAN | {"slow": slow}
BROAD = ("normal", "ar_0.9", "counts", "daily")
SCALED = ("normal", "counts")
"""Columns whose level is not zero within their spread: only these show that a unit changes."""
DEFECTS: dict[str, tuple[tuple[str, tuple[str, ...], Defect], ...]] = {
    "missing_code": (
        ("rare", BROAD, spread(15, -999.0)),
        ("often", BROAD, spread(900, 9999.0)),
        ("near", ("normal",), lambda x, rng: at(slice(100, 400), 99.0)(x, rng)),
    ),
    "stuck": (
        ("once", BROAD, at(slice(1_200, 1_320), lambda x, some: some[0])),
        ("twice", BROAD, lambda x, rng: at(slice(50, 110), x[50])(at(slice(2_000, 2_400), x[77])(x, rng), rng)),
        ("at the end", BROAD, at(slice(2_900, N), lambda x, some: some[0])),
    ),
    "clipped": (
        ("above", ("normal", "ar_0.9", "daily"), clipped(0, 0.93)),
        ("below", ("normal", "ar_0.9", "daily"), clipped(0.05, 1)),
        ("both", ("normal", "ar_0.9"), clipped(0.04, 0.96)),
    ),
    "spikes": (
        ("out of range", BROAD, at([500, 1_500, 2_500], up(15))),
        ("within range", ("slow",), at([700, 1_900], lambda x, some: np.where(some > np.median(x), x.min(), x.max()))),
    ),
    "unit_change": (
        ("for good", SCALED, at(slice(2_100, N), lambda x, some: some * 10)),
        ("for a while", SCALED, at(slice(900, 1_500), lambda x, some: some * 25.4)),
        ("from the start", SCALED, at(slice(0, 800), lambda x, some: some / 1000)),
        ("with an offset", SCALED, at(slice(2_000, N), lambda x, some: some * 1.8 + 32)),
    ),
    "shift": (
        ("for good", BROAD, at(slice(1_800, N), up(3))),
        ("for a while", ("normal", "ar_0.9", "counts"), at(slice(1_000, 1_600), up(-4))),
        ("often", ("normal",), lambda x, rng: x + x.std() * np.repeat(rng.permutation(np.arange(10.0)) * 4, N // 10)),
    ),
    "drift": (("steady", BROAD, lambda x, rng: x + np.linspace(0, 6 * x.std(), N)),),
    "noise_change": (
        ("louder at the end", BROAD, noisy(slice(2_000, N), 4)),
        ("louder for a while", BROAD, noisy(slice(800, 1_300), 5)),
    ),
    "missing": (
        ("scattered", BROAD, spread(300, np.nan)),
        ("blocks", BROAD, at(np.r_[700:705, 900:904, 1_500:1_505], np.nan)),
        ("at both ends", ("normal",), at(np.r_[0:5, 1_000:1_003, 2_995:N], np.nan)),
        ("most of it", ("normal",), spread(2_400, np.nan)),
    ),
    "all_missing": (("empty", ("normal",), at(slice(None), np.nan)),),
    "constant": (("flat", ("normal",), at(slice(None), 4.0)), ("text", ("normal",), lambda x, rng: ["yes"] * len(x))),
    "id_like": (
        ("counter", ("normal",), lambda x, rng: np.arange(len(x)) + 17.0),
        ("serial", ("normal",), lambda x, rng: [f"S{k:06d}" for k in range(len(x))]),
    ),
    "many_values": (("articles", ("normal",), lambda x, rng: [f"A{k}" for k in rng.integers(0, 80, len(x))]),),
    "duplicate_column": (("twin", ("normal",), lambda x, rng: np.r_[0.0, np.cumsum(rng.normal(size=len(x) - 1))]),),
    "leak": (("tells all", ("normal",), lambda x, rng: x),),
    "group_leak": (),  # shown by tests/core/screening/test_target.py; its fix is that of "leak"
}
CASES = [
    pytest.param(code, name, make, id=f"{code}-{words.replace(' ', '_')}-{name}")
    for code, cases in DEFECTS.items()
    for words, names, make in cases
    for name in names
]


def with_defect(code: str, name: str, make: Defect, folder: Path, seed: int) -> Dataset:
    rng = np.random.default_rng([seed, 99])
    x = MAKE[name](rng, N)
    bad = make(x, rng)
    columns: dict[str, object] = {"x": bad, "other": rng.normal(3, 1, N)}
    roles = {}
    if code == "duplicate_column":
        columns = {"first": np.asarray(bad) * 2 + 1, "x": bad}
    if code == "leak":
        columns["y"], roles["y"] = np.asarray(bad) * 2 + 1, "target"
    folder.mkdir()
    return as_dataset(timed(columns), folder, when="time", **roles)


def reason_of(dataset: Dataset, code: str) -> Reason | None:
    column = next((c for c in screen(dataset).columns if c.name == "x"), None)
    return None if column is None else next((r for r in column.reasons if r.code == code and r.fix is not None), None)


def mended(dataset: Dataset, fix: Fix, folder: Path) -> Dataset:
    """The dataset after the fix: roles changed, the recipe fitted on the first 60 % of the rows, left-out rows gone."""
    folder.mkdir()
    columns = [replace(c, role=fix.role) if c.name == "x" and fix.role else c for c in dataset.columns]
    table = dataset.table()
    if fix.steps:
        recipe = with_steps(Recipe(), fix.steps)
        fitted = fit_recipe(recipe, TrainPart(table.iloc[: int(0.6 * N)], _made_by_split=True), columns)
        cleaned = fitted.apply(table, in_training=True)
        table, columns = cleaned.table[~cleaned.left_out].reset_index(drop=True), list(fitted.columns)
    made = as_dataset(table, folder)
    return made.with_columns([next(c for c in columns if c.name == name) for name in table.columns])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("code", "name", "make"), CASES)
def test_a_fix_takes_its_reason_away(code: str, name: str, make: Defect, seed: int, tmp_path: Path) -> None:
    dataset = with_defect(code, name, make, tmp_path / "before", seed)
    found = reason_of(dataset, code)
    assert found is not None and found.fix is not None
    after = mended(dataset, found.fix, tmp_path / "after")
    left = [r for c in screen(after).columns if c.name == "x" and c.role != "ignore" for r in c.reasons if r.code == code]
    assert [str(r.message) for r in left] == []


def test_every_reason_with_a_fix_is_among_these() -> None:
    folder = Path(core.screening.__file__).parent
    written = {c for path in folder.glob("*.py") for c in re.findall(r'Reason\(\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    without = {
        "clock_back", "daylight_saving", "double_time", "irregular", "time_gap", "unsorted",  # the file says so, not a cell
        "double_rows", "near_double_rows", "imbalance", "ppk",
        "free_text",  # no defect
    }  # fmt: skip
    assert written - without == set(DEFECTS)


def untouched(dataset: Dataset, fix: Fix, bad: slice, folder: Path) -> bool:
    """Whether the cells outside the defect are as they were."""
    after = mended(dataset, fix, folder).table()["x"].to_numpy()
    before = dataset.table()["x"].to_numpy()
    good = np.ones(N, dtype=bool)
    good[bad] = False
    return bool((after[good] == before[good]).all())


def test_a_stuck_stretch_is_emptied_and_nothing_else(tmp_path: Path) -> None:
    dataset = with_defect("stuck", "normal", DEFECTS["stuck"][0][2], tmp_path / "before", 1)
    found = reason_of(dataset, "stuck")
    assert found is not None and found.fix is not None
    assert found.fix.caution is None
    after = mended(dataset, found.fix, tmp_path / "after").table()["x"]
    assert np.flatnonzero(after.isna()).tolist() == list(range(1_200, 1_320))


def test_a_line_reaches_over_five_samples_and_longer_gaps_stay_empty_and_are_named(tmp_path: Path) -> None:
    empty = np.r_[100:105, 300:306, 700:1_000]
    dataset = with_defect("missing", "ar_0.9", at(empty, np.nan), tmp_path / "before", 1)
    found = reason_of(dataset, "missing")
    assert found is not None and found.fix is not None
    assert str(found.fix.title) == "Fill gaps of up to 5 rows along a straight line; longer ones stay empty"
    # 6 steps of 60 s lie between the neighbours of 5 missing rows; half as much again for a clock that ticks unevenly
    assert [s.settings for s in found.fix.steps] == [{"max_gap": 5, "max_gap_time": 540.0}]
    after = mended(dataset, found.fix, tmp_path / "after").table()["x"]
    assert np.flatnonzero(after.isna()).tolist() == [*range(300, 306), *range(700, 1_000)]


def test_no_line_is_offered_where_every_gap_is_longer_or_a_night_lies_in_between(tmp_path: Path) -> None:
    dataset = with_defect("missing", "ar_0.9", at(slice(700, 1_000), np.nan), tmp_path / "long", 1)
    assert reason_of(dataset, "missing") is None
    x = np.random.default_rng(2).normal(5, 1, N)
    x[np.r_[100, 1_500:1_502]] = np.nan
    table = timed({"x": x})
    table.loc[1_501:, "when"] += pd.Timedelta(hours=9)  # the plant stood still between the two empty rows
    (tmp_path / "night").mkdir()
    dataset = as_dataset(table, tmp_path / "night", when="time")
    (found,) = [r for r in next(c for c in screen(dataset).columns if c.name == "x").reasons if r.code == "missing"]
    assert found.fix is not None
    after = mended(dataset, found.fix, tmp_path / "after").table()["x"]
    assert np.flatnonzero(after.isna()).tolist() == [1_500, 1_501]


def test_states_that_come_back_are_kept_where_a_stuck_stretch_is_emptied(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(50, 2, 20_000)
    for start in range(1_000, 19_000, 3_000):
        x[start : start + 300] = 0.0  # six standstills
    x[5_500:5_700] = x[5_500]
    dataset = as_dataset(timed({"x": x}, 20_000), tmp_path, when="time")
    found = reason_of(dataset, "stuck")
    assert found is not None and found.fix is not None
    (step,) = found.fix.steps
    assert step.key == "repeated_to_missing"
    assert step.settings["kept"] == [0.0]


def test_a_unit_is_converted_back_to_that_of_most_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    right = rng.normal(80, 3, N)
    x = right.copy()
    x[900:1_500] = x[900:1_500] * 1.8 + 32
    dataset = as_dataset(timed({"x": x}), tmp_path, when="time")
    found = reason_of(dataset, "unit_change")
    assert found is not None and found.fix is not None and found.fix.caution is None
    after = mended(dataset, found.fix, tmp_path / "after").table()["x"].to_numpy()
    np.testing.assert_allclose(after, right, rtol=1e-5)


def test_an_open_end_converts_what_comes_later_too(tmp_path: Path) -> None:
    x = np.random.default_rng(5).normal(80, 3, N)
    x[2_100:] *= 10
    found = reason_of(as_dataset(timed({"x": x}), tmp_path, when="time"), "unit_change")
    assert found is not None and found.fix is not None
    (step,) = found.fix.steps
    assert step.settings == {"factor": 0.1, "start": "2026-02-02T11:00:00"}  # minute 2,100
    assert str(found.fix.title) == "Convert these rows back: × 0.1"


def test_what_may_be_real_says_when_not_to_and_what_has_no_clock_has_no_fix(tmp_path: Path) -> None:
    for code in ("shift", "drift", "noise_change", "clipped"):
        folder = tmp_path / code
        dataset = with_defect(code, "normal", DEFECTS[code][0][2], folder, 1)
        found = reason_of(dataset, code)
        assert found is not None and found.fix is not None
        assert found.fix.caution is not None and "leave it" in str(found.fix.caution)
        if code != "clipped":
            bare = folder / "bare"
            bare.mkdir()
            assert reason_of(as_dataset(dataset.table().drop(columns="when"), bare), code) is None


def test_targets_and_natural_ends_have_no_fix(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    share = np.clip(rng.normal(95, 5, N), 0, 100)
    y = np.minimum(rng.normal(50, 2, N), 53.0)
    found = screen(as_dataset(timed({"x": share, "y": y}), tmp_path, when="time", y="target"))
    reasons = {r.column: r for r in found.all_reasons() if r.code == "clipped"}
    assert set(reasons) == {"x", "y"}
    assert reasons["x"].fix is None and reasons["y"].fix is None


def test_a_drift_along_a_counter_is_corrected_to_the_cycle(tmp_path: Path) -> None:
    x = np.random.default_rng(7).normal(10, 1, N)
    x[1_000:1_500] += 5
    cycles = np.arange(N) * 0.1 + 0.05
    dataset = as_dataset(pd.DataFrame({"cycle": cycles, "x": x}), tmp_path, cycle="time")
    found = reason_of(dataset, "shift")
    assert found is not None and found.fix is not None
    (step,) = found.fix.steps
    assert float(str(step.settings["start"])) == cycles[1_000]
    assert step.settings["offset"] == pytest.approx(-5, abs=0.3)
