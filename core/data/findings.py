"""Something that a person should know about the data, found while reading or summarising it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from core.messages import Message

Severity = Literal["info", "warn", "stop"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `code` is stable for scripts; `column` is "" where the whole table is meant."""

    code: str
    message: Message
    column: str = ""
    severity: Severity = "warn"

    def to_json(self) -> dict[str, object]:
        """The form that is stored."""
        return {"code": self.code, "message": self.message.to_json(), "column": self.column, "severity": self.severity}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """The finding that `to_json` wrote."""
        message = Message.from_json(stored["message"])  # type: ignore[arg-type]
        return cls(str(stored["code"]), message, str(stored.get("column", "")), stored.get("severity", "warn"))  # type: ignore[arg-type]
