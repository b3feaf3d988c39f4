"""What a report says to prove a run: what it finds of seeded faults, and how it answers its challenge sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core import charts
from core.errors import Problem
from core.messages import Message, msg
from core.report import Fact, ReportFigure
from core.workflows.challenge import check_run
from core.workflows.results import Results
from core.workflows.seeding import newest_seeding
from core.workflows.seeding_records import FAULT_TITLES, fault_sentence
from core.workflows.workspace import Workspace

SHOWN_FAULTS = 3


def seeded_facts(
    ws: Workspace, results: Results, text: Callable[[Message], str]
) -> tuple[tuple[Fact, ...], tuple[ReportFigure, ...]]:
    """The seeded faults that were looked at last, with the charts of the first ones; nothing where nobody looked."""
    view = newest_seeding(ws, results) if results.task in ("anomaly", "forecast") else None
    if view is None:
        return (), ()
    facts = [
        Fact(msg("{sensor}: {kind}", sensor=fault.sensor, kind=FAULT_TITLES[fault.kind]), fault_sentence(fault))
        for fault in view.faults
    ]
    facts.append(
        Fact(
            msg("Alarms without a fault"),
            msg("{n} of {total} stretches of {length} rows", n=view.n_alarmed, total=view.n_stretches, length=view.length),
        )
    )
    facts += [Fact(msg("Note"), note) for note in view.notes]
    figures = []
    for fault in [fault for fault in view.faults if fault.is_sized][:SHOWN_FAULTS]:
        points, unit = fault.found.points, fault.unit_words
        columns = {
            name: np.array([getattr(p, name) for p in points], dtype=float)
            for name in ("size", "share", "low", "high", "fitted")
        }
        figure = charts.detection_curve(
            sizes=columns["size"],
            shares=columns["share"],
            low=columns["low"],
            high=columns["high"],
            fitted=columns["fitted"],
            false_alarms=fault.found.false_alarms[0],
            reached=[(r.size, r.share) for r in fault.found.reaches if r.size is not None],
            name=fault.sensor,
            unit=text(unit) if isinstance(unit, Message) else unit,
            title=msg("Chance of detection: {kind} in {sensor}", kind=FAULT_TITLES[fault.kind], sensor=fault.sensor),
            text=text,
        )
        caption = msg("{n} stretches of {length} normal rows; band: 95 %", n=view.n_stretches, length=view.length)
        figures.append(ReportFigure(msg("Chance of detection"), figure, caption))
    return tuple(facts), tuple(figures)


def challenge_facts(ws: Workspace, results: Results) -> tuple[Fact, ...]:
    """How the run answers each challenge set now, and who released it; nothing without a set."""
    if results.task not in ("anomaly", "forecast", "classification"):
        return ()
    try:
        checks = check_run(ws, results.run.id)
    except Problem as problem:
        return (Fact(msg("Challenge set"), problem.what),)
    facts = [Fact(msg("{name}", name=check.challenge.name), check.sentence) for check in checks]
    for release in ws.store.list_releases(results.run.id):
        said = msg(
            "{by}, {when}: {reason}", by=str(release["by"]), when=str(release["created"])[:10], reason=str(release["reason"])
        )
        facts.append(Fact(msg("Released"), said))
    return tuple(facts)
