"""Past events that look like this one: the same sensors, gone the same way.

An event is told by two vectors over its sensors: how far each stood from the centre of its normal band on average, in half widths
of the band and signed, which the data alone says; and the root of each sensor's part in the score with the sign of that deviation,
which the model says. Likeness is the mean of the two cosines, so that an event and one twice as strong are alike: 1 the same sensors in the
same proportions and directions, 0 nothing in common, −1 the same sensors the other way.

The cosine of root shares is the Bhattacharyya coefficient, where all signs agree (Bhattacharyya, Bulletin of the Calcutta Mathematical
Society 35 (1943) 99-109).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FARTHEST = 20.0
"""Half widths beyond which a deviation counts no more: a stuck sensor at −9,999 would silence all others."""
ALIKE = 0.7
"""Below this an event is not called similar: the lowest of 0.60, 0.65, 0.70 … that at most 2 in 100 pairs of events of different causes
reach, seeded with seven causes over eight sensors, some of which share a sensor. 1 in 100 do, and 99 in 100 pairs of the same cause
(`tests/core/anomalies/test_similar.py` measures both on other seeds)."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What an event looks like, by sensor.

    `away` are mean deviations from the centre of the normal band in half widths, signed; `shares` the parts in the score, 0 to 1.
    """

    away: Mapping[str, float]
    shares: Mapping[str, float]


def likeness(one: Signature, other: Signature) -> float | None:
    """How alike two events are, −1 to 1; None where neither deviations nor shares can be compared.

    A sensor that one of them lacks counts as 0 there. Where only shares or only deviations are known of both, that cosine alone.

    Example:
        >>> a = Signature({"p": 3.0, "t": 0.0}, {"p": 1.0, "t": 0.0})
        >>> likeness(a, Signature({"p": 6.0, "t": 0.0}, {"p": 1.0, "t": 0.0})), likeness(a, Signature({"p": -3.0, "t": 0.0}, {"p": 1.0, "t": 0.0}))
        (1.0, -1.0)
    """
    cosines = [_cosine(_clipped(one), _clipped(other)), _cosine(_signed(one), _signed(other))]
    known = [value for value in cosines if value is not None]
    return float(np.mean(known)) if known else None


def _clipped(of: Signature) -> dict[str, float]:
    return {name: float(np.clip(value, -FARTHEST, FARTHEST)) for name, value in of.away.items() if np.isfinite(value)}


def _signed(of: Signature) -> dict[str, float]:
    return {
        name: float(np.sqrt(max(share, 0.0)) * (-1 if of.away.get(name, 0.0) < 0 else 1)) for name, share in of.shares.items()
    }


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    names = sorted(set(one) | set(other))
    a, b = (np.array([given.get(name, 0.0) for name in names]) for given in (one, other))
    size = float(np.linalg.norm(a) * np.linalg.norm(b)) if names else 0.0
    return round(float(a @ b) / size, 12) if size > 0 else None
