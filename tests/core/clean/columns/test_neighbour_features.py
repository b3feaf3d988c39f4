"""Lags, differences, rolling statistics and vibration figures against pandas and SciPy, by group, in time order, causal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import signal, stats

from core.clean import Cleaned, FittedRecipe
from core.clean.columns.spectral import figures
from core.data.dataset import Column
from core.errors import SettingProblem

Fit = Callable[..., FittedRecipe]
Clean = Callable[..., Cleaned]
COLUMNS = (Column("unit", "text", "group"), Column("clock", "time", "time"), Column("p", "number", unit="bar", upper_limit=9.0))
EVERY_STATISTIC = ["mean", "sd", "minimum", "maximum", "median", "slope"]


def table(n: int = 240, seed: int = 1) -> pd.DataFrame:
    """Two units whose rows are mixed, out of time order, with gaps in values and in time."""
    rng = np.random.default_rng(seed)
    seconds = np.cumsum(rng.integers(1, 9, n))
    made = pd.DataFrame(
        {
            "unit": rng.choice(["a", "b"], n),
            "clock": (pd.Timestamp("2024-05-01") + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us]"),
            "p": rng.normal(100, 5, n),
        }
    )
    made.loc[rng.random(n) < 0.1, "p"] = np.nan
    return made.iloc[rng.permutation(n)].reset_index(drop=True)


def by_group(made: pd.DataFrame, of: Callable[[pd.DataFrame], Any]) -> pd.Series:
    """An independent answer: each group sorted by time and handed to pandas, put back in the table's order."""
    ordered = made.sort_values("clock", kind="stable")
    parts = [pd.Series(np.asarray(of(part)), index=part.index) for _, part in ordered.groupby("unit")]
    return pd.concat(parts).sort_index()


def test_a_lag_by_hand(clean: Clean) -> None:
    made = pd.DataFrame({"unit": ["a", "b", "a", "b", "a"], "p": [1.0, 10.0, 2.0, 20.0, 4.0]})
    columns = [COLUMNS[0], COLUMNS[2]]
    done = clean("lag", made, columns, {"rows": [1, 2]})
    np.testing.assert_array_equal(done.table["p_lag1"], [np.nan, np.nan, 1.0, 10.0, 2.0])
    np.testing.assert_array_equal(done.table["p_lag2"], [np.nan, np.nan, np.nan, np.nan, 1.0])
    assert [str(note) for note in done.changes[0].notes] == [
        "4 rows at the beginning of their group stay empty: too few rows come before them."
    ]
    np.testing.assert_array_equal(clean("difference", made, columns).table["p_diff1"], [np.nan, np.nan, 1.0, 10.0, 2.0])


def test_lag_and_difference_equal_pandas(clean: Clean) -> None:
    made = table()
    pd.testing.assert_series_equal(
        clean("lag", made, COLUMNS, {"rows": [3]}).table["p_lag3"], by_group(made, lambda g: g["p"].shift(3)), check_names=False
    )
    found = clean("difference", made, COLUMNS, {"rows": [2]}).table["p_diff2"]
    pd.testing.assert_series_equal(found, by_group(made, lambda g: g["p"].diff(2)), check_names=False)


def test_unit_and_limits_stay_with_a_lag_and_only_the_unit_with_a_difference(fit: Fit) -> None:
    assert fit("lag", table(), COLUMNS).columns[-1] == Column("p_lag1", "number", unit="bar", upper_limit=9.0)
    assert fit("difference", table(), COLUMNS).columns[-1] == Column("p_diff1", "number", unit="bar")


@pytest.mark.parametrize("statistic", EVERY_STATISTIC)
def test_rolling_rows_equal_pandas_or_a_line_fitted_by_scipy(clean: Clean, statistic: str) -> None:
    made = table()
    width = 7
    found = clean("rolling", made, COLUMNS, {"width": width, "statistics": [statistic], "fewest": 2}).table.iloc[:, -1]
    short = {"sd": "std", "minimum": "min", "maximum": "max"}.get(statistic, statistic)

    def expected(part: pd.DataFrame) -> Any:
        rolled = part["p"].rolling(width, min_periods=2)
        values = rolled.apply(line) if statistic == "slope" else getattr(rolled, short)()
        return values.where(np.arange(len(part)) >= width - 1)

    def line(window: pd.Series) -> float:
        known = np.flatnonzero(np.isfinite(window))
        return float(stats.linregress(known, window.to_numpy()[known]).slope)

    pd.testing.assert_series_equal(found, by_group(made, expected), check_names=False, rtol=1e-9)


