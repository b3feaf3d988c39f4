"""The verb `challenge`: freeze known cases, see whether a run answers them as it must, release it in spite of one."""

from __future__ import annotations

from typing import Any

from core.cli.common import Answer, Options, aligned, pairs
from core.cli.faults import body
from core.errors import SettingProblem
from core.messages import msg


def challenge(options: Options) -> Answer:
    from core import workflows as wf

    ws = wf.open_workspace()
    if options.run is None:
        if options.action not in _WITHOUT_RUN:
            raise SettingProblem(
                msg("'challenge {action}' was given no run.", action=options.action),
                msg("Expected the id of a run or the path of a bundle."),
                msg("Give it after the action."),
            )
        return _WITHOUT_RUN[options.action](ws, options)
    run_id = wf.run_id_of(ws, options.run)
    return _ACTIONS[options.action](ws, run_id, options)


def _add(ws: Any, run_id: str, options: Options) -> Answer:
    from core import workflows as wf

    given: dict[str, object] = {"name": options.name, **pairs(options.set)}
    named = {"source": options.source, "rows": options.rows, "expect": options.expect}
    given |= {key: value for key, value in named.items() if value is not None}
    if options.source is None:
        given["source"] = "file" if options.file is not None else "rows" if options.rows else given.get("source", "events")
    made, notes = wf.add_challenge(ws, wf.open_results(ws, run_id), wf.ChallengeSettings.read(given), options.file)
    checked, lines, code = _check(ws, run_id, options)
    answer = {"set": _set(made), "left_out": [str(note) for note in notes], **checked}
    return answer, [f"{made.id}  {made.name}: {made.n_cases} cases", *map(str, notes), *lines], code


def _list(ws: Any, run_id: str, options: Options) -> Answer:
    from core import workflows as wf

    run = wf.get_run(ws, run_id)
    sets = wf.list_challenges(ws, run.dataset_id, run_id)
    lines = [f"{s.id}  {s.name}: {s.n_cases} cases from {s.source}" for s in sets] or ["There is no challenge set."]
    gone = [w for w in wf.withdrawn_challenges(ws, run.dataset_id) if w.challenge.run_id in (None, run_id)]
    lines += [_withdrawn_line(w) for w in gone]
    told = [{**_set(w.challenge), "by": w.by, "reason": w.reason, "when": _iso(w.when)} for w in gone]
    return (
        {
            "run": run_id,
            "withdrawn": told,
            "sets": [_set(s) for s in sets],
            "releases": [dict(r) for r in wf.released_by(ws, run_id)],
        },
        lines,
        0,
    )


def _check(ws: Any, run_id: str, options: Options) -> Answer:
    from core import workflows as wf

    return _answer(run_id, wf.check_run(ws, run_id, anew=options.action == "check"))


def _release(ws: Any, run_id: str, options: Options) -> Answer:
    from core import workflows as wf

    return _answer(run_id, wf.release_run(ws, run_id, by=options.by, reason=options.reason))


def _withdraw(ws: Any, run_id: str, options: Options) -> Answer:
    answer, lines, code = _withdraw_set(ws, options)
    return {"run": run_id, **answer}, lines, code


def _list_all(ws: Any, options: Options) -> Answer:
    """The sets of all datasets, deleted ones too."""
    from core import workflows as wf

    kept = wf.kept_challenges(ws)
    lines = [
        f"{k.challenge.id}  {k.challenge.name}: {k.challenge.n_cases} cases of '{k.dataset_name}'"
        + (", which is deleted" if k.is_deleted else "")
        for k in kept
    ]
    told = [{**_set(k.challenge), "dataset": k.dataset_name, "dataset_deleted": k.is_deleted} for k in kept]
    return {"sets": told}, lines or ["There is no challenge set."], 0


def _withdrawn_line(one: Any) -> str:
    when = "" if one.when is None else f" {one.when:%Y-%m-%d %H:%M} UTC"
    return f"{one.challenge.id}  {one.challenge.name}: withdrawn{when} by {one.by}: {one.reason}"


def _iso(when: Any) -> str | None:
    return None if when is None else when.isoformat(timespec="seconds")


def _withdraw_set(ws: Any, options: Options) -> Answer:
    """Withdraw a set by its own id."""
    from core import workflows as wf

    wf.withdraw_challenge(ws, options.id or "", by=options.by, reason=options.reason)
    return {"withdrawn": options.id}, [f"withdrawn: {options.id}"], 0


_WITHOUT_RUN = {"list": _list_all, "withdraw": _withdraw_set}
_ACTIONS = {"add": _add, "list": _list, "check": _check, "release": _release, "withdraw": _withdraw}


def _answer(run_id: str, checks: Any) -> Answer:
    """The outcome of all sets; exit 2 with the problem's sentences where one blocks."""
    from core import workflows as wf

    answer: dict[str, object] = {"run": run_id, "checks": [_told(check) for check in checks]}
    lines = []
    for check in checks:
        lines.append(str(check.sentence))
        rows = [[f"{r.case.number}", str(r.case.title), str(r.case.must), str(r.said)] for r in check.failing]
        lines += aligned([["case", "", "expected", "answer"], *rows]) if rows else []
    blocking = next((check for check in checks if check.blocks), None)
    answer["blocks"] = blocking is not None
    if blocking is None:
        return answer, lines or ["There is no challenge set."], 0
    problem = wf.escape_problem(blocking)
    return {**answer, **body(problem)}, [*lines, str(problem)], 2


def _told(check: Any) -> dict[str, object]:
    return {
        "set": check.challenge.id,
        "name": check.challenge.name,
        "sha256": check.challenge.sha256,
        "bundle_sha256": check.bundle_sha256,
        "cases": len(check.results),
        "failing": [
            {"case": r.case.number, "title": str(r.case.title), "must": str(r.case.must), "said": str(r.said)}
            for r in check.failing
        ],
        "released": check.is_released,
        "sentence": str(check.sentence),
    }


def _set(one: Any) -> dict[str, object]:
    return {
        name: getattr(one, name)
        for name in ("id", "name", "source", "run_id", "task", "n_cases", "missed", "sha256", "created")
    }
