"""Records of the data layer as plain JSON values and back, for the way between processes. Only the records named here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from core.settings import Settings

_TYPE = "@"


def to_plain(value: Any) -> Any:
    """A record, setting, tuple or plain value as JSON.

    Raises:
        TypeError: there is something else inside.
    """
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [to_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    name = type(value).__name__
    if name not in _records():
        raise TypeError(f"{name} is no record that travels between processes.")
    if name in _PROBLEMS:
        inner = {"what": value.what, "expected": value.expected, "fix": value.fix, "values": _plain_values(value.values)}
    elif isinstance(value, Settings):
        inner = value.model_dump(mode="json")
    else:
        inner = {f.name: getattr(value, f.name) for f in fields(value)}
    return {_TYPE: name, **{k: to_plain(v) for k, v in inner.items()}}


def from_plain(value: Any) -> Any:
    """What `to_plain` wrote; sequences come back as tuples."""
    if isinstance(value, list):
        return tuple(from_plain(v) for v in value)
    if not isinstance(value, dict):
        return value
    inner = {k: from_plain(v) for k, v in value.items() if k != _TYPE}
    if _TYPE not in value:
        return inner
    record: Any = _records()[value[_TYPE]]
    if value[_TYPE] in _PROBLEMS:
        return record(inner["what"], inner["expected"], inner["fix"], **inner["values"])
    return record.read(inner) if issubclass(record, Settings) else record(**inner)


def _plain_values(values: Mapping[str, object]) -> dict[str, Any]:
    """The values of a problem that can travel; a caught exception, for example, stays behind."""
    kept = {}
    for name, value in values.items():
        try:
            to_plain(value)
        except TypeError:
            continue
        kept[name] = value
    return kept


_PROBLEMS = frozenset({"Problem", "DataProblem", "SettingProblem", "NotEnoughData", "StoreProblem"})


@cache
def _records() -> dict[str, Any]:
    from core import errors
    from core.data import dataset, findings, options
    from core.data.formats import records
    from core.messages import Message

    known: list[Any] = [Message, dataset.Column, findings.Finding]
    known += [options.ReadOptions, options.LineCount, options.OddRow, options.Question, options.Preview, options.Reading]
    known += [records.SourceOptions, records.Opened, records.Combination, records.Unmatched]
    return {k.__name__: k for k in known} | {name: getattr(errors, name) for name in _PROBLEMS}
