"""The settings that a verb takes by --set, for its --help: written from their declarations, so that the two cannot differ."""

from __future__ import annotations

import importlib
import shutil
import textwrap
import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from core.settings import Settings

FAMILIES = "families"
"""In place of a class: one line a model family with the keys that are its own."""
_INDENT, _NARROWEST = 22, 72


def set_help(targets: Sequence[str]) -> str:
    """The section of a verb's help.

    Args:
        targets: "module:Class" of `core`, or "heading=module:Class", or `FAMILIES`; imported here, so that only --help waits for them.
    """
    lines = [] if not targets else ["", "settings, each by --set KEY=VALUE:"]
    for target in targets:
        heading, _, place = target.rpartition("=")
        if heading:
            lines.append(f"  {heading}:")
        lines += _families() if place == FAMILIES else _of_class(settings_class(place))
    return "\n".join(lines) + ("\n" if lines else "")


def settings_class(place: str) -> type[Settings]:
    """The settings of "module:Class"."""
    module, _, name = place.partition(":")
    found: type[Settings] = getattr(importlib.import_module(f"core.{module}"), name)
    return found


def _of_class(kind: type[Settings]) -> list[str]:
    return [line for name, field in kind.model_fields.items() for line in _field(name, field)]


def _field(name: str, field: FieldInfo) -> list[str]:
    """A key with what it takes, its default and its help."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    default = field.get_default(call_default_factory=True)
    told = [_takes(field.annotation, field)]
    unit = str(extra.get("unit") or "")
    told += [f"in {unit}"] if unit and default is None else []
    if default not in (None, (), ""):
        told.append(f"default {_written(default)}{f' {unit}' if unit else ''}")
    words = f"{', '.join(part for part in told if part)}. {field.description or field.title or ''}".strip()
    width = max(shutil.get_terminal_size().columns - 2, _NARROWEST)
    blank = " " * _INDENT
    lines = textwrap.wrap(words, width, initial_indent=blank, subsequent_indent=blank, break_on_hyphens=False)
    head = f"    {name}"
    return [head + lines[0][len(head) :], *lines[1:]] if len(head) < _INDENT else [head, *lines]


def _takes(annotation: Any, field: FieldInfo) -> str:
    """What a value may be: the choices, or its kind and bounds."""
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_takes(part, field) for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Literal:
        return "|".join(str(choice) or '""' for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list"
    if annotation is bool:
        return "true|false"
    if annotation in (int, float):
        return " ".join(["whole number" if annotation is int else "number", *_bounds(field)])
    return "text"


def _bounds(field: FieldInfo) -> list[str]:
    words = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
    return [
        word.format(f"{getattr(rule, name):g}")
        for rule in field.metadata
        for name, word in words.items()
        if getattr(rule, name, None) is not None
    ]


def _written(value: Any) -> str:
    """A default as it would be typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _families() -> list[str]:
    from core.models import MODELS

    lines = []
    width = max(shutil.get_terminal_size().columns - 2, _NARROWEST)
    for spec in MODELS:
        keys = ", ".join(
            f"{name}={_written(field.get_default(call_default_factory=True))}"
            for name, field in spec.settings.model_fields.items()
        )
        blank = " " * _INDENT
        found = textwrap.wrap(keys or "none", width, initial_indent=blank, subsequent_indent=blank, break_on_hyphens=False)
        head = f"    {spec.key}"
        lines += [head + found[0][len(head) :], *found[1:]] if len(head) < _INDENT else [head, *found]
    return lines
