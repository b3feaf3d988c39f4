"""The red-rabbit gate: known cases are scored before each use of a model and after each training; one that escapes blocks.

A check is remembered within a process by the bytes of the bundle, the hash of the set and the version of this program, so that it costs a
few hashes before each use and is truly done again when any of them changes. Checks that were done, blocks and releases stand in the audit trail.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from core import __version__
from core.errors import EscapeProblem, Problem, SettingProblem, StoreProblem
from core.features import Pipeline
from core.messages import Message, msg, msg_n
from core.serving import Bundle, fingerprint, load_bundle
from core.serving.pieces import PIECE, decide_pieces, judged_scores, piece_pipeline, rows_before
from core.store import RunRow, default_home
from core.workflows.challenge_bundles import register_bundle, runs_of_bundle
from core.workflows.challenge_sets import Case, ChallengeSet, list_challenges, read_challenge
from core.workflows.workspace import Workspace, open_workspace

CHECK = 1
"""Raised when cases are judged otherwise; with the program's version it says which code gave an answer."""
MOST_REMEMBERED = 64
_remembered: dict[tuple[str, str, str], tuple[CaseResult, ...]] = {}
_remembering = threading.Lock()
"""Held where the dictionary is read or changed: each session of the server is a thread, and one may trim what another goes through."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a model said of a case: its highest score, or the class that it called; `passed` whether that is what it must be."""

    case: Case
    passed: bool
    said: Message

    @property
    def is_escape(self) -> bool:
        """A known bad case that was not caught; the others are good ones that were flagged."""
        return not self.passed and self.case.expected != "quiet"


@dataclass(frozen=True, slots=True)
class ChallengeCheck:
    """The answers of one bundle to one set. `is_released` says that somebody answers for the cases that fail."""

    challenge: ChallengeSet
    run_id: str
    bundle_sha256: str
    results: tuple[CaseResult, ...]
    is_released: bool

    @property
    def failing(self) -> tuple[CaseResult, ...]:
        return tuple(result for result in self.results if not result.passed)

    @property
    def blocks(self) -> bool:
        return bool(self.failing) and not self.is_released

    @property
    def sentence(self) -> Message:
        """The outcome in a sentence."""
        n, name = len(self.failing), self.challenge.name
        if not n:
            return msg_n(
                "Challenge set '{name}': its case is answered as it must be",
                "Challenge set '{name}': all {n} cases are answered as they must be",
                len(self.results),
                name=name,
            )
        said = msg_n(
            "Challenge set '{name}': {n} of {total} cases is not answered as it must be",
            "Challenge set '{name}': {n} of {total} cases are not answered as they must be",
            n,
            total=len(self.results),
            name=name,
        )
        return msg("{what}; released", what=said) if self.is_released else said


def check_run(ws: Workspace, run_id: str, *, anew: bool = False) -> tuple[ChallengeCheck, ...]:
    """A run's bundle against every set that speaks of it.

    Args:
        anew: Score the cases again though the answers are remembered; that the sets were scored then stands in the audit trail.

    Raises:
        DataProblem: the bundle or a set is missing or was changed.
    """
    return check_bundle(ws, load_bundle(ws.store.path(run_id, "bundle")), run_id, anew=anew)


def check_bundle(ws: Workspace, bundle: Bundle, run_id: str | None = None, *, anew: bool = False) -> tuple[ChallengeCheck, ...]:
    """A bundle against the sets of its dataset, and those of its run.

    Args:
        run_id: The run, where it is known from where the bundle was taken; else it is found by the files of the bundle.
        anew: Score the cases again though the answers are remembered.
    """
    found = _sets_of(ws, bundle, run_id)
    if not found:
        return ()
    sha256 = fingerprint(bundle)
    checks = []
    for challenge, run_id in found:
        releases = ws.store.list_releases(run_id)
        results = _answers(ws, bundle, challenge, sha256, run_id, anew=anew)
        failing = {result.case.number for result in results if not result.passed}
        checks.append(
            ChallengeCheck(challenge, run_id, sha256, results, _is_released(releases, sha256, challenge.sha256, failing))
        )
    return tuple(checks)


