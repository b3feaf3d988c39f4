"""Each defect of a number column is found where it was put, and clean columns of many kinds are graded A."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.core.screening.columns import CLEAN, N, column, one, reason, screened, timed


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
