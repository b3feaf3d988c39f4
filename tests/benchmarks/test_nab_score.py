"""The Numenta score by hand, and a published detector's published figure from its published rule."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy.detectors import first_alarms
from benchmarks.accuracy.nab_score import ScoredFile, nab_scores, probation, row_values


def weight(x: float) -> float:
    return 2 / (1 + math.exp(5 * x)) - 1


def test_a_file_by_hand() -> None:
    scores = np.zeros(100)
    scores[3] = 0.9  # within the first 15 rows: does not count
    scores[54] = 0.8  # the window's fifth of ten rows
    scores[56] = 0.7  # later in the same window: the earlier one counts
    scores[62] = 0.6  # three rows behind the window, whose length less one is nine
    scores[20] = 0.5  # before the first window
    file = ScoredFile(scores, ((50, 59),))
    hit, behind = weight(-0.6) / weight(-1), weight(3 / 9)
    value, window = row_values(file)
    assert value[[54, 62, 20]].tolist() == pytest.approx([hit, behind, -1.0])
    assert window[[49, 50, 59, 60]].tolist() == [-1, 0, 0, -1]
    # The best threshold keeps the hit alone; a window caught at its first row and nothing else would be 100.
    assert nab_scores([file]) == pytest.approx(
        {"standard": 100 * (hit + 1) / 2, "low_fp": 100 * (hit + 1) / 2, "low_fn": 100 * (hit + 2) / 3}
    )


def test_a_false_alarm_above_the_hit_costs_its_weight() -> None:
    scores = np.zeros(100)
    scores[[20, 50]] = 0.9, 0.8
    found = nab_scores([ScoredFile(scores, ((50, 59),))])
    assert found["standard"] == pytest.approx(100 * (2 - 0.11) / 2)
    assert found["low_fp"] == pytest.approx(100 * (2 - 0.22) / 2)


def test_nothing_reported_is_zero_and_every_window_at_its_start_is_a_hundred() -> None:
    quiet, right = np.zeros(200), np.zeros(200)
    right[[80, 150]] = 1.0
    windows = ((80, 89), (150, 159))
    assert nab_scores([ScoredFile(quiet, windows)])["standard"] <= 0 + 1e-9
    assert nab_scores([ScoredFile(right, windows)]) == pytest.approx({"standard": 100.0, "low_fp": 100.0, "low_fn": 100.0})


def test_the_first_rows_of_long_files_that_do_not_count() -> None:
    assert [probation(n) for n in (1000, 4032, 5000, 22_695)] == [150, 604, 750, 750]


def test_a_score_is_reported_when_it_is_above_those_before_it() -> None:
    assert first_alarms(np.array([1.0, 3.0, 2.0, 3.0, 4.0, 1.0, 2.0]), 2).tolist() == [1.0, 3.0, 0.0, 0.0, 4.0, 0.0, 0.0]


def windowed_gaussian(values: np.ndarray) -> np.ndarray:
    """The benchmark's own simple detector: 1 − the tail probability under a normal distribution of the last 6,400 values.

    The window grows value by value, and then moves on by a hundred at a time.
    """
    scores, start, end, waiting = np.zeros(len(values)), 0, 0, 0
    mean, sd = 0.0, 1.0
    for i, value in enumerate(values):
        if end:
            scores[i] = 1 - 0.5 * math.erfc(abs(value - mean) / sd / math.sqrt(2))
        waiting += 1
        if end - start < 6400 or waiting == 100:
            start, end = (start, end + 1) if end - start < 6400 else (start + 100, end + 100)
            waiting = 0
            mean, sd = values[start:end].mean(), values[start:end].std() or 1e-6
    return np.round(scores, 12)  # the digits that the benchmark's files keep


@pytest.mark.slow
def test_the_published_figures_of_the_windowed_gaussian_detector_come_out(shared_data: Path) -> None:
    folder = shared_data / "nab"
    files = []
    for name, windows in json.loads((folder / "labels" / "combined_windows.json").read_text()).items():
        table = pd.read_csv(folder / "data" / f"{name}.gz", parse_dates=["timestamp"])
        times = pd.Index(table["timestamp"])
        places = tuple((int(np.argmax(times == pd.Timestamp(a))), int(np.argmax(times == pd.Timestamp(b)))) for a, b in windows)
        files.append(ScoredFile(windowed_gaussian(table["value"].to_numpy(dtype=np.float64)), places))
    published = json.loads((folder / "peer_results" / "final_results.json").read_text())["windowedGaussian"]
    found = nab_scores(files)
    assert found["standard"] == pytest.approx(published["standard"], abs=0.01)
    assert found["low_fp"] == pytest.approx(published["reward_low_FP_rate"], abs=0.01)
    assert found["low_fn"] == pytest.approx(published["reward_low_FN_rate"], abs=0.01)
