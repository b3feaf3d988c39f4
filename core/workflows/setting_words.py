"""A setting in words: its declared title with its unit, and its value as people say it."""

from __future__ import annotations

from typing import Any, Literal, get_origin

from pydantic.fields import FieldInfo

from core.messages import Message, msg


def setting_title(field: FieldInfo) -> Message:
    """A setting's declared title with its unit."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    title, unit = msg(field.title or ""), str(extra.get("unit") or "")
    return msg("{name} ({unit})", name=title, unit=msg(unit)) if unit else title


def value_words(field: FieldInfo, value: Any) -> Message | str | int | float:
    """A setting's value: numbers as they are, yes or no, a choice in words, a list with commas."""
    if isinstance(value, bool):
        return msg("yes") if value else msg("no")
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value)
    return msg(str(value).replace("_", " ")) if get_origin(field.annotation) is Literal else str(value)