def gate(ws: Workspace | None, bundle: Bundle, use: str) -> tuple[ChallengeCheck, ...]:
    """Let a use of a bundle pass, or not; without a workspace, or of a bundle that none of its sets speaks of, it passes.

    Args:
        use: What it is used for, for the audit trail: "score".

    Raises:
        EscapeProblem: a case is not answered as it must be, and nobody released the run in spite of it.
        DataProblem: the bundle or a set is missing or was changed.
    """
    if ws is None:
        return ()
    checks = check_bundle(ws, bundle)
    for check in (check for check in checks if check.blocks):
        cases = [result.case.number for result in check.failing]
        ws.store.log_challenge(
            "blocked", check.run_id, name=check.challenge.name, sha256=check.challenge.sha256, use=use, cases=cases
        )  # fmt: skip
        raise escape_problem(check)
    return checks


def release_run(ws: Workspace, run_id: str, *, by: str, reason: str) -> tuple[ChallengeCheck, ...]:
    """Release a run in spite of the cases that it fails now. It holds for this bundle, these sets and these cases only.

    Raises:
        SettingProblem: no name or reason, or there is nothing to release.
    """
    by, reason = by.strip()[:200], reason.strip()[:2000]
    if not by or not reason:
        raise SettingProblem(
            msg("A release has no name or no reason."),
            msg("Expected who answers for it, and why."),
            msg("Give both: they go into the audit trail."),
        )
    blocking = [check for check in check_run(ws, run_id) if check.blocks]
    if not blocking:
        raise SettingProblem(
            msg("The run fails no case that is not released."), msg("Expected a run that is blocked."), msg("Use it as it is.")
        )
    for check in blocking:
        cases = [result.case.number for result in check.failing]
        release = {
            "bundle_sha256": check.bundle_sha256,
            "challenge_sha256": check.challenge.sha256,
            "cases": cases,
            "by": by,
            "reason": reason,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        ws.store.add_release(
            run_id, release, name=check.challenge.name, sha256=check.challenge.sha256, by=by, reason=reason, cases=cases
        )  # fmt: skip
    return check_run(ws, run_id)


def withdraw_challenge(ws: Workspace, set_id: str, *, by: str, reason: str) -> None:
    """A set counts no longer.

    Raises:
        SettingProblem: no name or reason.
        StoreProblem: there is no such set.
    """
    if not by.strip() or not reason.strip():
        raise SettingProblem(
            msg("A challenge set is withdrawn without a name or a reason."),
            msg("Expected who answers for it, and why."),
            msg("Give both: they go into the audit trail."),
        )
    ws.store.withdraw_challenge(set_id, by=by.strip()[:200], reason=reason.strip()[:2000])


def existing_workspace() -> Workspace | None:
    """The workspace of this machine, if there is one; none is made."""
    known = os.environ.get("ANDON_DATABASE_URL") or (default_home() / "andon.db").is_file()
    return open_workspace() if known else None


def notes_after_training(ws: Workspace, run_id: str) -> tuple[Message, ...]:
    """Check a run that has just been trained, and what to say of it in its notes."""
    try:
        register_bundle(ws, run_id)
        checks = check_run(ws, run_id)
    except Problem as problem:
        return (msg("The challenge sets could not be scored. {why}", why=problem.what),)
    notes: list[Message] = []
    for check in checks:
        told = msg("{sentence}.", sentence=check.sentence)
        blocked = msg(
            "When it was trained: {what} New data is not scored with this run while that holds and nobody has released it.",
            what=told,
        )
        notes.append(blocked if check.blocks else told)
    return tuple(notes)


def judge_cases(bundle: Bundle, table: pd.DataFrame, cases: Sequence[Case]) -> tuple[CaseResult, ...]:
    """What a bundle says of each case; `table` holds the pieces with the number of their case in `PIECE`, ascending."""
    starts = np.searchsorted(table[PIECE].to_numpy(), [case.number for case in cases])
    wanted = np.zeros(len(table), dtype=bool)
    judged = [start + case.places for case, start in zip(cases, starts.tolist(), strict=True)]
    wanted[np.concatenate(judged)] = True
    pipeline = piece_pipeline(bundle)
    found = decide_pieces(bundle, pipeline, table, wanted)
    if bundle.manifest.task == "classification":
        called = found["prediction"].astype(str).to_numpy()
        return tuple(_called(case, called[at], pipeline) for case, at in zip(cases, judged, strict=True))
    scores, limit = judged_scores(found), bundle.threshold.value
    return tuple(_flagged(case, scores[at], limit, pipeline) for case, at in zip(cases, judged, strict=True))


def _not_scored(case: Case, pipeline: Pipeline) -> CaseResult:
    """Why no row of a case has a score: a model that looks back further than the case was frozen for is told so."""
    before, needed = int(case.places[-1]), rows_before(pipeline)
    if before >= needed:
        return CaseResult(case, False, msg("no row could be scored"))
    said = msg(
        "no row could be scored: {n} rows stand before the last of them, and the model looks back at {needed}",
        n=before,
        needed=needed,
    )
    return CaseResult(case, False, said)


def _flagged(case: Case, scores: np.ndarray, limit: float, pipeline: Pipeline) -> CaseResult:
    known = scores[np.isfinite(scores)]
    if not len(known):
        return _not_scored(case, pipeline)
    highest = float(known.max())
    passed = (highest > limit) == (case.expected == "flag")
    return CaseResult(case, passed, msg("highest score {score}, limit {limit}", score=highest, limit=float(limit)))


def _called(case: Case, called: np.ndarray, pipeline: Pipeline) -> CaseResult:
    wrong = [name for name in called if name != case.value]
    if not wrong:
        return CaseResult(case, bool(len(called)), msg("called '{name}'", name=case.value))
    if not wrong[0]:
        return _not_scored(case, pipeline)
    return CaseResult(case, False, msg("called '{name}'", name=wrong[0]))


def _answers(
    ws: Workspace, bundle: Bundle, challenge: ChallengeSet, sha256: str, run_id: str, *, anew: bool
) -> tuple[CaseResult, ...]:
    """The answers, remembered or computed; the set's own hash is checked either way."""
    table, cases = read_challenge(ws, challenge)
    key = (sha256, challenge.sha256, f"{__version__}-{CHECK}")
    with _remembering:
        known = None if anew else _remembered.get(key)
    if known is not None:
        return known
    results = judge_cases(bundle, table, cases)
    failing = [result.case.number for result in results if not result.passed]
    if _run_row(ws, run_id) is not None:
        ws.store.log_challenge(
            "checked", run_id, name=challenge.name, sha256=challenge.sha256, cases=len(results), not_caught=failing
        )  # fmt: skip
    _remember(key, results)
    return results


def _remember(key: tuple[str, str, str], results: tuple[CaseResult, ...]) -> None:
    """Keep the answers; the oldest go where there are too many."""
    with _remembering:
        _remembered.pop(key, None)
        while len(_remembered) >= MOST_REMEMBERED:
            _remembered.pop(next(iter(_remembered)))
        _remembered[key] = results


def _sets_of(ws: Workspace, bundle: Bundle, run_id: str | None) -> list[tuple[ChallengeSet, str]]:
    """The sets that speak of a bundle, of the same question, each once with the run that the bundle is of."""
    if not ws.store.list_challenges():
        return []
    found: dict[str, tuple[ChallengeSet, str]] = {}
    for known in runs_of_bundle(ws, bundle, run_id):
        for challenge in list_challenges(ws, known.dataset_id, known.run_id):
            if challenge.task == known.task and challenge.target in (None, known.target):
                found.setdefault(challenge.id, (challenge, known.run_id))
    return list(found.values())


def _run_row(ws: Workspace, run_id: str) -> RunRow | None:
    """The run, or None: a bundle may come from another store."""
    try:
        return ws.store.get_run(run_id)
    except StoreProblem:
        return None


def _is_released(releases: Sequence[Mapping[str, object]], bundle: str, challenge: str, failing: set[int]) -> bool:
    """Whether one release speaks of this bundle, this set, and at least the cases that fail."""
    return bool(failing) and any(
        release["bundle_sha256"] == bundle and release["challenge_sha256"] == challenge and failing <= set(release["cases"])  # type: ignore[call-overload]
        for release in releases
    )


def escape_problem(check: ChallengeCheck) -> EscapeProblem:
    """What a use of a run is refused with: the first case that fails, what it said, and the ways out."""
    first = check.failing[0]
    return EscapeProblem(
        msg("{sentence}: case {number}, {title}.", sentence=check.sentence, number=first.case.number, title=first.case.title),
        msg("The case {must}. The answer: {said}.", must=first.case.must, said=first.said),
        msg("Look at the case under Challenge set, take another run, or release this one with name and reason."),
        run=check.run_id,
        challenge=check.challenge.id,
        cases=[result.case.number for result in check.failing],
    )


def released_by(ws: Workspace, run_id: str) -> tuple[Mapping[str, object], ...]:
    """The releases of a run, oldest first: who, why, when, which cases."""
    return ws.store.list_releases(run_id)
