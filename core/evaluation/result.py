"""A figure with its interval, or the reason why there is none. Never 0, never perfect, never a silent NaN."""

from __future__ import annotations

from dataclasses import dataclass

from core.messages import Message


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric value on n rows. `low` and `high` are a 95 % interval where one was computed.

    `value` is None exactly when `why_not` says why it is not defined.
    """

    key: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    why_not: Message | None = None

    @property
    def is_defined(self) -> bool:
        return self.value is not None


def not_defined(key: str, n: int, reason: Message) -> Metric:
    """The metric that cannot be computed, with the reason."""
    return Metric(key=key, value=None, n=n, why_not=reason)
