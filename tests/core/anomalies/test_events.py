"""Events: joining, ranking, ties, groups and gaps."""

import numpy as np
import pandas as pd
import pytest

from core.anomalies.events import make_events, sensor_shares
from core.anomalies.thresholds import choose_threshold


def events_of(scores, **options):
    return make_events(np.array(scores, float), 1.0, np.arange(len(scores)), **options)


def test_runs_of_flags_become_events_ranked_by_severity():
    found = events_of([0, 2, 3, 0, 0, 9, 0, 4, 4])
    assert [(e.number, e.first_row, e.last_row, e.peak_row, e.n_rows, e.severity) for e in found] == [
        (1, 5, 5, 5, 1, 9.0),
        (2, 7, 8, 7, 2, 4.0),
        (3, 1, 2, 2, 2, 3.0),
    ]


@pytest.mark.parametrize(("gap", "n"), [(0, 3), (1, 2), (2, 1), (3, 1)])
def test_gaps_up_to_the_rule_are_joined(gap, n):
    found = events_of([2, 0, 2, 0, 0, 2], join_gap_rows=gap)
    assert len(found) == n


def test_joined_event_counts_flagged_rows_only():
    (event,) = events_of([2, 0, 5, 0, 2], join_gap_rows=1)
    assert (event.first_row, event.last_row, event.n_rows, event.peak_row) == (0, 4, 3, 2)


def test_a_score_at_the_threshold_is_not_an_event():
    assert events_of([1.0, 1.0]) == ()
    assert len(events_of([1.0, np.nextafter(1.0, 2)])) == 1


def test_events_agree_with_the_flags_of_the_threshold():
    rng = np.random.default_rng(0)
    scores = rng.exponential(size=2000)
    threshold = choose_threshold(scores[:500], rate=0.05)
    found = make_events(scores, threshold, np.arange(2000))
    assert sum(e.n_rows for e in found) == threshold.flags(scores).sum()
    assert all(e.severity > 1 for e in found)
    assert [e.number for e in found] == list(range(1, len(found) + 1))


def test_an_event_never_spans_two_groups():
    found = events_of([2, 2, 2, 2], groups=np.array(["a", "a", "b", "b"]), join_gap_rows=5)
    assert sorted((e.first_row, e.last_row, e.group) for e in found) == [(0, 1, "a"), (2, 3, "b")]


def test_a_file_with_the_newest_row_first_has_the_same_events():
    scores = np.zeros(1000)
    scores[100:110], scores[700:705] = 5, 6
    times = pd.Series(pd.date_range("2026-01-01", periods=1000, freq="min"))
    usual = make_events(scores, 1.0, np.arange(1000), times=times, join_gap_rows=24)
    turned = make_events(scores, 1.0, np.arange(1000)[::-1], times=times, join_gap_rows=24)
    assert [(e.first_row, e.last_row, e.n_rows) for e in turned] == [(295, 299, 5), (890, 899, 10)]
    assert [(e.began, e.ended, e.n_rows) for e in turned] == [(e.began, e.ended, e.n_rows) for e in usual]


def test_gaps_are_counted_in_rows_of_the_group_where_machines_take_turns():
    # Rows 0, 2, 4 … belong to one machine, rows 1, 3, 5 … to the other.
    rows, groups = np.r_[np.arange(0, 100, 2), np.arange(1, 100, 2)], np.repeat(["a", "b"], 50)
    scores = np.zeros(100)
    scores[[10, 20]] = 5
    (event,) = make_events(scores, 1.0, rows, groups=groups, join_gap_rows=9)
    assert (event.first_row, event.last_row, event.n_rows, event.group) == (20, 40, 2, "a")


def test_rows_that_could_not_be_scored_are_gaps():
    assert len(events_of([2, np.nan, 2])) == 2
    assert len(events_of([2, np.nan, 2], join_gap_rows=1)) == 1


def test_times_give_the_period_and_a_missing_time_falls_back_to_the_row():
    times = pd.Series(pd.to_datetime(["2026-01-01 00:00", "2026-01-01 00:01", None]))
    (event,) = events_of([2, 2, 2], times=times)
    assert event.began == pd.Timestamp("2026-01-01 00:00")
    assert event.ended == 2


def test_cycle_counters_stay_numbers():
    (event,) = events_of([2, 2], times=np.array([7.0, 8.0]))
    assert (event.began, event.ended) == (7.0, 8.0)


def test_threshold_of_zero_has_no_severity_and_still_ranks():
    found = make_events(np.array([1.0, -1.0, 3.0]), 0.0, np.arange(3))
    assert [(e.severity, e.peak) for e in found] == [(None, 3.0), (None, 1.0)]


def test_ties_keep_the_order_of_rows():
    assert [e.first_row for e in events_of([3, 0, 3, 0, 3])] == [0, 2, 4]


def test_nothing_above_the_threshold_gives_no_event():
    assert events_of([]) == ()
    assert events_of([0.0, np.nan]) == ()


def test_shares_sum_to_one_largest_first():
    shares = sensor_shares(np.array([[1.0, 3.0, 0.0], [2.0, 2.0, 0.0]]), ["a", "b", "c"])
    assert [(s.column, s.share) for s in shares] == [("b", 0.625), ("a", 0.375), ("c", 0.0)]


def test_one_enormous_row_does_not_speak_for_the_whole_event():
    shares = sensor_shares(np.array([[1e9, 0.0], [0.0, 1.0], [0.0, 1.0]]), ["a", "b"])
    assert shares[0].column == "b"


def test_without_contributions_there_are_no_shares():
    assert sensor_shares(np.zeros((2, 3)), ["a", "b", "c"]) == ()
    assert sensor_shares(np.full((2, 3), np.nan), ["a", "b", "c"]) == ()


def test_events_carry_the_shares_of_their_own_rows():
    parts = np.array([[9.0, 1.0], [0.0, 0.0], [0.0, 5.0]])
    found = events_of([3, 0, 2], contributions=parts, names=["a", "b"])
    assert [e.sensors[0].column for e in found] == ["a", "b"]
