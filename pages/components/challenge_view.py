"""Known cases that a run must answer as it must before it is used: what each got, a new set, a release by name, and what was logged."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.errors import Problem
from core.messages import msg
from pages.components import audit_section, challenge_register, layout, notices, numbers, person
from pages.components.choices import fixed
from pages.components.forms import form_from_settings
from pages.components.layout import Figure, caption, confirm
from pages.components.text import md, say, t, tn

KEY = "challenge"
SHOWN_ENTRIES = 50
ALWAYS = ("name",)
OF_SOURCE: dict[str, tuple[str, ...]] = {
    "events": (),
    "labelled": (),
    "rows": ("rows", "expect"),
    "seeded": ("size",),
    "file": (),
}
MORE = ("length", "most", "quiet", "missed_too", "run_only", "seed")


def show(ws: wf.Workspace, results: wf.Results) -> None:
    """The view of one finished run."""
    head = st.container()
    main, rail = st.columns([0.68, 0.32], gap="medium")
    with rail, notices.guard():
        _new(ws, results)
    checks: tuple[wf.ChallengeCheck, ...] | None = None
    try:
        with st.spinner(t("Scoring the challenge sets …")):
            checks = wf.check_run(ws, results.run.id)
    except Problem as problem:
        with head:
            layout.headline(t("The challenge sets cannot be scored, so that this run may not be used"))
        with main:
            notices.problem(problem)
            challenge_register.show(ws)
    with head:
        if checks is not None:
            layout.headline(*_headline(checks))
    with main, notices.guard():
        if checks:
            _drawn(ws, results, checks)
        elif checks is not None:
            layout.empty_picture(
                t(
                    "Known bad cases are frozen here. Before each use and after each training they are scored; one that escapes blocks."
                ),
                icon=":material/verified:",
            )
        challenge_register.withdrawn(ws, results.run.dataset_id)
        _log(ws, results)


def _headline(checks: tuple[wf.ChallengeCheck, ...]) -> tuple[str, str]:
    why = t("A case that is not answered as it must be blocks the scoring of new data until somebody releases the run by name.")
    if not checks:
        return t("There is no challenge set yet"), why
    blocking = [check for check in checks if check.blocks]
    if blocking:
        n = sum(len(check.failing) for check in blocking)
        return tn(
            "This run may not be used: {n} known case escapes it", "This run may not be used: {n} known cases escape it", n
        ), why
    if any(check.is_released for check in checks):
        return t("This run is released in spite of cases that escape it"), why
    n = sum(len(check.results) for check in checks)
    return tn("The known case is answered as it must be", "All {n} known cases are answered as they must be", n), why


def _drawn(ws: wf.Workspace, results: wf.Results, checks: tuple[wf.ChallengeCheck, ...]) -> None:
    cases = [r for check in checks for r in check.results]
    escapes = sum(r.is_escape for r in cases)
    layout.figures(
        [
            Figure(t("Challenge sets"), numbers.number(len(checks))),
            Figure(t("Cases"), numbers.number(len(cases))),
            Figure(t("Escapes"), numbers.number(escapes), t("not caught")),
            Figure(t("Good ones flagged"), numbers.number(sum(not r.passed for r in cases) - escapes), t("wrongly")),
        ]
    )
    names = {i: check.challenge.name for i, check in enumerate(checks)}
    first = next((i for i, check in enumerate(checks) if check.failing), 0)
    chosen = first
    if len(checks) > 1:
        chosen = st.selectbox(
            t("Challenge set"), list(names), index=first, format_func=fixed(list(names), names.__getitem__), key=f"{KEY}.{results.run.id}.set"
        )  # fmt: skip
    check = checks[chosen if chosen in names else first]
    icon = (
        ":red[:material/block:]"
        if check.blocks
        else ":orange[:material/lock_open:]"
        if check.failing
        else ":green[:material/check_circle:]"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{icon} {md(say(check.sentence))}", width="stretch")
        if st.button(
            t("Check now"),
            key=f"{KEY}_check",
            icon=":material/refresh:",
            help=md(t("Scores every case again with this run's model. The audit trail keeps that it was done.")),
        ):
            _check_now(ws, results)
    st.dataframe(
        _table(check),
        column_config=_config(),
        hide_index=True,
        key=f"{KEY}_cases",
        alt=t("Cases of the challenge set with their answers"),
    )
    caption(
        t("frozen {when}", when=numbers.moment(pd.Timestamp(check.challenge.created).to_pydatetime().astimezone())),
        t("hash {sha}", sha=check.challenge.sha256[:12]),
        t("bundle {sha}", sha=check.bundle_sha256[:12]),
        _missed(check.challenge),
    )
    _decide(ws, results, check, any(c.blocks for c in checks))


def _check_now(ws: wf.Workspace, results: wf.Results) -> None:
    with notices.guard():
        for check in wf.check_run(ws, results.run.id, anew=True):
            notices.done(check.sentence)
        st.rerun()


def _missed(challenge: wf.ChallengeSet) -> str:
    """How many known cases are not in the set because its run missed them: what it proves is less for it."""
    if challenge.missed is None:
        return ""
    return tn(
        "{n} known case left out, as the run missed it", "{n} known cases left out, as the run missed them", challenge.missed
    )


def _table(check: wf.ChallengeCheck) -> pd.DataFrame:
    ordered = sorted(check.results, key=lambda r: (r.passed, r.case.number))
    return pd.DataFrame(
        [
            {
                "state": t("✓ right") if r.passed else t("✕ escape") if r.is_escape else t("✕ flagged"),
                "number": r.case.number,
                "title": say(r.case.title),
                "must": say(r.case.must),
                "said": say(r.said),
            }
            for r in ordered
        ]
    )


def _config() -> dict[str, Any]:
    return {
        "state": st.column_config.TextColumn(t("State"), width="small"),
        "number": st.column_config.NumberColumn(t("Case"), width="small"),
        "title": st.column_config.TextColumn(t("What it is")),
        "must": st.column_config.TextColumn(t("Expected")),
        "said": st.column_config.TextColumn(t("Answer")),
    }


def _decide(ws: wf.Workspace, results: wf.Results, check: wf.ChallengeCheck, is_blocked: bool) -> None:
    """Release the run, or withdraw the set; both by name and with a reason."""
    with st.expander(t("Release this run or withdraw this set"), expanded=is_blocked):
        by = person.ask(key=f"{KEY}.by")
        reason = st.text_input(t("Reason"), key=f"{KEY}.reason", max_chars=2000)
        row = st.container(horizontal=True)
        if row.button(
            t("Release the run"), key=f"{KEY}_release", type="primary", icon=":material/lock_open:", disabled=not is_blocked
        ):
            with notices.guard():
                wf.release_run(ws, results.run.id, by=by, reason=reason)
                notices.done(msg("The run is released; the audit trail has the name and the reason."))
                st.rerun()
        with row:
            is_sure = confirm(t("Withdraw the set"), challenge_register.gone(check.challenge), key=f"{KEY}_withdraw")
        if is_sure:
            with notices.guard():
                wf.withdraw_challenge(ws, check.challenge.id, by=by, reason=reason)
                notices.done(msg("The set counts no longer; the audit trail has the name and the reason."))
                st.rerun()
        caption(t("A release holds for this bundle and these cases only."))


def _new(ws: wf.Workspace, results: wf.Results) -> None:
    """The form of a new set."""
    st.markdown(f"**{md(t('Freeze a challenge set'))}**")
    words = {
        "events": t("events called real"),
        "labelled": t("labelled rows"),
        "rows": t("rows of the table"),
        "seeded": t("seeded faults"),
        "file": t("a file"),
    }
    if results.task == "classification":
        words = {key: words[key] for key in ("labelled", "rows", "file")}
    source = st.selectbox(
        t("Cases from"), list(words), format_func=fixed(words, words.__getitem__), key=f"{KEY}.{results.run.id}.source"
    )
    source = source if source in words else next(iter(words))
    prefix = f"{KEY}.{results.run.id}"
    chosen: dict[str, Any] = {"source": source}
    shown = (*ALWAYS, *OF_SOURCE[source])
    if source == "seeded":
        known, titles = wf.sensors_of(results), {k: say(v) for k, v in wf.FAULT_TITLES.items()}
        chosen["sensor"] = st.selectbox(t("Sensor"), list(known), key=f"{prefix}.sensor")
        chosen["kind"] = st.selectbox(
            t("Fault"), list(titles), format_func=fixed(titles, titles.__getitem__), key=f"{prefix}.kind"
        )
    rest = [name for name in wf.ChallengeSettings.model_fields if name not in shown]
    chosen |= form_from_settings(wf.ChallengeSettings, {}, key=prefix, skip=rest)
    given = None
    if source == "file":
        given = st.file_uploader(t("Table of cases"), type=["csv", "txt", "tsv", "parquet", "xlsx"], key=f"{prefix}.file")
        caption(
            t(
                "Columns of the dataset, 'expected' with flag, quiet or a class, and 'case' where a case has several rows. "
                "If the dataset has columns of these names: 'challenge_expected' and 'challenge_case'."
            )
        )
    with st.expander(t("More")):
        skip = [name for name in wf.ChallengeSettings.model_fields if name not in MORE]
        chosen |= form_from_settings(wf.ChallengeSettings, {}, key=prefix, skip=skip)
    if st.button(t("Freeze the set"), key=f"{KEY}_freeze", icon=":material/ac_unit:"):
        with notices.guard():
            _freeze(ws, results, chosen, given)


def _freeze(ws: wf.Workspace, results: wf.Results, chosen: dict[str, Any], given: Any) -> None:
    settings = wf.ChallengeSettings.read(chosen)
    with tempfile.TemporaryDirectory(prefix="andon-cases-") as folder:
        path = None
        if given is not None:
            path = Path(folder) / f"cases{Path(given.name).suffix.lower()}"
            path.write_bytes(given.getvalue())
        made, left_out = wf.add_challenge(ws, results, settings, path)
    notices.done(msg("'{name}' is frozen with {n} cases.", name=made.name, n=made.n_cases))
    for note in left_out:
        notices.done(note)
    st.rerun()


def _log(ws: wf.Workspace, results: wf.Results) -> None:
    """What the audit trail has of checks, blocks and releases of this run, newest first."""
    actions = ("checked", "blocked", "released", "frozen", "withdrawn")
    entries = [e for e in wf.list_audit(ws, results.run.dataset_id) if e.action in actions]
    entries = [e for e in entries if e.object_id in (results.run.id, results.run.dataset_id)][:SHOWN_ENTRIES]
    if not entries:
        return
    with st.expander(t("What was logged")):
        st.dataframe(
            pd.DataFrame(
                {
                    "when": [numbers.moment(e.created.astimezone()) for e in entries],
                    "what": [audit_section.what(e.kind, e.action) for e in entries],
                    "name": [e.name for e in entries],
                    "details": [audit_section.details(e.details) for e in entries],
                },
                dtype="str",
            ),
            column_config={
                "when": st.column_config.TextColumn(t("when")),
                "what": st.column_config.TextColumn(t("what")),
                "name": st.column_config.TextColumn(t("name")),
                "details": st.column_config.TextColumn(t("details"), width="large"),
            },
            hide_index=True,
            key=f"{KEY}_log",
            alt=t("Checks, blocks and releases, newest first"),
        )
