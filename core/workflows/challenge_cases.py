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
from core.workflows import challenge_sets
from core.workflows.anomalies import anomaly_view
from core.workflows.challenge_sets import MOST_JUDGED, Case, ChallengeSet, Draft, Expected, check_room, freeze, keep
from core.workflows.results import Results
from core.workflows.scoring import read_table
from core.workflows.seeding import sensors_of
from core.workflows.seeding_pieces import Fault, cut_pieces, normal_values, usable_rows
from core.workflows.seeding_records import FAULT_TITLES
from core.workflows.workspace import Workspace

OWN_NAME = "challenge_"
"""What stands before `case` and `expected` in a file whose dataset has columns of these names."""
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
    made = freeze(ws, results, settings.name, settings.source, drafts, run_only=settings.run_only, missed=missed)
    return made, _left_out(missed)


def _left_out(missed: int) -> tuple[Message, ...]:
    if not missed:
        return ()
    return (
        msg_n(
            "{n} known case of all classes is left out because this run answers it otherwise; 'Also what this run misses' (missed_too) takes it in.",
            "{n} known cases of all classes are left out because this run answers them otherwise; 'Also what this run misses' (missed_too) takes them in.",
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
    for event in (e for e in view.events if e.is_real):
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
    bad = np.flatnonzero((labels == 1) & (given.parts > TRAIN))
    breaks = np.flatnonzero((np.diff(bad) > 1) | results.places.begins[bad[1:]]) + 1
    drafts, missed, limit = [], 0, _limit(results)
    for stretch in np.split(bad, breaks) if len(bad) else ():
        inside = stretch[:MOST_JUDGED]
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
    """Each stretch of rows as a case, for classes each row; they must be what was said, else what they are labelled."""
    spans, said = _spans(settings.rows, results.n_rows), settings.expect.strip()
    if results.task == "classification":
        check_room(sum(high - low + 1 for low, high in spans), challenge_sets.MOST_ROWS // challenge_sets.SMALLEST_HISTORY)
        rows = np.concatenate([np.arange(low - 1, high) for low, high in spans])
        names = _expected_classes(results, said, rows)
        titles = (msg("row {row}", row=int(row) + 1) for row in rows)
        return [Draft(t, "class", name, np.array([row])) for t, name, row in zip(titles, names, rows.tolist(), strict=True)]
    if said and said not in ("flag", "quiet"):
        raise unknown_choice("expect", said, ("flag", "quiet"))
    expected: Expected = "quiet" if said == "quiet" else "flag"
    drafts = []
    for low, high in spans:
        found = results.in_order(np.arange(low - 1, high))
        for own in np.split(found.rows, np.flatnonzero(found.begins)[1:]):
            drafts.append(Draft(_rows_title(own), expected, "", own[:MOST_JUDGED]))
    return drafts


def _expected_classes(results: Results, said: str, rows: NDArray[np.int64]) -> list[str]:
    """The class that each row must be called, the column of labels read once."""
    classes = [n.removeprefix("probability_") for n in results.columns if n.startswith("probability_")]
    if said:
        names = [said.removeprefix("class=")] * len(rows)
    else:
        truth = results.cells(["truth"], rows)["truth"]
        names = truth.astype(str).where(truth.notna(), "").tolist()
    for name in names:
        if name not in classes:
            raise unknown_choice("expect", name, classes)
    return names


def _spans(text: str, n_rows: int) -> list[tuple[int, int]]:
    """ "120-180, 205" as pairs of first and last row, from 1.

    Raises:
        SettingProblem: something else, or rows that are not there.
    """
    found: list[tuple[int, int]] = []
    for part in (p.strip() for p in text.replace(";", ",").split(",") if p.strip()):
        low, mark, high = part.partition("-")
        if not low.strip().isdecimal() or (mark and not high.strip().isdecimal()):
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
    normal = normal_values(results, usable, (sensor,))
    size = settings.size or (8.0 if settings.kind == "lag" else float(f"{4 * normal.sigmas[0]:.3g}"))
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"))
    pieces = cut_pieces(
        results, bundle, usable, length=settings.length, n=settings.most, look_back=0, seed=settings.seed,
        lag=round(size) if settings.kind == "lag" else 0,
    )  # fmt: skip
    tables = {"flag": pieces.seeded(Fault(settings.kind, (sensor,), (size,)), settings.seed, normal.values, normal.block)}
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
    made = keep(ws, results, settings.name, "seeded", table, cases, run_only=settings.run_only, missed=missed)
    return made, _left_out(missed)


def _of_file(results: Results, file: Path | None) -> tuple[pd.DataFrame, list[Case]]:
    """A table with the columns of the dataset and `expected`: flag, quiet or a class; rows with an empty cell there are history.

    Rows with one value in the column `case` are one case; without that column every row is one. Where the dataset has columns of these
    names itself, they stay what they are, and the answers stand in `challenge_expected`, the cases in `challenge_case`.
    """
    if file is None:
        raise SettingProblem(msg("No file was given."), msg("Expected a table of cases."), msg("Give one with --file."))
    table = read_table(file)
    needed = {c.name for c in results.manifest.columns} | set(results.manifest.key_columns)
    own = needed | {c.name for c in results.dataset.columns}
    answer, case = (_said_in(table, own, name) for name in ("expected", "case"))
    absent = [name for name in (*sorted(needed), answer) if name not in table.columns]
    if absent:
        raise DataProblem(
            msg("'{path}' lacks {columns}.", path=file.name, columns=", ".join(absent)),
            msg("Expected the columns of the dataset, and '{answer}' with flag, quiet or a class.", answer=answer),
            msg("Add the columns."),
        )
    codes = pd.factorize(table[case], use_na_sentinel=False)[0] if case in table.columns else np.arange(len(table))
    said = table[answer].astype("str").where(table[answer].notna(), "").str.strip().to_numpy()
    if not (said != "").any():
        raise DataProblem(
            msg("No row of '{path}' has an answer in '{answer}'.", path=file.name, answer=answer),
            msg("Expected flag, quiet or a class in the rows that are judged."),
            msg("Fill in the column '{answer}'.", answer=answer),
        )
    parts, cases = [], list[Case]()
    for code in np.unique(codes):
        at = np.flatnonzero(codes == code)
        answers = {word for word in said[at] if word}
        if len(answers) != 1:
            raise DataProblem(
                msg("Case {case} of '{path}' has {n} different answers.", case=int(code) + 1, path=file.name, n=len(answers)),
                msg(
                    "Expected one answer a case, in the rows that are judged; the rows of a case have one value in '{case}'.",
                    case=case,
                ),
                msg("Correct the columns '{answer}' and '{case}'.", answer=answer, case=case),
            )
        judged = np.flatnonzero(said[at] != "")
        word, number = answers.pop(), len(cases) + 1
        kind: Expected = "class" if results.task == "classification" else "quiet" if word == "quiet" else "flag"
        if kind == "flag" and word != "flag":
            raise unknown_choice("expected", word, ("flag", "quiet"))
        name = table[case].iloc[at[0]] if case in table.columns else code + 1
        title = msg("case {name}", name=f"{name:g}" if isinstance(name, float) else str(name))
        first, stop = int(judged[0]), int(judged[-1]) + 1
        some = () if stop - first == len(judged) else tuple(judged.tolist())
        cases.append(Case(number, title, kind, word if kind == "class" else "", first, stop, some))
        parts.append(table.iloc[at].drop(columns=[c for c in (case, answer) if c in table]).assign(**{PIECE: number}))
    return pd.concat(parts, ignore_index=True), cases


def _said_in(table: pd.DataFrame, own: set[str], name: str) -> str:
    """The column of a file that says what a row must be or which case it is of: never one that the dataset itself has."""
    other = f"{OWN_NAME}{name}"
    return other if name in own or (other in table.columns and other not in own) else name


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
