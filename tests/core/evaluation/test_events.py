"""Judging by whole events, by hand and against a slow, literal reading of the paper."""

import time

import numpy as np
import pytest

from core.evaluation import event_recall, usual_period, vus_pr


def literal_vus_pr(bad: np.ndarray, scores: np.ndarray, widest: int, n_thresholds: int = 250) -> float:
    """One threshold, one border and one row at a time, as the paper and the authors' package have it."""
    n, rows = len(bad), range(len(bad))
    events, start = [], None
    for i in [*rows, n]:
        inside = i < n and bool(bad[i])
        if inside and start is None:
            start = i
        if not inside and start is not None:
            events.append((start, i - 1))
            start = None
    falling = sorted(scores, reverse=True)
    thresholds = [falling[int(k)] for k in np.linspace(0, n - 1, n_thresholds)]
    areas = []
    for width in range(widest + 1):
        reach = width // 2
        label = [float(b) for b in bad]
        for first, last in events:
            for i in rows:
                away = first - i if i < first else i - last
                if 0 < away <= reach:
                    label[i] += (1 - away / width) ** 0.5
        label = [min(1.0, x) for x in label]
        spans: list[list[int]] = []
        for first, last in events:
            if spans and spans[-1][1] >= first - reach:
                spans[-1][1] = last + reach
            else:
                spans.append([first - reach, last + reach])
        area, before = 0.0, 0.0
        for threshold in thresholds:
            flagged = [s >= threshold for s in scores]
            true = sum(label[i] for i in rows if flagged[i])
            borders = sum(label[i] for i in rows if flagged[i] and not bad[i])
            positives = (sum(bad) + sum(bad) + borders) / 2
            caught = sum(any(flagged[max(0, a) : b + 1]) for a, b in spans) / len(spans)
            recall = min(1.0, true / positives) * caught
            area += (recall - before) * true / sum(flagged)
            before = recall
        areas.append(area)
    return float(np.mean(areas))


@pytest.mark.parametrize(("n", "widest", "n_events", "digits"), [(200, 12, 3, 9), (150, 30, 8, 1), (90, 7, 1, 0)])
def test_the_volume_equals_a_literal_reading_of_the_paper(n: int, widest: int, n_events: int, digits: int) -> None:
    rng = np.random.default_rng(n)
    bad = np.zeros(n, dtype=bool)
    for start in rng.integers(0, n - 10, n_events):
        bad[start : start + rng.integers(1, 10)] = True
    bad[-2:] = True  # an event at the end has one border only
    scores = np.round(rng.normal(size=n) + bad, digits)  # few digits: ties
    assert vus_pr(bad, scores, widest=widest).value == pytest.approx(literal_vus_pr(bad, scores, widest), abs=1e-12)


def test_without_borders_a_perfect_ranking_fills_the_volume() -> None:
    bad = np.arange(500) % 100 < 5
    assert vus_pr(bad, bad.astype(float), widest=0).value == pytest.approx(1.0)


def test_a_flag_just_before_an_event_counts_with_borders_only() -> None:
    bad = np.zeros(300)
    bad[100:110] = 1
    early = np.zeros(300)
    early[95:100] = 1.0
    assert vus_pr(bad, early, widest=20).value > 3 * vus_pr(bad, early, widest=0).value  # type: ignore[operator]


def test_thirty_thousand_rows_take_seconds_at_most() -> None:
    rng = np.random.default_rng(0)
    bad = np.zeros(30_000)
    for start in rng.integers(0, 29_000, 40):
        bad[start : start + 50] = 1
    began = time.perf_counter()
    vus_pr(bad, rng.normal(size=30_000) + bad, widest=300)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("truth", [[0, 0, 0], [1, 1, 1], [], [1, np.nan, 1]])
def test_one_kind_of_rows_has_no_volume(truth: list[float]) -> None:
    found = vus_pr(truth, np.arange(len(truth)))
    assert found.value is None
    assert str(found.why_not) == "Good and bad rows are both needed."


def test_events_caught_by_hand() -> None:
    truth = [0, 1, 1, 0, 1, 0, 0, 1, 1, 1]
    flags = [1, 0, 1, 1, 0, 0, 0, 1, 0, 0]
    found = event_recall(truth, flags)
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)
    assert event_recall([0, 0], [1, 0]).value is None
    assert event_recall([1, 1, 0, 0], [0, 0, 1, 1]).value == 0.0


def test_unknown_rows_are_left_out_of_events() -> None:
    assert event_recall([1, 1, np.nan, 0], [np.nan, 0, 1, 0]).value == 0.0


def test_the_period_of_a_wave_is_found_and_noise_without_a_peak_gets_the_usual_one() -> None:
    rows = np.arange(5000)
    assert usual_period(np.sin(2 * np.pi * rows / 48)) == 48
    assert usual_period(np.zeros(100)) == 125
    assert usual_period(np.sin(2 * np.pi * rows / 350)) == 125, "longer than the published rule looks"
    assert usual_period(np.linspace(0, 1, 5000)) == 125


def test_events_and_their_borders_end_with_their_machine() -> None:
    # Three machines, bad to the last row of one and from the first of the next: three events and not one.
    truth = np.array([0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1], dtype=float)
    groups = np.repeat([0, 1, 2], 4)
    flags = np.zeros(12)
    flags[2] = 1
    caught = event_recall(truth, flags, groups=groups)
    assert (caught.value, caught.n) == (1 / 3, 3)
    assert event_recall(truth, flags).n == 2
    # A flag on the first row of the second machine is in no border of the first machine's event, which ends before it.
    alone = np.array([0, 0, 0, 1, 0, 0, 0, 0], dtype=float)
    scores = np.array([0, 0, 0, 5, 6, 0, 0, 0], dtype=float)
    apart, together = vus_pr(alone, scores, widest=4, groups=np.repeat([0, 1], 4)), vus_pr(alone, scores, widest=4)
    assert apart.value is not None and together.value is not None and apart.value < together.value


def test_one_group_is_the_same_as_none() -> None:
    rng = np.random.default_rng(0)
    truth, scores = (rng.random(300) < 0.2).astype(float), rng.random(300)
    one = np.zeros(300)
    assert vus_pr(truth, scores, widest=20, groups=one) == vus_pr(truth, scores, widest=20)
    assert event_recall(truth, scores > 0.5, groups=one) == event_recall(truth, scores > 0.5)
