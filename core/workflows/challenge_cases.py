"""Where the cases of a challenge set come from: events that a person judged, labelled rows, chosen rows, seeded faults, or a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.alarm_logic import AlarmLogic
from core.anomalies.detectability import first_alarms
from core.anomalies.seeding import FaultKind
from core.anomalies.thresholds import Threshold
from core.data.split import TRAIN
from core.errors import DataProblem, SettingProblem, unknown_choice
from core.messages import Message, msg, msg_n
from core.serving import load_bundle
from core.serving.pieces import PIECE
from core.settings import Settings, setting
from core.workflows.anomalies import anomaly_view
from core.workflows.challenge_sets import MOST_JUDGED, Case, ChallengeSet, Draft, Expected, freeze, keep, ordered_rows
from core.workflows.results import Results
from core.workflows.scoring import read_table
from core.workflows.seeding import sensors_of
from core.workflows.seeding_pieces import Fault, cut_pieces, normal_values, usable_rows
from core.workflows.seeding_records import FAULT_TITLES
from core.workflows.workspace import Workspace

REAL = ("assignable_cause", "contained", "closed")  # a closed event has a cause
Source = Literal["events", "labelled", "rows", "seeded", "file"]


class ChallengeSettings(Settings):
    """What becomes a challenge set."""

    source: Source = setting("events", title="Cases from", help="Where the known answers come from.", expert=False)
    name: str = setting("", title="Name", help="Of the set.", max_length=200, expert=False)
    rows: str = setting("", title="Rows", help="As in the table, from 1: 120-180, 205. Each stretch is a case.", expert=False)
    expect: str = setting(
        "",
        title="Must be",
        help="flag, quiet, or the name of a class. Empty: as the rows are labelled.",
        max_length=200,
        expert=False,
    )
    sensor: str | None = setting(None, title="Sensor", help="That gets the fault. Empty: the first.", expert=False)
    kind: FaultKind = setting("step", title="Fault", help="That is seeded.", expert=False)
    size: float | None = setting(None, title="Size", help="In the sensor's unit, for a lag in rows.", gt=0, expert=False)
    length: int = setting(
        30, title="Length", help="Rows that a seeded fault or a quiet stretch lasts.", unit="rows", ge=1, le=2_000
    )
    most: int = setting(10, title="Cases", help="At most so many of each kind or class.", ge=1, le=500)
    quiet: bool = setting(True, title="Good cases too", help="Normal stretches that must not be flagged.")
    missed_too: bool = setting(
        False, title="Also what this run misses", help="A case that this run does not answer as it must blocks it at once."
    )
    run_only: bool = setting(False, title="For this run only", help="Otherwise for every run of the dataset.")
    seed: int = setting(7, title="Seed", help="Which cases are drawn.", ge=0)


def add_challenge(
    ws: Workspace, results: Results, settings: ChallengeSettings, file: Path | None = None
) -> tuple[ChallengeSet, tuple[Message, ...]]:
    """Freeze a challenge set from a finished run; the set, and what was left out and why.

    Raises:
        SettingProblem: the run answers a question that has no such cases; rows or a class that are not there.
        DataProblem: the file lacks columns.
        NotEnoughData: no case is left.
    """
    if results.task not in ("anomaly", "forecast", "classification"):
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("A case has a known answer where a run flags or calls classes."),
            msg("Open a run of anomaly, forecast or classification."),
        )
    if settings.source == "file":
        table, cases = _of_file(results, file)
        return keep(ws, results, settings.name, "file", table, cases, run_only=settings.run_only), ()
    if settings.source == "seeded":
        return _seeded(ws, results, settings)
    if settings.source == "rows":
        drafts, missed = _of_rows(results, settings), 0
    elif settings.source == "events":
        drafts, missed = _of_events(ws, results, settings), 0
    else:
        drafts, missed = _labelled(results, settings)
    if settings.quiet and settings.source in ("events", "labelled") and results.task != "classification" and drafts:
        drafts = [*drafts, *_quiet(ws, results, settings)]
    made = freeze(ws, results, settings.name, settings.source, drafts, run_only=settings.run_only)
    return made, _left_out(missed)


def _left_out(missed: int) -> tuple[Message, ...]:
    if not missed:
        return ()
    return (
        msg_n(
            "{n} known case is left out because this run misses it; ask for it with 'missed_too'.",
            "{n} known cases are left out because this run misses them; ask for them with 'missed_too'.",
            missed,
        ),
    )


def _of_events(ws: Workspace, results: Results, settings: ChallengeSettings) -> list[Draft]:
    """Events that a person called real, the most severe first."""
    _needs_flags(results)
    view = anomaly_view(ws, results)
    order = results.ordered.rows
    groups = None if results.group is None else results.groups(order)
    drafts = []
    for event in (e for e in view.events if e.verdict is not None and e.verdict.verdict in REAL):
        inside = (order >= event.first_row) & (order <= event.last_row)
        if groups is not None:
            inside &= groups.astype(str) == event.group
        rows = order[inside]
        peak = int(np.flatnonzero(rows == event.peak_row)[0])
        low = max(0, min(peak - MOST_JUDGED // 2, len(rows) - MOST_JUDGED))
        title = msg("event in rows {first} to {last}", first=event.first_row + 1, last=event.last_row + 1)
        drafts.append(Draft(title, "flag", "", rows[low : low + MOST_JUDGED]))
    return drafts[: settings.most]


def _labelled(results: Results, settings: ChallengeSettings) -> tuple[list[Draft], int]:
    """Held-out labelled rows: stretches of anomalies, or rows of each class; and how many this run misses."""
    if results.task == "classification":
        return _labelled_classes(results, settings)
    _needs_flags(results)
    given = results.ordered
    labels = given.labels
    if labels is None:
        raise SettingProblem(
            msg("The run '{run}' has no labels.", run=results.run.name),
            msg("Labelled rows are those with 1 in the target column of the run."),
            msg("Choose another source."),
        )
    _, first = ordered_rows(results)
    bad = (labels == 1) & (given.parts > TRAIN)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(np.int8)))
    drafts, missed, limit = [], 0, _limit(results)
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        inside = np.arange(start, min(stop, start + MOST_JUDGED))
        inside = inside[first[inside] == first[start]]
        is_caught = bool((np.nan_to_num(given.judged[inside], nan=-np.inf) > limit).any())
        if not is_caught and not settings.missed_too:
            missed += 1
            continue
        drafts.append(Draft(_rows_title(given.rows[inside]), "flag", "", given.rows[inside]))
    return drafts[: settings.most], missed


def _labelled_classes(results: Results, settings: ChallengeSettings) -> tuple[list[Draft], int]:
    truth = results.cells(["truth"])["truth"]
    called = results.cells(["prediction"])["prediction"].astype(str).to_numpy()
    names = truth.astype(str).to_numpy()
    held = np.isin(results.parts, (1, 2)) & truth.notna().to_numpy()
    rng, drafts, missed = np.random.default_rng(settings.seed), list[Draft](), 0
    for name in sorted(set(names[held])):
        rows = np.flatnonzero(held & (names == name))
        right = rows if settings.missed_too else rows[called[rows] == name]
        missed += len(rows) - len(right)
        some = np.sort(rng.permutation(right)[: settings.most])
        drafts += [Draft(msg("row {row}", row=int(row) + 1), "class", name, np.array([row])) for row in some]
    return drafts, missed


def _quiet(ws: Workspace, results: Results, settings: ChallengeSettings) -> list[Draft]:
    """Normal held-out stretches that this run leaves alone; none where there are too few rows for one."""
    usable = usable_rows(ws, results)
    from core.anomalies.seeding import draw_stretches

    over = np.nan_to_num(results.ordered.judged, nan=np.inf) > _limit(results)
    starts = draw_stretches(
        usable.mask & ~over,
        usable.first,
        before=int(results.manifest.pipeline["width"]),
        length=settings.length,
        n=settings.most,
        seed=settings.seed,
    )
    pieces = [usable.rows[start : start + settings.length] for start in starts]
    return [Draft(_rows_title(rows), "quiet", "", rows) for rows in pieces]


def _of_rows(results: Results, settings: ChallengeSettings) -> list[Draft]:
    order, first = ordered_rows(results)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    drafts = []
    for low, high in _spans(settings.rows, results.n_rows):
        at = np.sort(place[np.arange(low - 1, high)])
        for group in np.unique(first[at]):
            own = order[at[first[at] == group]]
            if results.task == "classification":
                drafts += [
                    Draft(msg("row {row}", row=int(r) + 1), *_expected(results, settings, int(r)), np.array([r])) for r in own
                ]
            else:
                drafts.append(Draft(_rows_title(own), *_expected(results, settings, int(own[0])), own[:MOST_JUDGED]))
    return drafts


def _expected(results: Results, settings: ChallengeSettings, row: int) -> tuple[Expected, str]:
    """What rows must be: as it was said, else as the row is labelled."""
    said = settings.expect.strip()
    if results.task == "classification":
        classes = [n.removeprefix("probability_") for n in results.columns if n.startswith("probability_")]
        truth = results.cells(["truth"], np.array([row]))["truth"].iloc[0]
        value = said.removeprefix("class=") or ("" if pd.isna(truth) else str(truth))
        if value not in classes:
            raise unknown_choice("expect", value, classes)
        return "class", value
    if said and said not in ("flag", "quiet"):
        raise unknown_choice("expect", said, ("flag", "quiet"))
    return ("quiet" if said == "quiet" else "flag"), ""


def _spans(text: str, n_rows: int) -> list[tuple[int, int]]:
    """ "120-180, 205" as pairs of first and last row, from 1.

    Raises:
        SettingProblem: something else, or rows that are not there.
    """
    found: list[tuple[int, int]] = []
    for part in (p.strip() for p in text.replace(";", ",").split(",") if p.strip()):
        low, mark, high = part.partition("-")
        if not low.strip().isdigit() or (mark and not high.strip().isdigit()):
            found = []
            break
        found.append((int(low), int(high) if mark else int(low)))
    if not found or any(not 1 <= low <= high <= n_rows for low, high in found):
        raise SettingProblem(
            msg("{name} is '{value}'.", name="rows", value=text[:80]),
            msg("Expected rows of the table from 1 to {n}, such as 120-180, 205.", n=n_rows),
            msg("Change '{name}' and try again.", name="rows"),
        )
    return found


def _seeded(ws: Workspace, results: Results, settings: ChallengeSettings) -> tuple[ChallengeSet, tuple[Message, ...]]:
    """Seeded faults that must be flagged, and the same stretches without a fault that must not."""
    _needs_flags(results)
    known = sensors_of(results)
    sensor = known[0] if settings.sensor is None and known else settings.sensor or ""
    if sensor not in known:
        raise unknown_choice("sensor", sensor, known)
    usable = usable_rows(ws, results)
    normal, block, sigma = normal_values(results, usable, sensor)
    size = settings.size or (8.0 if settings.kind == "lag" else float(f"{4 * sigma:.3g}"))
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"))
    pieces = cut_pieces(
        results, bundle, usable, length=settings.length, n=settings.most, look_back=0, seed=settings.seed,
        lag=round(size) if settings.kind == "lag" else 0,
    )  # fmt: skip
    tables = {"flag": pieces.seeded(Fault(settings.kind, sensor, size), settings.seed, normal, block)}
    if settings.quiet:
        tables["quiet"] = pieces.table
    parts, cases, missed = [], list[Case](), 0
    for expected, table in tables.items():
        alarms = np.isfinite(first_alarms(pieces.scores(table, AlarmLogic()), AlarmLogic(), _limit(results)))
        for piece in range(pieces.n):
            if bool(alarms[piece]) != (expected == "flag") and not settings.missed_too:
                missed += 1
                continue
            low, high = pieces.bounds(piece)
            at = int(pieces.first[piece]) - low
            number, row = len(cases) + 1, int(pieces.starts[piece]) + 1
            title = msg(
                "{kind} of {size} in {sensor}, row {row}", kind=FAULT_TITLES[settings.kind], size=size, sensor=sensor, row=row
            )
            title = title if expected == "flag" else msg("normal stretch, row {row}", row=row)
            parts.append(table.iloc[low:high].assign(**{PIECE: number}))
            cases.append(Case(number, title, expected, "", at, at + settings.length))  # type: ignore[arg-type]
    table = pd.concat(parts, ignore_index=True) if parts else pieces.table.iloc[:0]
    return keep(ws, results, settings.name, "seeded", table, cases, run_only=settings.run_only), _left_out(missed)


def _of_file(results: Results, file: Path | None) -> tuple[pd.DataFrame, list[Case]]:
    """A table with the columns of the dataset and `expected`: flag, quiet or a class; rows with an empty cell there are history.

    Rows with one value in the column `case` are one case; without that column every row is one.
    """
    if file is None:
        raise SettingProblem(msg("No file was given."), msg("Expected a table of cases."), msg("Give one with --file."))
    table = read_table(file)
    needed = {c.name for c in results.manifest.columns} | set(results.manifest.key_columns)
    absent = [name for name in (*sorted(needed), "expected") if name not in table.columns]
    if absent:
        raise DataProblem(
            msg("'{path}' lacks {columns}.", path=file.name, columns=", ".join(absent)),
            msg("Expected the columns of the dataset, and 'expected' with flag, quiet or a class."),
            msg("Add the columns."),
        )
    codes = pd.factorize(table["case"], use_na_sentinel=False)[0] if "case" in table.columns else np.arange(len(table))
    said = table["expected"].astype("str").where(table["expected"].notna(), "").str.strip().to_numpy()
    parts, cases = [], list[Case]()
    for code in np.unique(codes):
        at = np.flatnonzero(codes == code)
        answers = {word for word in said[at] if word}
        if len(answers) != 1:
            raise DataProblem(
                msg("Case {case} of '{path}' has {n} different answers.", case=int(code) + 1, path=file.name, n=len(answers)),
                msg("Expected one answer a case, in the rows that are judged."),
                msg("Correct the column 'expected'."),
            )
        judged = np.flatnonzero(said[at] != "")
        word, number = answers.pop(), len(cases) + 1
        kind: Expected = "class" if results.task == "classification" else "quiet" if word == "quiet" else "flag"
        if kind == "flag" and word != "flag":
            raise unknown_choice("expected", word, ("flag", "quiet"))
        name = table["case"].iloc[at[0]] if "case" in table.columns else code + 1
        title = msg("case {name}", name=str(name))
        cases.append(Case(number, title, kind, word if kind == "class" else "", int(judged[0]), int(judged[-1]) + 1))
        parts.append(table.iloc[at].drop(columns=[c for c in ("case", "expected") if c in table]).assign(**{PIECE: number}))
    return pd.concat(parts, ignore_index=True), cases


def _needs_flags(results: Results) -> None:
    if results.task not in ("anomaly", "forecast") or results.manifest.threshold is None:
        raise SettingProblem(
            msg("The run '{run}' raises no alarms.", run=results.run.name),
            msg("Events, seeded faults and quiet stretches are cases of runs that do."),
            msg("Choose labelled rows, rows or a file."),
        )


def _limit(results: Results) -> float:
    return Threshold.from_json(results.manifest.threshold or {}).value


def _rows_title(rows: Sequence[int] | NDArray[np.int64]) -> Message:
    first, last = int(min(rows)) + 1, int(max(rows)) + 1
    return msg("row {row}", row=first) if first == last else msg("rows {first} to {last}", first=first, last=last)
