"""Which sensor comes first, held against pairs that follow each other by a known number of rows, and against pairs that do not."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.lead_lag import Lag, LeadLag, NoLag, confidence_of, lag_between, lead_lag
from core.anomalies.onset import NoOnset, Onset, find_onset
from core.messages import msg

PAIRS, ROWS = 100, 300


def _wander(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    x, e = np.zeros(n), rng.normal(size=n)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + e[i]
    return x / x.std()


def _pair(seed: int, phi: float, lag: int | None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    base = _wander(rng, ROWS + 60, phi)
    if lag is None:
        return base[30 : 30 + ROWS], _wander(rng, ROWS, phi)
    x, y = base[30 : 30 + ROWS], base[30 - lag : 30 - lag + ROWS]
    return x + 0.7 * rng.normal(size=ROWS), y + 0.7 * rng.normal(size=ROWS)


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.9])
@pytest.mark.parametrize("lag", [5, -8])
def test_a_lag_is_found_with_its_sign(phi: float, lag: int) -> None:
    found = [lag_between(*_pair(seed, phi, lag)) for seed in range(PAIRS)]
    told = [f for f in found if isinstance(f, Lag)]
    assert sum(f.rows == lag and f.differs for f in told) >= 0.95 * PAIRS
    assert all(f.by == "correlation" and -30 < f.low <= f.rows <= f.high < 30 for f in told)


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.9])
@pytest.mark.parametrize("lag", [0, None])
def test_sensors_that_move_at_once_or_not_together_have_no_order(phi: float, lag: int | None) -> None:
    found = [lag_between(*_pair(seed, phi, lag)) for seed in range(PAIRS)]
    assert sum(isinstance(f, Lag) and f.differs for f in found) <= 0.05 * PAIRS
    if lag is None:
        assert sum(isinstance(f, Lag) for f in found) <= 0.08 * PAIRS, "95 in 100, with the chance of 100 pairs"


@pytest.mark.parametrize("lag", [30, -30, 34])
def test_a_lag_at_the_edge_of_the_search_is_none(lag: int) -> None:
    """At 30 rows the best lag is the last one looked at: the true one may lie beyond, as with 34 rows."""
    rng = np.random.default_rng(3)
    base = np.convolve(rng.normal(size=ROWS + 100), np.ones(9) / 3, "same")
    x, y = base[50 : 50 + ROWS], base[50 - lag : 50 - lag + ROWS]
    found = lag_between(x, y)
    assert isinstance(found, NoLag)
    assert str(found.why) == "not found within ±30 rows" or abs(lag) > 30
    assert isinstance(farther := lag_between(x, y, 45), Lag) and farther.rows == lag


@pytest.mark.parametrize("period", [12, 20, 50, 100])
@pytest.mark.parametrize("lag", [0, 3, 10])
def test_series_that_repeat_themselves_have_no_lag(period: int, lag: int) -> None:
    """A lag of 3 rows and one of 3 less a period look alike, and so do those half a period away with the other sign."""
    t = np.arange(ROWS)
    for seed in range(20):
        noise = 0.3 * np.random.default_rng(seed).normal(size=(2, ROWS))
        x, y = (np.sin(2 * np.pi * (t - late) / period) for late in (0, lag))
        assert isinstance(lag_between(x + noise[0], y + noise[1]), NoLag)


def test_a_falling_sensor_has_a_negative_correlation() -> None:
    x, y = _pair(1, 0.7, 4)
    found = lag_between(x, -y)
    assert isinstance(found, Lag) and found.rows == 4 and found.r is not None and found.r < -0.5 and found.differs


def test_of_a_short_or_flat_series_nothing_is_said() -> None:
    short, flat = lag_between(np.arange(20.0), np.arange(20.0)), lag_between(np.zeros(200), np.arange(200.0))
    assert isinstance(short, NoLag) and "30 or more rows" in str(short.why)
    assert isinstance(flat, NoLag) and "does not vary" in str(flat.why)


def _noise(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    """AR(1) with standard deviation 1."""
    x, e = np.zeros(n), rng.normal(size=n) * np.sqrt(1 - phi**2)
    for t in range(1, n):
        x[t] = phi * x[t - 1] + e[t]
    return x


def _event(seed: int, phi: float, begins: dict[str, int], shape: str, size: float = 6.0) -> LeadLag:
    """Sensors that change at their own rows, by a step, or by a ramp that rests after 20 rows; "mixed" takes turns; flagged at 310."""
    rng, series = np.random.default_rng(seed), {}
    for i, (name, begin) in enumerate(begins.items()):
        since = np.arange(420) - begin
        is_step = shape == "step" or (shape == "mixed" and i % 2)
        rise = since >= 0 if is_step else np.clip((since + 1) / 20, 0, 1)
        series[name] = _noise(rng, 420, phi) + size * rise
    sure = confidence_of(len(series))
    return lead_lag(series, {n: find_onset(v, 310, 400, until=400, confidence=sure) for n, v in series.items()})


def _lags(found: LeadLag) -> dict[str, Lag]:
    return {f.column: f.lag for f in found.followers if isinstance(f.lag, Lag)}


@pytest.mark.parametrize("shape", ["step", "ramp", "mixed"])
def test_the_order_and_the_lags_are_one_estimate(shape: str) -> None:
    """p1 changes at 300, p2 and p3 at 318, in whatever shape: p1 is first, both follow, and each lag says so."""
    firsts, held = 0, 0
    for seed in range(PAIRS):
        found = _event(seed, 0.0, {"p2": 318, "p1": 300, "p3": 318}, shape)
        lags = _lags(found)
        firsts += found.first == "p1"
        held += found.reference == "p1" and all(lags[n].low <= 18 <= lags[n].high for n in ("p2", "p3"))
        order = [f.lag.rows for f in found.followers if isinstance(f.lag, Lag)]
        assert order == sorted(order) and all(lag.by == "onsets" for lag in lags.values())
    assert held >= 0.95 * PAIRS
    assert firsts >= (0.95 if shape == "step" else 0.8) * PAIRS, "a ramp is seen some rows after it began"


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("shape", ["step", "ramp", "mixed"])
def test_sensors_that_change_at_once_have_no_order(phi: float, shape: str) -> None:
    """Four sensors at row 300: by the correction hardly an event in twenty claims any order, though the earliest is measured from."""
    begins = {f"p{i}": 300 for i in range(4)}
    claimed = [any(lag.differs for lag in _lags(_event(seed, phi, begins, shape)).values()) for seed in range(PAIRS)]
    assert sum(claimed) <= 0.05 * PAIRS


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_a_fault_that_grows_faster_and_faster_has_no_false_order(phi: float) -> None:
    """Three sensors from row 300 on, each by its own size times the square of the time: what is small is seen later, and says so."""
    claimed = 0
    for seed in range(PAIRS):
        rng, since = np.random.default_rng(seed), np.clip((np.arange(420) - 299) / 50, 0, None)
        series = {f"p{size}": _noise(rng, 420, phi) + size * since**2 for size in (4, 12, 28)}
        sure = confidence_of(3)
        onsets = {n: find_onset(v, 310, 400, until=400, confidence=sure) for n, v in series.items()}
        claimed += any(lag.differs for lag in _lags(lead_lag(series, onsets)).values())
    assert claimed <= 0.1 * PAIRS


def test_a_sensor_without_an_onset_is_ordered_by_correlation_or_not_at_all() -> None:
    x, y = _pair(2, 0.7, 6)
    none, at = NoOnset(msg("none")), Onset(100, 98, 103, "step", 5.0, 99.0)
    found = lead_lag({"p1": x, "p2": y, "p3": np.random.default_rng(8).normal(size=ROWS)}, {"p1": at, "p2": none, "p3": none})
    assert [f.column for f in found.followers] == ["p1", "p2", "p3"] and found.first == "p1"
    assert _lags(found)["p2"].rows == 6 and _lags(found)["p2"].by == "correlation"
    assert isinstance(found.followers[2].lag, NoLag) and "by chance" in str(found.followers[2].lag.why)
    turned = lead_lag({"p2": y, "p1": x}, {"p2": none, "p1": none})  # measured from the largest part, which follows
    assert turned.reference == "p2" and [f.column for f in turned.followers] == ["p1", "p2"] and turned.first == "p1"


def test_what_differed_at_the_first_row_already_is_no_place_to_measure_from() -> None:
    early, late = Onset(10, 10, 14, "step", 5.0, 99.0, is_bounded=False), Onset(90, 88, 92, "step", 5.0, 99.0)
    noise = np.random.default_rng(1).normal(size=(2, 200))
    found = lead_lag({"p1": noise[0], "p2": noise[1]}, {"p1": early, "p2": late})
    assert found.reference == "p2" and found.first is None and not _lags(found)


def test_no_sensor_is_first_where_another_one_differed_before_the_look_back() -> None:
    """A steps 110 rows before the flag, outside the look-back of 100, B 20 and C 5 rows before it: B is not first, A was."""
    n_known = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        series = {
            name: rng.normal(size=600) + 5.0 * (np.arange(600) >= at) for name, at in (("A", 290), ("B", 380), ("C", 395))
        }
        sure = confidence_of(3)
        onsets = {n: find_onset(v, 400, 450, look_back=100, until=450, confidence=sure) for n, v in series.items()}
        found, others = lead_lag(series, onsets), ("B", "C")
        alone = lead_lag({n: series[n] for n in others}, {n: onsets[n] for n in others})
        assert alone.first == "B" and found.reference == "B" and _lags(found)["C"].differs
        n_known += isinstance(onsets["A"], Onset) and not onsets["A"].is_bounded
        assert found.first is None
    assert n_known == 20


def test_onsets_that_may_be_one_another_are_no_order() -> None:
    """Intervals by hand: 20 … 26 less 10 … 22 is −2 … 16, and 40 … 44 less 10 … 22 is 18 … 34."""
    flat = np.zeros(100)
    onsets = {name: Onset(at, low, high, "step", 5.0, 99.0) for name, (at, low, high) in
              {"p1": (15, 10, 22), "p2": (24, 20, 26), "p3": (41, 40, 44)}.items()}  # fmt: skip
    found = lead_lag(dict.fromkeys(onsets, flat), onsets)
    lags = _lags(found)
    assert (lags["p2"].low, lags["p2"].rows, lags["p2"].high, lags["p2"].differs) == (-2, 9, 16, False)
    assert (lags["p3"].low, lags["p3"].rows, lags["p3"].high, lags["p3"].differs) == (18, 26, 34, True)
    assert found.first is None and confidence_of(3) == pytest.approx(1 - 0.05 / 3)


def test_without_sensors_there_is_nothing_to_order() -> None:
    found = lead_lag({}, {})
    assert found.followers == () and found.reference is None and found.first is None
