"""A setting in words: its declared title with its unit, and its value as people say it."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from core.messages import Message, msg
from core.settings import Settings


def setting_title(field: FieldInfo) -> Message:
    """A setting's declared title with its unit."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    title, unit = msg(field.title or ""), str(extra.get("unit") or "")
    return msg("{name} ({unit})", name=title, unit=msg(unit)) if unit else title


def value_words(field: FieldInfo, value: Any) -> Message | str | int | float:
    """A setting's value: numbers as they are, yes or no, a choice in words, a list with commas, a record by its values."""
    return _words(field.annotation, value)


def _words(kind: Any, value: Any) -> Message | str | int | float:
    kind = _plain(kind)
    if isinstance(value, bool):
        return msg("yes") if value else msg("no")
    if isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return _record(kind, value)
    if isinstance(value, list | tuple):
        inner = get_args(kind)[0] if get_origin(kind) in (tuple, list) else str
        return _listed([_words(inner, v) for v in value])
    if get_origin(kind) is Literal:
        return msg(str(value).replace("_", " ")) if value else msg("none")
    return str(value) if value else msg("none")


def _plain(kind: Any) -> Any:
    """A type without None and without its bounds."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return _plain(next(a for a in get_args(kind) if a is not type(None)))
    return kind


def _record(kind: Any, value: Mapping[str, Any]) -> Message | str | int | float:
    """The values of a record in the order in which they are declared, such as a condition: "pressure above 50"."""
    fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, Settings) else {}
    said = [_words(fields[name].annotation if name in fields else str, v) for name, v in value.items() if v not in ("", None)]
    whole = said[0] if said else msg("none")
    for part in said[1:]:
        whole = msg("{first} {second}", first=whole, second=part)
    return whole


def _listed(parts: Sequence[Message | str | int | float]) -> Message | str | int | float:
    """One after another with commas; texts alone stay a text."""
    if not parts:
        return msg("none")
    if not any(isinstance(part, Message) for part in parts):
        return ", ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in parts)
    whole = parts[0]
    for part in parts[1:]:
        whole = msg("{listed}, {more}", listed=whole, more=part)
    return whole
