"""What people say of events: set, listed, and the history of one event. Nothing is ever overwritten."""

from __future__ import annotations

from collections.abc import Sequence

from core.anomalies.records import NEEDS_CAUSE, VERDICTS, AnomalyEvent, Verdict
from core.errors import SettingProblem, unknown_choice
from core.messages import Message, msg
from core.workflows.people import LONGEST_NAME, signed
from core.workflows.results import Results
from core.workflows.workspace import Workspace

LONGEST_COMMENT, LONGEST_CAUSE = 2000, 500

VERDICT_TITLES: dict[str, Message] = {
    "open": msg("open"),
    "contained": msg("contained"),
    "assignable_cause": msg("assignable cause"),
    "false_alarm": msg("false alarm"),
    "sensor_fault": msg("sensor fault"),
    "closed": msg("closed"),
}


def set_verdict(
    ws: Workspace,
    run_id: str,
    event: AnomalyEvent,
    verdict: str,
    comment: str = "",
    *,
    cause: str | None = None,
    fix: str | None = None,
    assigned_to: str | None = None,
    by: str | None = None,
) -> Verdict:
    """Append a verdict on an event; the newest counts.

    Args:
        cause, fix, assigned_to: None: as the event's newest verdict has them, so that closing an event need not repeat its cause;
            without one, as the verdict of another run that it takes over.
        by: Who says it; None, for programs: the owner of the store.

    Raises:
        SettingProblem: no such verdict, a person without a name, or "assignable_cause" or "closed" without a cause.
    """
    if verdict not in VERDICTS:
        raise unknown_choice("verdict", verdict, VERDICTS)
    said_by, taken = signed(ws, by), event.taken_over
    before = event.verdict if taken is None else taken.verdict
    kept = [
        (getattr(before, name) if before is not None else "") if given is None else given.strip()
        for name, given in (("cause", cause), ("fix", fix), ("assigned_to", assigned_to))
    ]
    if verdict in NEEDS_CAUSE and not kept[0]:
        raise SettingProblem(
            msg("Event {n} was called '{verdict}' without a cause.", n=event.number, verdict=VERDICT_TITLES[verdict]),
            msg("Expected what caused it, in a few words."),
            msg("Name the cause and save again."),
        )
    row = ws.store.add_verdict(
        run_id,
        first_row=event.first_row,
        last_row=event.last_row,
        verdict=verdict,
        comment=comment.strip()[:LONGEST_COMMENT],
        cause=kept[0][:LONGEST_CAUSE],
        fix=kept[1][:LONGEST_CAUSE],
        assigned_to=kept[2][:LONGEST_NAME],
        by=said_by,
    )
    return verdict_record(row)


def confirm_verdict(ws: Workspace, run_id: str, event: AnomalyEvent, *, by: str | None = None) -> Verdict:
    """Write the verdict that an event takes over from another run as one of this run, by who confirms it.

    Raises:
        SettingProblem: the event takes none over: it has one, there is none, or those of its rows do not agree.
    """
    taken = event.taken_over
    if taken is None:
        why = (
            msg("Earlier runs said different things of its rows.")
            if event.is_ambiguous
            else msg("It has one, or there is none.")
        )
        raise SettingProblem(
            msg("Event {n} takes no verdict over.", n=event.number), why, msg("Give the event its own verdict.")
        )
    return set_verdict(ws, run_id, event, taken.verdict.verdict, taken.verdict.comment, by=by)


def list_verdicts(ws: Workspace, run_id: str) -> tuple[Verdict, ...]:
    """Every verdict on a run, oldest first."""
    return tuple(verdict_record(row) for row in ws.store.list_verdicts(run_id))


def verdict_state(ws: Workspace) -> str:
    """A word that changes with every verdict on any run, and when a run with one is deleted or renamed: what is known of events is of today while it stays."""
    return ws.store.verdict_state()


def history_of(results: Results, event: AnomalyEvent, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts whose rows overlap an event, oldest first; one on another group's event does not speak of this one."""
    found = [v for v in verdicts if v.first_row <= event.last_row and v.last_row >= event.first_row]
    if results.group_names is None:
        return tuple(found)
    codes, names = results.group_names
    return tuple(v for v in found if str(names[codes[v.first_row]]) == event.group)


def verdict_record(v) -> Verdict:  # type: ignore[no-untyped-def]
    """A verdict as the store holds it."""
    # A store that an older version wrote into while this one ran may still hold the word of before.
    state = "assignable_cause" if v.verdict == "real" else v.verdict
    return Verdict(v.first_row, v.last_row, state, v.comment, v.owner, v.created, v.cause, v.fix, v.assigned_to)  # type: ignore[arg-type]
