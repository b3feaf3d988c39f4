"""When an event began, held against 200 seeded changes whose beginning is known, and against noise without one."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.onset import NoOnset, Onset, event_onset, find_onset
from core.messages import msg

EVENTS = 200


def _noise(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    """AR(1) with standard deviation 1."""
    found, e = np.zeros(n), rng.normal(size=n) * np.sqrt(1 - phi**2)
    for i in range(1, n):
        found[i] = phi * found[i - 1] + e[i]
    return found


def _found(kind: str, size: float, phi: float) -> tuple[np.ndarray, float]:
    """Errors in rows of the onsets that were told, and the share whose plausible rows hold the truth; flagged 2 to 29 rows late."""
    errors, held = [], 0
    for seed in range(EVENTS):
        rng = np.random.default_rng(seed)
        x, truth = _noise(rng, 500, phi), int(rng.integers(300, 400))
        since = np.arange(500) - truth
        x += size * (since >= 0 if kind == "step" else np.clip((since + 1) / 20, 0, None))
        flag = truth + int(rng.integers(2, 30))
        found = find_onset(x, flag, flag + 30)
        if isinstance(found, Onset):
            errors.append(found.at - truth)
            held += found.low <= truth <= found.high
    return np.array(errors), held / max(1, len(errors))


@pytest.mark.parametrize(
    ("kind", "size", "phi", "within", "share"),
    [("step", 3.0, 0.0, 3, 0.97), ("step", 3.0, 0.5, 3, 0.85), ("step", 6.0, 0.9, 3, 0.9), ("ramp", 3.0, 0.0, 5, 0.95), ("ramp", 6.0, 0.5, 5, 0.9)],
)  # fmt: skip
def test_the_beginning_is_found(kind: str, size: float, phi: float, within: int, share: float) -> None:
    errors, held = _found(kind, size, phi)
    assert abs(np.median(errors)) <= 1, "neither early nor late on the whole"
    assert (np.abs(errors) <= within).sum() / EVENTS >= share
    assert held >= 0.9, "95 % is the aim where noise is independent"


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_noise_has_no_beginning(phi: float) -> None:
    told = 0
    for seed in range(EVENTS):
        x = _noise(np.random.default_rng(seed), 500, phi)
        told += isinstance(find_onset(x, 350, 380), Onset)
    assert told / EVENTS <= 0.05


def test_a_short_disturbance_within_a_long_event_is_found() -> None:
    x = np.random.default_rng(1).normal(size=500)
    x[300:304] += 8  # the flags last as long as the windows that hold it
    found = find_onset(x, 302, 340)
    assert isinstance(found, Onset) and found.at == 300 and found.size > 0


def test_one_that_began_before_the_look_back_says_so() -> None:
    x = np.random.default_rng(2).normal(size=400)
    x[:300][250:] += 6
    x[300:] += 6
    found = find_onset(x, 320, 340, look_back=40)  # began at 250, looked at from 280 on
    assert isinstance(found, Onset) and (found.at, found.is_bounded) == (280, False)


@pytest.mark.parametrize(
    ("values", "flag", "why"),
    [
        (np.arange(40.0), 12, "20 normal rows before the event are needed to tell when it began, and there are 12"),
        (np.ones(400), 350, "nothing varied before the event"),
        (np.r_[np.tile([0.0, 1.0], 100), np.full(100, np.nan)], 290, "there is no value in the rows"),
    ],
)
def test_what_cannot_be_told_says_why(values: np.ndarray, flag: int, why: str) -> None:
    found = find_onset(values, flag, len(values) - 1, look_back=20)
    assert isinstance(found, NoOnset) and why in str(found.why)


def test_rows_of_an_earlier_event_are_no_reference() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    x[100:200] += 50  # an earlier event fills half of the reference
    x[300:] += 5
    normal = np.ones(400, bool)
    normal[100:200] = False
    assert isinstance(find_onset(x, 305, 330, look_back=50), NoOnset)
    found = find_onset(x, 305, 330, look_back=50, is_normal=normal)
    assert isinstance(found, Onset) and abs(found.at - 300) <= 1


def test_the_earliest_sensor_leads_and_a_follower_does_not() -> None:
    def onset(at: int, *, is_bounded: bool = True) -> Onset:
        return Onset(at, at - 1, at + 1, "step", 4.0, 90.0, is_bounded)

    none = NoOnset(msg("no change stands out from the rows before"))
    found = event_onset({"p1": onset(90), "p2": onset(80), "p3": none, "p4": onset(120)}, onset(95), 100)
    assert (found.at, found.leading, found.rows_before_flag) == (80, "p2", 20)
    by_score = event_onset({"p1": none, "p4": onset(120)}, onset(95), 100)
    assert (by_score.at, by_score.leading, by_score.rows_before_flag) == (95, None, 5)
    assert event_onset({"p1": none}, none, 100).why_not == none.why
    # What was different from the first row looked at says nothing where another sensor does, and is said where none does.
    since = onset(60, is_bounded=False)
    assert event_onset({"p1": since, "p2": onset(80)}, none, 100).leading == "p2"
    alone = event_onset({"p1": since}, none, 100)
    assert (
        alone.at is None and str(alone.why_not) == "it was different already 40 rows before the first flag: look back further"
    )


def test_places_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="first flag 9, last flag 5"):
        find_onset(np.zeros(20), 9, 5)
