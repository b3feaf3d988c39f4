"""Widgets made from the one declaration of a parameter: range, unit, help and default stand in `core.settings`."""

from __future__ import annotations

import math
import types
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pandas as pd
import streamlit as st
from pydantic.fields import FieldInfo

from core.settings import Settings, field_bounds
from pages.components.text import md, say, t


def form_from_settings(
    settings: type[Settings],
    values: Mapping[str, Any] | None = None,
    *,
    key: str,
    expert_only: bool | None = None,
    skip: Collection[str] = (),
    columns: int = 1,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Draw one widget a field and return the values by name. Check them with `settings.read(...)`.

    Args:
        settings: The declaration.
        values: Values to start from; fields that are not named start from their default.
        key: Prefix of the widget keys; the widget of field `x` has the key `"{key}.x"`.
        expert_only: True draws only expert fields, False only the others, None all.
        skip: Fields that are not drawn and not returned.
        columns: How many widgets stand beside each other.
        choices: What can be chosen for a field of names, such as the columns of the open dataset, by the field's name.
    """
    chosen = {n: f for n, f in settings.model_fields.items() if n not in skip and _shown(f, expert_only)}
    cells = st.columns(columns) if columns > 1 else [st.container()]
    given = values or {}
    result = {}
    for place, (name, field) in enumerate(chosen.items()):
        with cells[place % len(cells)]:
            start = given.get(name, field.get_default(call_default_factory=True))
            result[name] = field_widget(field, start, key=f"{key}.{name}", choices=choices, name=name)
    return result


def field_widget(
    field: FieldInfo,
    value: Any,
    *,
    key: str,
    choices: Mapping[str, Sequence[str]] | None = None,
    name: str = "",
    bounded: bool = True,
) -> Any:
    """The widget of one field: its title and unit as label, its help, its range.

    A value out of range reddens a bounded field of a number without a word and never arrives; not `bounded` it arrives, for a caller who says so.
    """
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    unit = str(extra.get("unit") or "")
    label = md(say(field.title or "") + (f" ({say(unit)})" if unit else ""))
    help_text = md(say(field.description)) if field.description else None
    kind, optional = _kind(field.annotation)
    if get_origin(kind) is Literal:
        return _choice(label, list(get_args(kind)), value, key, help_text)
    if kind is bool:
        return st.toggle(label, value=bool(value), key=key, help=help_text)
    if kind in (int, float):
        bounds = field_bounds(field) if bounded else (None, None)
        return _number(label, kind, bounds, value, key, help_text, optional=optional)
    if get_origin(kind) is tuple:
        return _several(label, get_args(kind)[0], value, key, help_text, choices or {}, name)
    if choices and name in choices:
        names = [None, *choices[name]]
        place = names.index(value) if value in names else 0
        return st.selectbox(
            label, names, index=place, format_func=lambda o: t("automatic") if o is None else str(o), key=key, help=help_text
        )
    text = st.text_input(label, value=str(value or ""), key=key, help=help_text)
    return None if optional and not text else text


def choice_word(value: object) -> str:
    """A choice of a setting in the session's language; "set_missing" is looked up as "set missing"."""
    unseen = {"": t("none"), " ": t("space")}
    return unseen.get(str(value)) or say(str(value).replace("_", " "))


def _shown(field: FieldInfo, expert_only: bool | None) -> bool:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return bool(field.title) and (expert_only is None or bool(extra.get("expert", True)) == expert_only)


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The type without None, and whether None is allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [a for a in get_args(annotation) if a is not type(None)]
        return parts[0], len(parts) < len(get_args(annotation))
    return annotation, False


def _choice(label: str, options: list[Any], value: Any, key: str, help_text: str | None) -> Any:
    index = options.index(value) if value in options else 0
    if len(options) <= 4:
        default = options[index]
        return st.segmented_control(
            label, options, default=default, required=True, format_func=lambda o: md(choice_word(o)), key=key, help=help_text
        )
    return st.selectbox(label, options, index=index, format_func=choice_word, key=key, help=help_text)


def _number(
    label: str,
    kind: type,
    bounds: tuple[float | None, float | None],
    value: Any,
    key: str,
    help_text: str | None,
    *,
    optional: bool,
) -> Any:
    low, high = (None if b is None else kind(b) for b in bounds)
    start = None if value is None else kind(value)
    step: float = 1 if kind is int else _step(start)
    form = None if kind is int else "%.6g"
    placeholder = t("automatic") if start is None else t("no limit") if optional else None
    given = st.number_input(
        label, low, high, value=start, step=kind(step), format=form, key=key, help=help_text, placeholder=placeholder
    )
    return given if given is None else kind(given)


def _step(value: float | None) -> float:
    """One in the leading digit: 0.001 for 0.003, 0.1 for 0.5, 1 for 3."""
    return 0.1 if not value else 10.0 ** math.floor(math.log10(abs(value)) - (0 if abs(value) < 1 else 1) * (abs(value) < 10))


def _several(
    label: str, inner: Any, value: Any, key: str, help_text: str | None, choices: Mapping[str, Sequence[str]], name: str
) -> Any:
    """A field of several values: a choice of words or names, a small table of records, or texts with commas between them."""
    if get_origin(inner) is Annotated:
        inner = get_args(inner)[0]
    if isinstance(inner, type) and issubclass(inner, Settings):
        return _records(label, inner, value, key, help_text, choices)
    options = list(get_args(inner)) if get_origin(inner) is Literal else list(choices.get(name, ()))
    if options:
        start = [v for v in value or () if v in options]
        word = choice_word if get_origin(inner) is Literal else str
        chosen = st.multiselect(
            label, options, default=start, format_func=word, key=key, help=help_text, placeholder=t("choose")
        )
        return tuple(chosen)
    text = st.text_input(
        label, value=", ".join(f"{v:g}" if inner is float else str(v) for v in value or ()), key=key, help=help_text
    )
    parts = [part.strip() for part in text.replace(";", ",").replace("，", ",").split(",") if part.strip()]
    return tuple(int(p) if inner is int and p.lstrip("-").isdigit() else p for p in parts)


def _records(
    label: str, inner: type[Settings], value: Any, key: str, help_text: str | None, choices: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """A table with a row a record, to which rows can be added; a row without its first field is none."""
    st.markdown(label, help=help_text)
    config: dict[str, Any] = {}
    for name, field in inner.model_fields.items():
        title, about = say(field.title or name), say(field.description or "")
        offered = choices.get(name) or get_args(field.annotation)
        word = str if name in choices else choice_word
        config[name] = (
            st.column_config.SelectboxColumn(title, options=list(offered), format_func=word, help=about)
            if offered
            else st.column_config.TextColumn(title, help=about)
        )
    rows = [dict(r) if isinstance(r, Mapping) else r.model_dump() for r in value or ()]
    table = pd.DataFrame(rows, columns=list(inner.model_fields), dtype=object)
    edited = st.data_editor(table, num_rows="dynamic", hide_index=True, column_config=config, key=key, placeholder="")
    first = next(iter(inner.model_fields))
    known = [{k: v for k, v in row.items() if not pd.isna(v)} for row in edited.to_dict("records")]
    return [row for row in known if row.get(first)]