@pytest.mark.parametrize("statistic", EVERY_STATISTIC[:5])
def test_rolling_time_equals_pandas(clean: Clean, statistic: str) -> None:
    made = table()
    chosen = {"width": 60, "over": "time", "statistics": [statistic], "fewest": 3}
    found = clean("rolling", made, COLUMNS, chosen).table.iloc[:, -1]
    short = {"sd": "std", "minimum": "min", "maximum": "max"}.get(statistic, statistic)

    def expected(part: pd.DataFrame) -> Any:
        values = getattr(part.set_index("clock")["p"].rolling("60s", min_periods=3), short)()
        return values.where(values.index - values.index[0] >= pd.Timedelta("60s"))

    pd.testing.assert_series_equal(found, by_group(made, expected), check_names=False, rtol=1e-9)


def test_a_slope_over_time_is_per_second(clean: Clean) -> None:
    made = table()
    made["p"] = 3.0 + 0.25 * (made["clock"] - pd.Timestamp("2024-05-01")).dt.total_seconds()
    found = clean("rolling", made, COLUMNS, {"width": 60, "over": "time", "statistics": ["slope"]}).table["p_slope60"]
    assert found.notna().sum() > 200
    np.testing.assert_allclose(found.dropna(), 0.25, rtol=1e-9)


