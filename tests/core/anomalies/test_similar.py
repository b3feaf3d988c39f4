"""Which past events are alike, held against seeded events whose cause is known."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.similar import ALIKE, Signature, likeness

CAUSES = ({0: 1.0}, {1: -1.0}, {0: 1.0, 2: -1.0}, {3: 1.0, 4: 1.0}, {5: -1.0}, {6: 1.0, 7: 0.6}, {2: -1.0, 5: 0.8})


def _event(rng: np.random.Generator, cause: dict[int, float]) -> Signature:
    """Deviations of 1.5 to 6 half widths over a wobble of 0.2; parts as squares of them, a quarter of each smeared at random."""
    away = rng.normal(0, 0.2, 8)
    size = rng.uniform(1.5, 6)
    for sensor, part in cause.items():
        away[sensor] += size * part * rng.uniform(0.8, 1.2)
    shares = 0.75 * away**2 / (away**2).sum() + 0.25 * rng.dirichlet(np.ones(8))
    return Signature({f"s{i}": v for i, v in enumerate(away)}, {f"s{i}": v for i, v in enumerate(shares)})


def test_the_bar_parts_same_from_other_causes() -> None:
    rng = np.random.default_rng(2026)
    same, other = [], []
    for _ in range(2000):
        i, j = rng.choice(len(CAUSES), 2, replace=False)
        same.append(likeness(_event(rng, CAUSES[i]), _event(rng, CAUSES[i])))
        other.append(likeness(_event(rng, CAUSES[i]), _event(rng, CAUSES[j])))
    assert np.mean([v is not None and v >= ALIKE for v in same]) >= 0.97
    assert np.mean([v is not None and v >= ALIKE for v in other]) <= 0.02


def test_by_hand() -> None:
    one = Signature({"p": 3.0, "t": 4.0}, {"p": 0.36, "t": 0.64})
    other = Signature({"p": 3.0, "t": -4.0}, {"p": 0.36, "t": 0.64})
    # Deviations: (3·3 − 4·4) / 25 = −0.28. Signed roots (0.6, 0.8) and (0.6, −0.8): 0.36 − 0.64 = −0.28.
    assert likeness(one, other) == pytest.approx(-0.28)
    assert likeness(one, one) == pytest.approx(1.0)


def test_what_is_known_of_both_is_compared() -> None:
    shares = Signature({}, {"p": 1.0})
    assert likeness(shares, Signature({"p": 2.0}, {"p": 0.25, "t": 0.75})) == pytest.approx(0.5)
    assert likeness(shares, Signature({"p": 2.0}, {})) is None
    assert likeness(Signature({"p": np.nan}, {}), Signature({"p": 2.0}, {})) is None


def test_a_stuck_sensor_does_not_silence_the_others() -> None:
    stuck = Signature({"p": -9999.0, "t": 10.0}, {})
    assert likeness(stuck, Signature({"p": -20.0, "t": 10.0}, {})) == pytest.approx(1.0)
