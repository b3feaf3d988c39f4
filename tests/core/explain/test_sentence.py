"""The sentence of an event: sigma, the longest stretch outside the band, and what is said when a sensor stayed inside it."""

from __future__ import annotations

import numpy as np
import pytest

from core.explain.sentence import Excursion, event_sentence, excursion

MINUTES = np.datetime64("2026-01-01T00:00") + np.arange(40) * np.timedelta64(1, "m")


def around(start: int = 10, stop: int = 24, value: float = 64.0):
    values = np.full(40, 50.0)
    values[start:stop] = value
    inside = np.zeros(40, dtype=bool)
    inside[15:20] = True
    return values, inside


def test_the_issue_s_sentence_word_for_word() -> None:
    """Mean 50, standard deviation 5, band 40 to 60; 64 for 14 minutes is 2.8 sigma."""
    values, inside = around()
    found = excursion(values, inside, 50.0, 5.0, 40.0, 60.0, MINUTES)
    assert (found.sigma, found.n_outside, found.seconds) == (pytest.approx(2.8), 14, 14 * 60)
    assert (
        str(event_sentence("X3 (bar)", found, "X7", is_clock=True, unexpected=None))
        == "X3 (bar) +2.8 sigma for 14 min; next: X7"
    )


def test_the_stretch_may_begin_before_the_event_but_has_to_meet_it() -> None:
    values, inside = around()
    values[15] = 50.0  # inside its band for one row: two stretches, 10 to 14 before the event and 16 to 23
    assert excursion(values, inside, 50.0, 5.0, 40.0, 60.0, MINUTES).n_outside == 8
    values[15:24] = 50.0
    before = excursion(values, inside, 50.0, 5.0, 40.0, 60.0, MINUTES)
    assert before.n_outside == 0 and before.sigma == 0


def test_a_fall_has_a_minus_and_rows_stand_for_time_where_there_is_no_clock() -> None:
    values, inside = around(15, 16, 30.0)
    found = excursion(values, inside, 50.0, 5.0, 40.0, 60.0)
    assert str(event_sentence("p", found, None, is_clock=False, unexpected=None)) == "p -4.0 sigma for 1 row"


def test_within_the_band_it_says_what_is_odd_all_the_same() -> None:
    found = Excursion(1.2, 0)
    assert "within its normal band, but -5.5 sigma from what the other sensors say" in str(
        event_sentence("p", found, "q", is_clock=True, unexpected=-5.51)
    )
    assert str(event_sentence("p", found, None, is_clock=True, unexpected=None)) == "p +1.2 sigma, within its normal band"


def test_a_sensor_without_values_has_no_sigma() -> None:
    values, inside = around()
    found = excursion(np.full(40, np.nan), inside, 50.0, 5.0, 40.0, 60.0, MINUTES)
    assert np.isnan(found.sigma) and found.n_outside == 0
    assert str(event_sentence("p", found, None, is_clock=True, unexpected=None)).startswith("p – sigma")
    assert np.isnan(excursion(values, inside, 50.0, 0.0, 40.0, 60.0).sigma)


def test_the_last_row_lasts_one_usual_step_and_a_gap_is_no_part_of_it() -> None:
    values, inside = around(38, 40)
    inside[39] = True
    assert excursion(values, inside, 50.0, 5.0, 40.0, 60.0, MINUTES).seconds == 120
    late = MINUTES.copy()
    late[24:] += np.timedelta64(5, "h")
    values, inside = around()
    assert excursion(values, inside, 50.0, 5.0, 40.0, 60.0, late).seconds == 14 * 60