@pytest.mark.parametrize("spike", [1e4, 1e9, 1e15])
def test_a_spike_leaves_no_trace_once_it_has_left_the_window(clean: Clean, spike: float) -> None:
    values = np.random.default_rng(0).normal(0.001, 0.0001, 40)
    values[3] = spike
    found = clean("rolling", pd.DataFrame({"p": values}), [COLUMNS[2]], {"width": 5}).table
    windows = np.lib.stride_tricks.sliding_window_view(values, 5)[4:]
    np.testing.assert_allclose(found["p_mean5"].iloc[8:], windows.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(found["p_sd5"].iloc[8:], windows.std(axis=1, ddof=1), rtol=1e-7)


def test_a_stretch_of_time_needs_a_time_column(fit: Fit) -> None:
    with pytest.raises(SettingProblem, match="No column has the role 'time'.*count rows"):
        fit("rolling", table().drop(columns="clock"), [COLUMNS[0], COLUMNS[2]], {"over": "time"})


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("lag", {"rows": [1, 5]}),
        ("difference", {"rows": [3]}),
        ("rolling", {"width": 6, "statistics": EVERY_STATISTIC}),
        ("rolling", {"width": 40, "over": "time", "statistics": EVERY_STATISTIC}),
        ("spectral", {"width": 8, "rate": 10.0}),
        ("spectral", {"width": 8, "rate": 10.0, "every": 3}),
    ],
)
def test_what_comes_later_changes_nothing_before(fit: Fit, key: str, settings: dict[str, object]) -> None:
    made = table()
    made["p"] = made["p"].fillna(100.0)
    recipe = fit(key, made, COLUMNS, settings)
    cut = made["clock"].quantile(0.6)
    later = made.copy()
    later.loc[later["clock"] > cut, "p"] *= 1e6
    early = made["clock"] <= cut
    before, after = recipe.apply(made).table[early], recipe.apply(later).table[early]
    assert before.notna().sum().iloc[-1] > 50
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def test_vibration_figures_equal_scipy() -> None:
    rng = np.random.default_rng(4)
    rate, width = 1000.0, 128
    windows = rng.normal(2.0, 1.0, (5, width)) + np.sin(2 * np.pi * 125 * np.arange(width) / rate)
    edges = (0.0, 100.0, 250.0, 500.0)
    found = figures(windows, rate, edges)
    frequency, density = signal.periodogram(windows, rate, window="hann", detrend="constant", axis=1)
    for band, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        inside = (frequency >= low) & ((frequency < high) | ((high == 500.0) & (frequency == high)))
        np.testing.assert_allclose(found["band_power"][:, band], density[:, inside].sum(axis=1) * rate / width, rtol=1e-9)
    np.testing.assert_allclose(found["rms"], windows.std(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found["kurtosis"], stats.kurtosis(windows, axis=1, fisher=False), rtol=1e-12)
    np.testing.assert_allclose(
        found["crest_factor"], np.abs(windows - windows.mean(axis=1, keepdims=True)).max(axis=1) / windows.std(axis=1)
    )
    np.testing.assert_array_equal(found["peak_frequency"], frequency[density.argmax(axis=1)])


def test_a_square_wave_has_crest_factor_one_and_kurtosis_one_and_a_sine_root_two_and_one_and_a_half() -> None:
    square = np.tile([1.0, -1.0], 32)[None, :]
    sine = np.sin(2 * np.pi * 4 * np.arange(64) / 64)[None, :]
    assert figures(square, 64.0, (0.0, 32.0))["crest_factor"][0] == pytest.approx(1.0)
    assert figures(square, 64.0, (0.0, 32.0))["kurtosis"][0] == pytest.approx(1.0)
    assert figures(sine, 64.0, (0.0, 32.0))["crest_factor"][0] == pytest.approx(2**0.5)
    assert figures(sine, 64.0, (0.0, 32.0))["kurtosis"][0] == pytest.approx(1.5)


def test_a_constant_signal_has_no_kurtosis_and_a_gap_no_figures_at_all(clean: Clean) -> None:
    flat = figures(np.full((1, 16), 0.1), 16.0, (0.0, 8.0))
    assert flat["rms"][0] == 0.0 and flat["band_power"][0, 0] == 0.0
    assert np.isnan([flat["kurtosis"][0], flat["crest_factor"][0], flat["peak_frequency"][0]]).all()
    made = pd.DataFrame({"p": np.sin(np.arange(40.0))})
    made.loc[20, "p"] = np.nan
    done = clean("spectral", made, [COLUMNS[2]], {"width": 8, "rate": 100.0, "n_bands": 1})
    assert np.flatnonzero(done.table["p_rms"].isna()).tolist() == [*range(7), *range(20, 28)]
    assert [str(note) for note in done.changes[0].notes] == [
        "7 rows at the beginning of their group stay empty: too few rows come before them.",
        "8 rows of 'p' have an empty cell in their window and stay empty.",
    ]


def test_figures_that_are_made_every_few_rows_hold_until_the_next(fit: Fit) -> None:
    made = pd.DataFrame({"p": np.random.default_rng(0).normal(size=30)})
    each = fit("spectral", made, [COLUMNS[2]], {"width": 8, "rate": 100.0, "measures": ["rms"]}).apply(made).table["p_rms"]
    some = fit("spectral", made, [COLUMNS[2]], {"width": 8, "rate": 100.0, "measures": ["rms"], "every": 5}).apply(made).table
    np.testing.assert_array_equal(some["p_rms"][7:], np.repeat(each[7::5], 5)[:23])


def test_the_sampling_rate_comes_from_the_time_column(fit: Fit) -> None:
    made = pd.DataFrame(
        {
            "clock": pd.date_range("2024-05-01", periods=200, freq="4ms").astype("datetime64[us]"),
            "p": np.random.default_rng(0).normal(size=200),
        }
    )
    recipe = fit("spectral", made, COLUMNS[1:], {"width": 32, "n_bands": 2})
    assert [c.name for c in recipe.columns[-2:]] == ["p_0-62.5Hz", "p_62.5-125Hz"]
    assert [c.unit for c in recipe.columns[2:]] == ["bar", "", "", "Hz", "(bar)²", "(bar)²"]


@pytest.mark.parametrize("edges", [[0.0], [10.0, 10.0], [0.0, 60.0]])
def test_band_edges_rise_and_lie_below_half_the_rate(fit: Fit, edges: list[float]) -> None:
    with pytest.raises(SettingProblem, match="rising frequencies, at most half the sampling rate .50"):
        fit("spectral", table(), COLUMNS, {"rate": 100.0, "edges": edges})
