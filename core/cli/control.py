"""The verb `control`: a control chart of a column, with its limits, where they come from, and the rules that are broken."""

from __future__ import annotations

import math
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, open_or_import, pairs

SHOWN = 20


def control(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    given = pairs(options.set)
    settings = wf.ControlSettings.read(given)
    ws = wf.open_workspace()
    view = wf.control_view(open_or_import(ws, options.source), options.column, settings)
    wf.check_used(given, view.name, has_subgroups=settings.has_subgroups)
    if options.out is not None:
        wf.export_control(view, options.out)
    return _answer(view, options), _lines(view, options), 0


def _answer(view: Any, options: Options) -> dict[str, object]:
    return {
        "headline": str(view.headline),
        "chart": view.name,
        "why": None if view.why is None else str(view.why),
        "rules": view.book.key,
        "rules_taken": [{"rule": number, "meaning": str(rule.sentence)} for number, rule in view.book.numbered],
        "source": view.book.source,
        "points": view.n_points,
        "out_of_control": view.n_out,
        "left_out": [
            {"rows": [entry.first - 1, entry.last - 1], "cause": entry.cause, "points": len(entry.points)}
            for entry in view.left_out
        ],
        "counted": None if view.counted is None else str(view.counted),
        "target": view.target,
        "shifts": [_shift(shift, view) for shift in view.cusum],
        "charts": [_chart(chart, found, view) for chart, found in zip(view.charts, view.signals, strict=True)],
        "notes": [str(note) for note in view.notes],
        "out": None if options.out is None else str(options.out),
    }


def _chart(chart: Any, found: Any, view: Any) -> dict[str, object]:
    return {
        "kind": chart.kind,
        "statistic": str(chart.statistic),
        "method": chart.method,
        "known": chart.known,
        "stages": [
            {
                "stage": chart.phases.labels[int(chart.phases.stage[stretch.stop - 1])],
                "points": stretch.stop - stretch.start,
                **{key: _last(getattr(chart, key), stretch) for key in ("centre", "lower", "upper", "sigma")},
            }
            for stretch in chart.phases.stretches
        ],
        "signals": [
            {
                "rule": signal.number,
                "meaning": str(signal.rule.sentence),
                "points": signal.count,
                "rows": [int(view.rows[i]) for i in signal.found.nonzero()[0][:SHOWN]],
            }
            for signal in found
        ],
    }


def _shift(shift: Any, view: Any) -> dict[str, object]:
    """A shift that a cumulative sum signals: rows of the table, counted from 0."""
    return {
        "direction": "up" if shift.is_up else "down",
        "signal_row": int(view.rows[shift.signal]),
        "first_row": int(view.rows[shift.start]),
        "last_row": int(view.rows[shift.end]),
        "goes_on": shift.goes_on,
        "length": shift.length,
        "points": shift.count,
        "mean": shift.mean,
        "is_rough": shift.is_rough,
    }


def _shift_lines(view: Any) -> list[str]:
    """The sentence and a table of the longest excursions, in the order of their signals."""
    if view.shift_words is None:
        return []
    unit = f", {view.unit}" if view.unit else ""
    head = ["direction", "start row", "signal row", "end row", "points", f"new mean{unit}", "from n"]
    longest = sorted(view.cusum, key=lambda shift: -shift.length)[:SHOWN]
    rows = [
        [
            *("up" if s.is_up else "down", f"{view.rows[s.start] + 1}", f"{view.rows[s.signal] + 1}"),
            *("goes on" if s.goes_on else f"{view.rows[s.end] + 1}", f"{s.length:,}", f"{s.mean:.5g}", f"{s.count}"),
        ]
        for s in sorted(longest, key=lambda shift: shift.signal)
    ]
    more = len(view.cusum) - len(rows)
    rest = [f"… and {more} shorter ones (--json has all)"] if more else []
    return ["", str(view.shift_words), *aligned([head, *rows]), *rest, str(view.mean_words), ""]


def _last(values: Any, stretch: slice) -> float | None:
    """The figure of a stretch's last point; where sizes differ, that of this point alone."""
    value = float(values[stretch.stop - 1])
    return None if math.isnan(value) else value


def _lines(view: Any, options: Options) -> list[str]:
    unit = f" {view.unit}" if view.unit else ""
    lines = [str(view.headline), *([] if view.counted is None else [str(view.counted)]), ""]
    if view.why is not None:
        lines.append(f"{view.name}: {view.why}")
    for chart, found in zip(view.charts, view.signals, strict=True):
        told = _chart(chart, found, view)
        head = ["stage", "points", "lower", "centre", "upper", "sigma"]
        rows = [
            [s["stage"], f"{s['points']}", *("–" if s[k] is None else f"{s[k]:.5g}" for k in head[2:])]
            for s in told["stages"]  # type: ignore[attr-defined]
        ]
        source = "sigma given" if chart.method == "given" else f"sigma by {chart.method}"
        source += "" if view.target is None else f", target {view.target:.6g}{unit}"
        lines += ["", f"{told['statistic']}{'' if chart.is_sum else unit}, {source}"]
        lines += aligned([head, *rows])
        for signal in () if chart.is_sum else told["signals"]:  # type: ignore[attr-defined]
            if signal["points"]:
                where = ", ".join(f"{row + 1}" for row in signal["rows"]) + (" …" if signal["points"] > SHOWN else "")
                count = f"{signal['points']:,} point{'' if signal['points'] == 1 else 's'}"
                lines.append(f"rule {signal['rule']} ({signal['meaning']}): {count}, at row {where}")
    lines += _shift_lines(view)
    lines += [f"- {note}" for note in view.notes]
    return [*lines, f"→ {options.out}"] if options.out is not None else lines
