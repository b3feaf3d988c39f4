"""The time column: each kind of disorder is told with its place, and a clean clock is not told of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.screening import Reason, screen
from tests.synthetic import as_dataset


def told(folder: Path, times: pd.DatetimeIndex | np.ndarray) -> dict[str, Reason]:
    table = pd.DataFrame({"when": times, "x": np.random.default_rng(1).normal(size=len(times))})
    found = screen(as_dataset(table, folder, when="time"))
    return {r.code: r for r in found.columns[0].reasons}


def minutes(n: int = 2_000, start: str = "2026-01-12", every: str = "5min") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=n, freq=every)


def test_a_regular_clock_and_one_that_trembles_are_fine(tmp_path: Path) -> None:
    assert told(tmp_path, minutes()) == {}
    tremble = pd.to_timedelta(np.random.default_rng(2).integers(-5, 6, 2_000), unit="s")
    assert told(tmp_path, minutes() + tremble) == {}


def test_gaps_are_counted_and_the_longest_is_placed(tmp_path: Path) -> None:
    times = minutes().delete(np.r_[300:310, 900:1_000])
    found = told(tmp_path, times)["time_gap"]
    # Row 890 − 1 is the last before the longer gap: 10 rows left before it. 101 steps of 5 minutes are 8 h 25 min.
    assert str(found.message) == "2 gaps in time, the longest 8 h 25 min from 2026-01-15 02:55"
    assert (found.places[0].first, found.places[0].last) == (889, 890)


def test_double_stamps(tmp_path: Path) -> None:
    times = minutes().to_series().reset_index(drop=True)
    times[500] = times[499]
    found = told(tmp_path, pd.DatetimeIndex(times))["double_time"]
    assert str(found.message) == "1 row has the time of the row before it"
    assert found.places[0].first == 500


def test_a_clock_set_back_is_no_unsorted_file(tmp_path: Path) -> None:
    times = minutes().to_numpy().copy()
    times[1_000:] -= np.timedelta64(3, "h")
    found = told(tmp_path, times)
    assert str(found["clock_back"].message) == "the clock jumps back 1 time, at row 1,001 to 2026-01-15 08:20", (
        "rows count from 1"
    )
    assert "unsorted" not in found


def test_an_unsorted_file(tmp_path: Path) -> None:
    found = told(tmp_path, minutes().to_numpy()[np.random.default_rng(3).permutation(2_000)])
    assert set(found) == {"unsorted"}


def test_irregular_steps(tmp_path: Path) -> None:
    steps = np.random.default_rng(4).exponential(60, 2_000)
    found = told(tmp_path, pd.Timestamp("2026-01-12") + pd.to_timedelta(np.cumsum(steps), unit="s"))
    assert set(found) == {"irregular"}


@pytest.mark.parametrize(
    ("zone", "night"), [("Europe/Berlin", "2026-03-29"), ("America/New_York", "2026-03-08"), ("Australia/Sydney", "2026-10-04")]
)
def test_the_missing_hour_of_daylight_saving_time(tmp_path: Path, zone: str, night: str) -> None:
    times = pd.date_range(pd.Timestamp(night) - pd.Timedelta("3D"), periods=1_500, freq="5min", tz=zone).tz_localize(None)
    found = told(tmp_path, times)
    assert str(found["daylight_saving"].message).startswith(f"one hour is missing after {night} 01:55")
    assert "time_gap" not in found


@pytest.mark.parametrize(("zone", "night"), [("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-11-01")])
def test_the_repeated_hour_of_daylight_saving_time(tmp_path: Path, zone: str, night: str) -> None:
    times = pd.date_range(pd.Timestamp(night) - pd.Timedelta("3D"), periods=1_500, freq="5min", tz=zone).tz_localize(None)
    found = told(tmp_path, times)
    assert night in str(found["daylight_saving"].message)
    assert "clock_back" not in found and "unsorted" not in found


def test_a_missing_hour_on_another_day_is_a_gap(tmp_path: Path) -> None:
    times = minutes().delete(np.arange(600, 612))
    found = told(tmp_path, times)
    assert set(found) == {"time_gap"}


def test_a_counter_with_a_hole(tmp_path: Path) -> None:
    found = told(tmp_path, np.delete(np.arange(3_000.0), np.arange(1_000, 1_050)))
    assert str(found["time_gap"].message) == "1 gap in time: 51 from when 999"
