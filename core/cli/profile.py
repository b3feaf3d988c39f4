"""The verb `profile`: the screening table of a file or dataset, for people or as JSON."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from core.cli.common import Answer, Options, aligned, open_or_import
from core.screening import ColumnScreen, Reason

LONGEST_NAME, LONGEST_WHY = 28, 100
SHOWN_PROGRESS = 2.0  # seconds after which the work says how far it is


def profile(options: Options) -> Answer:
    from core import workflows as wf

    ws = wf.open_workspace()
    dataset = open_or_import(ws, options.source)
    began = time.monotonic()
    wf.screen_dataset(ws, dataset.id, progress=_progress(options, began))
    seconds = round(time.monotonic() - began, 2)
    found = wf.screened(ws, dataset.id)
    answer: dict[str, object] = {
        "dataset": dataset.id,
        "version": dataset.version,
        "rows": found.screening.n_rows,
        "grades": {"ignored" if grade == "" else grade: n for grade, n in found.grades.items()},
        "missing": found.screening.missing,
        "columns": [_column(found, c) for c in found.screening.columns],
        "reasons": [_reason(found, r) for r in found.screening.reasons],
        "seconds": seconds,
    }
    return answer, _lines(found, dataset), 0


def _progress(options: Options, began: float) -> Any:
    """Columns done, on standard error, once the work takes longer than two seconds."""
    last = [began]

    def say(done: int, total: int) -> None:
        now = time.monotonic()
        if not options.json and now - began > SHOWN_PROGRESS and (now - last[0] > SHOWN_PROGRESS):
            last[0] = now
            print(f"{done} of {total} columns", file=sys.stderr)

    return say


def _column(found: Any, column: ColumnScreen) -> dict[str, object]:
    grade = found.grade(column)
    return {
        "name": column.name,
        "kind": column.kind,
        "role": column.role,
        "unit": column.unit,
        "grade": grade or None,
        "missing": column.missing,
        "distinct": column.distinct,
        "in_control": column.in_control,
        "limits": column.limits,
        "shifts": column.shifts,
        "ppk": column.ppk,
        "ppk_interval": None if column.ppk is None else [column.ppk_low, column.ppk_high],
        "ppk_not_defined": None if column.no_ppk is None else str(column.no_ppk),
        "reasons": [_reason(found, r) for r in column.reasons],
    }


def _reason(found: Any, reason: Reason) -> dict[str, object]:
    from core import workflows as wf

    key = wf.key_of(reason)
    fix = reason.fix
    return {
        "code": reason.code,
        "severity": reason.severity,
        "message": str(reason.message),
        "state": "left" if key in found.left else "fixed" if key in found.fixed else "open",
        "places": [{"first": p.first, "last": p.last, "start": p.start or None, "end": p.end or None} for p in reason.places],
        "fix": None
        if fix is None
        else {
            "title": str(fix.title),
            "steps": [s.model_dump(mode="json") for s in fix.steps],
            "role": fix.role,
            "caution": None if fix.caution is None else str(fix.caution),
        },
    }


def _lines(found: Any, dataset: Any) -> list[str]:
    """The table for people: grade, column, missing, in control, shifts, Ppk, why; the worst first."""
    grades = found.grades
    rows = sorted(found.screening.columns, key=lambda c: {"C": 0, "B": 1, "A": 2, "": 3}[found.grade(c)])
    head = ["grade", "column", "missing", "in control", "shifts", "Ppk", "why"]
    table = [head, *(_row(found, c) for c in rows)]
    lines = [
        f"{dataset.id}  {found.screening.n_rows:,} rows, {len(rows)} columns: "
        f"{grades['A']} A, {grades['B']} B, {grades['C']} C, {grades['']} ignored"
    ]
    lines += aligned(table)
    lines += [f"rows: {r.message}" for r in found.screening.reasons]
    return lines


def _row(found: Any, column: ColumnScreen) -> list[str]:
    name = column.name if len(column.name) <= LONGEST_NAME else column.name[: LONGEST_NAME - 1] + "…"
    return [
        found.grade(column) or "–",
        name,
        f"{100 * column.missing:.1f} %" if column.missing else "0",
        "" if column.in_control is None else f"{100 * column.in_control:.0f} %",
        "" if column.shifts is None else str(column.shifts),
        "" if column.ppk is None else f"{column.ppk:.2f}",
        _why(found.open_reasons(column)),
    ]


def _why(reasons: Sequence[Reason]) -> str:
    text = "; ".join(str(r.message) for r in reasons)
    return text if len(text) <= LONGEST_WHY else text[: LONGEST_WHY - 1] + "…"
