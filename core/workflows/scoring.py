"""New data through a bundle, scores to a file, and a file of scores against the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.formats.records import SourceOptions
from core.data.options import ReadOptions, unanswered
from core.data.reading import read_file
from core.data.room import Room
from core.errors import DataProblem, unknown_column
from core.evaluation import (
    Metric,
    binary_flag_metrics,
    classification_metrics,
    event_recall,
    phm08_score,
    ranking_metrics,
    rarest_class,
    regression_metrics,
    vus_pr,
)
from core.features.targets import class_texts
from core.jobs.judging import label_flags
from core.messages import Message, msg
from core.serving import Bundle, load_bundle
from core.serving.forecasts import STEP, next_values
from core.serving.scoring import NONE_OF_KNOWN, decide, input_notes, raw_scores
from core.store.files import disk_errors
from core.watching import Watch, part_of, unwatched
from core.workflows.apart import is_read_here, read_apart
from core.workflows.challenge import gate
from core.workflows.csv_out import rows_from_one, write_csv, write_csv_parts
from core.workflows.key_matching import comparable_keys
from core.workflows.results import Results
from core.workflows.score_rows import limit_columns, scored_parts
from core.workflows.workspace import Workspace

ROW = "row"
_RESULT = frozenset({"prediction", "lower", "upper", "score", "flag", "real_event", "why_not", NONE_OF_KNOWN, ROW, STEP})


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """What scoring a file gave."""

    rows: int
    out: Path
    warnings: tuple[Message, ...]


def resolve_bundle(ws: Workspace | None, source: str) -> Bundle:
    """A bundle by path, or by the id of a run in the workspace.

    Raises:
        DataProblem: it is neither.
    """
    path = Path(source)
    if not path.exists() and ws is not None and any(run.id == source for run in ws.store.list_runs()):
        path = ws.store.path(source, "bundle")
    if not path.exists():
        raise DataProblem(
            msg("There is no bundle at '{path}'.", path=source),
            msg("Expected a folder or zip that 'train --out' wrote."),
            msg("Check the path."),
        )
    with disk_errors():
        return load_bundle(path)


def read_table(path: Path, options: ReadOptions | None = None, source: SourceOptions | None = None) -> pd.DataFrame:
    """A file as a table, read by the same rules as an import; its first row holds names unless told otherwise.

    Columns of such a file are asked for by name, so that an import's question about its header has one answer here.

    Raises:
        DataProblem: it cannot be read, or something about it has to be decided first.
        StoreProblem: the disk that holds temporary files is full.
    """
    with disk_errors(), TemporaryDirectory(prefix="andon-read-") as folder:
        return _read(path, Path(folder), options, source).table()


def _read(path: Path, folder: Path, options: ReadOptions | None, source: SourceOptions | None) -> Dataset:
    """The file as a dataset that lies in a temporary folder."""
    target = folder / "table.parquet"
    told = options or ReadOptions()
    told = told if told.header is not None else told.with_values(header=True)
    if is_read_here(path):
        reading = read_file(path, target, told)
    else:
        _, reading = read_apart(path, target, shown=path.name, options=told, source=source)
    if reading.outcome == "ask":
        raise unanswered(reading.questions)
    return Dataset("", 1, path.name, target, reading.n_rows, reading.columns, "")


def score_file(
    bundle: Bundle,
    data: Path,
    out: Path,
    options: ReadOptions | None = None,
    source: SourceOptions | None = None,
    watch: Watch = unwatched,
    *,
    ws: Workspace | None = None,
) -> ScoredFile:
    """Score a file: one output row an input row, in order, key columns first; written whole or not at all.

    A forecast gives the values after the last row of each group instead: one output row a value (`core/serving/forecasts.py`).

    Args:
        watch: Told the share that is done, 0 to 1; what it raises ends the work and leaves nothing behind.
        ws: The workspace whose challenge sets the bundle has to pass first; None: it is not asked.

    Raises:
        EscapeProblem: the bundle does not answer a case of a challenge set as it must, and was not released.
        DataProblem: the file cannot be read, or lacks columns that the model needs.
    """
    gate(ws, bundle, "score")
    with disk_errors(), TemporaryDirectory(prefix="andon-score-", ignore_cleanup_errors=True) as folder:
        rows = _read(data, Path(folder), options, source).rows()
        watch(0.2)
        raw = raw_scores(bundle, rows, Room(Path(folder)), part_of(watch, 0.2, 0.9))
        keys = [name for name in bundle.manifest.key_columns if name in rows.names]
        if bundle.manifest.task == "forecast":
            found = next_values(bundle, raw, rows)
            write_csv(found, out)
            return ScoredFile(len(found), out, input_notes(bundle, raw))

        def parts() -> Iterator[pd.DataFrame]:
            for start, stop in rows.stretches():
                head = rows.read(keys, start, stop) if keys else pd.DataFrame({ROW: np.arange(start, stop)})
                scored = decide(bundle, raw, slice(start, stop))
                yield pd.concat([head.reset_index(drop=True), scored.reset_index(drop=True)], axis=1)

        write_csv_parts(parts, out)
        return ScoredFile(rows.n_rows, out, input_notes(bundle, raw))


def export_scores(
    results: Results,
    path: Path,
    rows: NDArray[np.int64] | None = None,
    threshold: float | None = None,
    positive: str | None = None,
) -> None:
    """The scores of a run, or some of its rows, as CSV that a spreadsheet opens safely; rows count from 1.

    At a moved limit it holds the flags or classes of that limit, and the limit itself as the column `threshold`; for
    classes `threshold_of` names the class on whose probability it stands.
    """
    from core.data.split import PART_NAMES

    names, limit = np.array(PART_NAMES, dtype=object), limit_columns(results, threshold, positive)

    def parts() -> Iterator[pd.DataFrame]:
        for table in scored_parts(results, rows, threshold, positive):
            yield rows_from_one(table).assign(**limit).assign(part=names[table["part"].to_numpy()])

    write_csv_parts(parts, path, formula_safe=True)


def evaluate_file(scores: Path, truth: Path, column: str, options: ReadOptions | None = None) -> tuple[Metric, ...]:
    """Figures of a file of scores against a column of another file, joined by the key columns that both have.

    Where the truth names a group only (remaining life), each group's last scored row counts: by the time column that
    the scores still have, else by its place in the file. Without a common key the files are joined row by row, when
    they have the same number of rows.

    Args:
        options: How to read the truth; the scores are as `score` wrote them.

    Raises:
        DataProblem: no such column, or the rows cannot be matched.
    """
    scored, known = read_table(scores), read_table(truth, options)
    if column not in known.columns:
        raise unknown_column(column, [str(c) for c in known.columns])
    if not {"prediction", "flag"} & set(scored.columns):
        raise DataProblem(
            msg("'{path}' holds no scores.", path=scores.name),
            msg("Expected the column prediction, or score and flag."),
            msg("Give the file that 'score --out' wrote."),
        )
    keys = [
        c
        for c in scored.columns
        if c in known.columns and c not in _RESULT and c != column and not c.startswith("probability_")
    ]
    scored, known = comparable_keys(scored, known, keys)
    merged, is_last = _joined(scored, known, keys, column)
    if "flag" in merged:
        return _anomaly_figures(merged)
    if any(c.startswith("probability_") for c in merged.columns):
        return _class_figures(merged)
    return _value_figures(merged, is_last)


def _joined(scored: pd.DataFrame, known: pd.DataFrame, keys: Sequence[str], column: str) -> tuple[pd.DataFrame, bool]:
    """The scored rows with a column `__truth`; and whether each group's last row was taken."""
    truth = known[[*keys, column]].rename(columns={column: "__truth"})
    if not keys:
        if len(scored) != len(known):
            raise DataProblem(
                msg("The scores have {a} rows and the truth has {b}.", a=len(scored), b=len(known)),
                msg("Without a common key column both need the same number of rows."),
                msg("Use a truth file with the key columns of the scores."),
            )
        return scored.assign(__truth=truth["__truth"].to_numpy()), False
    if truth.duplicated(keys).any():
        if len(scored) == len(known) and all(_same(scored[k], known[k]) for k in keys):
            return scored.assign(__truth=truth["__truth"].to_numpy()), False
        raise DataProblem(
            msg("The key {keys} occurs more than once in the truth.", keys=", ".join(keys)),
            msg("Each key needs one true value."),
            msg("Remove the duplicates."),
        )
    is_last = bool(scored.duplicated(keys).any())
    rows = _in_time(scored, keys).drop_duplicates(keys, keep="last") if is_last else scored
    merged = rows.merge(truth, on=list(keys), how="inner")
    if merged.empty:
        raise DataProblem(
            msg("No row of the scores matches the truth by {keys}.", keys=", ".join(keys)),
            msg("Expected the same key values in both files."),
            msg("Check that both belong together."),
        )
    return merged, is_last


