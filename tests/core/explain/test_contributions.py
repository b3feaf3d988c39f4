"""Sensors of an event: shares, deviations in column units and the normal band."""

import numpy as np
import pandas as pd
import pytest

from core.anomalies.events import make_events
from core.explain.contributions import by_column, event_sensors, normal_band


@pytest.fixture
def table():
    values = np.column_stack([np.linspace(0, 100, 1001), np.full(1001, 7.0)])
    return pd.DataFrame(values, columns=["pressure", "speed"], index=pd.RangeIndex(1001, name="row"))


def test_band_is_the_half_and_ninety_nine_and_a_half_percent_quantile(table):
    band = normal_band(table, ["pressure", "speed"], {"pressure": "bar"})
    assert (band.low[0], band.centre[0], band.high[0]) == pytest.approx((0.5, 50.0, 99.5))
    assert (band.low[1], band.high[1]) == (7.0, 7.0)
    assert band.units == ("bar", "")


def test_event_sensors_have_shares_deviation_and_band(table):
    band = normal_band(table, ["pressure", "speed"], {"pressure": "bar"})
    table = table.copy()
    table.loc[500:502, "pressure"] = [40.0, 130.0, 60.0]
    parts = np.zeros((1001, 2))
    parts[500:503] = [[3.0, 1.0]] * 3
    (event,) = make_events(np.where(parts[:, 0] > 0, 2.0, 0.0), 1.0, np.arange(1001))
    first, second = event_sensors(event, parts, table, band)
    assert (first.column, first.share, first.deviation, first.unit) == ("pressure", 0.75, 80.0, "bar")
    assert (first.normal_low, first.normal_high) == pytest.approx((0.5, 99.5))
    assert (second.share, second.deviation) == (0.25, 0.0)


def test_a_fall_has_a_negative_deviation(table):
    band = normal_band(table, ["pressure"])
    table = table.copy()
    table.loc[10, "pressure"] = -60.0
    (event,) = make_events(np.array([2.0]), 1.0, np.array([10]))
    (sensor,) = event_sensors(event, np.ones((1001, 1)), table, band)
    assert sensor.deviation == pytest.approx(-110.0)


def test_shares_sum_to_one_for_any_contributions(table):
    rng = np.random.default_rng(5)
    band = normal_band(table, ["pressure", "speed"])
    (event,) = make_events(np.full(3, 2.0), 1.0, np.arange(3))
    sensors = event_sensors(event, rng.exponential(size=(1001, 2)), table, band)
    assert sum(s.share for s in sensors) == pytest.approx(1)


def test_an_empty_column_has_no_band_and_no_deviation(table):
    table = table.assign(gone=np.nan)
    band = normal_band(table, ["gone"])
    (event,) = make_events(np.array([2.0]), 1.0, np.array([4]))
    (sensor,) = event_sensors(event, np.ones((1001, 1)), table, band)
    assert (sensor.deviation, sensor.normal_low, sensor.normal_high) == (None, None, None)


def test_an_event_without_contributions_names_nobody(table):
    (event,) = make_events(np.array([2.0]), 1.0, np.array([4]))
    assert event_sensors(event, np.zeros((1001, 2)), table, normal_band(table, ["pressure", "speed"])) == ()


def test_one_hot_features_are_summed_to_their_column():
    parts = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert by_column(parts, ["a", "tool", "tool", "x"], ["tool", "a"]).tolist() == [[5.0, 1.0]]


def test_an_empty_training_part_has_no_band():
    band = normal_band(pd.DataFrame({"a": np.array([], float)}), ["a"])
    assert np.isnan(band.low).all()