def _in_time(scored: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The scored rows by their time, when one key column of the scores is left that can be it; else as they stand."""
    rest = [c for c in scored.columns if c not in keys and c not in _RESULT and not c.startswith("probability_")]
    if len(rest) != 1 or not (
        pd.api.types.is_numeric_dtype(scored[rest[0]]) or pd.api.types.is_datetime64_any_dtype(scored[rest[0]])
    ):
        return scored
    return scored.sort_values(rest[0], kind="stable", na_position="first")


def _same(a: pd.Series, b: pd.Series) -> bool:
    return bool((a.astype("str").to_numpy() == b.astype("str").to_numpy()).all())


def _value_figures(merged: pd.DataFrame, is_last: bool) -> tuple[Metric, ...]:
    if not pd.api.types.is_numeric_dtype(merged["__truth"]):
        raise DataProblem(
            msg("The truth holds texts, and the scores are numbers."),
            msg("Expected a column of numbers."),
            msg("Choose another truth column."),
        )
    truth = merged["__truth"].to_numpy(dtype=np.float64)
    predicted = merged["prediction"].to_numpy(dtype=np.float64)
    found = regression_metrics(truth, predicted)
    return (*found, phm08_score(truth, predicted)) if is_last else found


def _anomaly_figures(merged: pd.DataFrame) -> tuple[Metric, ...]:
    labels = label_flags(class_texts(merged["__truth"]))
    scores = merged["score"].to_numpy(dtype=np.float64)
    known = np.isfinite(labels) & np.isfinite(scores)
    flags = merged["flag"].astype("str").str.lower().isin(["true", "1", "1.0"]).to_numpy()
    truth = labels[known] > 0
    share = Metric("flagged_fraction", float(flags[known].mean()), int(known.sum())) if known.any() else None
    first = (share,) if share is not None else ()
    return (
        *first,
        *binary_flag_metrics(truth, flags[known]),
        *ranking_metrics(truth, scores[known]),
        *_figures_in_time(merged[known], truth, flags[known], scores[known]),
    )


def _figures_in_time(
    merged: pd.DataFrame, truth: NDArray[np.bool_], flags: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[Metric, ...]:
    """Figures of whole events, where a key column says when the rows were; the other keys tell the machines apart."""
    keys = [c for c in merged.columns if c not in _RESULT and c != "__truth" and not c.startswith("probability_")]
    times = [c for c in keys if pd.api.types.is_datetime64_any_dtype(merged[c]) or pd.api.types.is_numeric_dtype(merged[c])]
    if len(times) != 1:
        return ()
    others = [c for c in keys if c != times[0]]
    codes = merged.groupby(others, sort=False, dropna=False).ngroup().to_numpy() if others else np.zeros(len(merged))
    order = np.lexsort([merged[times[0]].to_numpy(), codes])
    groups = codes[order]
    return (
        event_recall(truth[order], flags[order], groups=groups),
        vus_pr(truth[order], scores[order], groups=groups),
    )


def _class_figures(merged: pd.DataFrame) -> tuple[Metric, ...]:
    """Figures of the predicted classes; for two classes the rarer true one is the positive (`rarest_class`)."""
    classes = [c.removeprefix("probability_") for c in merged.columns if c.startswith("probability_")]
    codes = pd.Categorical(class_texts(merged["__truth"]), categories=classes).codes.astype(np.int64)
    predicted = pd.Categorical(class_texts(merged["prediction"]), categories=classes).codes.astype(np.int64)
    probabilities = merged[[f"probability_{c}" for c in classes]].to_numpy(dtype=np.float64)
    if len(classes) != 2:
        return classification_metrics(codes, probabilities, classes)
    place = rarest_class(codes, 2)
    cut = _decision_of(predicted == place, probabilities[:, place])
    return classification_metrics(codes, probabilities, classes, place, cut)


def _decision_of(flagged: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """A threshold that flags just the rows that were flagged: the largest probability among the others."""
    others = probability[~flagged]
    return float(others.max()) if others.size else -1.0
