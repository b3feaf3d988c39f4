"""The scored rows of a run: as they are at a decision limit that was moved, and those of them that are asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import PART_NAMES
from core.errors import unknown_choice
from core.evaluation import predict_classes
from core.serving.raw import PADDED
from core.serving.scoring import NONE_OF_KNOWN
from core.workflows.class_rows import class_rule
from core.workflows.results import Results

FEW_ROWS = 100_000
ROW_KINDS: dict[str, tuple[str, ...]] = {
    "regression": ("all", "refused", "outside"),
    "rul": ("all", "refused", "outside"),
    "classification": ("all", "refused", "wrong", "unknown"),
    "anomaly": ("all", "refused", "flag"),
    "forecast": ("all", "refused", "flag"),
}


def scores_at(
    results: Results, threshold: float | None = None, positive: str | None = None, scores: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The scores of a run at a decision limit; nothing is scored again.

    An anomaly run is flagged where score > threshold, padded windows never. A classification is called by the rule of
    `classification_view` for the same `threshold` and `positive` class, so that table, file and matrix agree. Without a
    moved limit, and for other tasks, the scores are as the run stored them.

    Args:
        scores: Some rows of the run's scores with all their columns; all rows by default.
    """
    table = results.scores if scores is None else scores
    if results.task in ("anomaly", "forecast") and threshold is not None:
        judged = np.where(table["why_not"] == PADDED, -np.inf, np.nan_to_num(table["score"].to_numpy(), nan=-np.inf))
        return table.assign(flag=judged > threshold)
    if results.task == "classification":
        return _called(results, table, threshold, positive)
    return table


def scored_rows(
    results: Results, rows: NDArray[np.int64], threshold: float | None = None, positive: str | None = None
) -> pd.DataFrame:
    """Some rows of the scores by number, (n, columns) in the order asked for, at a decision limit."""
    return scores_at(results, threshold, positive, results.cells(results.columns, rows))


def scored_parts(
    results: Results,
    rows: NDArray[np.int64] | None = None,
    threshold: float | None = None,
    positive: str | None = None,
) -> Iterator[pd.DataFrame]:
    """The scores, or some rows of them, in parts that fit into memory; at least one, which may be empty. Rows that do not
    rise come in one part."""
    if rows is not None and (len(rows) <= FEW_ROWS or (np.diff(rows) < 0).any()):
        yield scored_rows(results, rows, threshold, positive)
        return
    for start, part in results.stretches():
        table = scores_at(results, threshold, positive, part)
        if rows is None:
            yield table
            continue
        first, stop = np.searchsorted(rows, (start, start + len(part)))
        yield table.iloc[rows[first:stop] - start]


def matching_rows(
    results: Results,
    threshold: float | None = None,
    positive: str | None = None,
    *,
    part: str = "all",
    kind: str = "all",
    text: str = "",
) -> NDArray[np.int64]:
    """The numbers of the rows that `filter_scores` keeps of the scores at a decision limit, (n_kept,) ascending.

    Raises:
        SettingProblem: no such part, or no such kind for this task.
    """
    if part == kind == "all" and not text.strip():
        return np.arange(results.n_rows)
    kept = [
        start + filter_scores(scores_at(results, threshold, positive, table), results.task, part=part, kind=kind, text=text)
        for start, table in results.stretches()
    ]
    return np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)


def count_unknown(results: Results, part: str = "all") -> int:
    """How many rows of a part are unlike every class of the training part; only the two columns that say so are read.

    Raises:
        SettingProblem: no such part.
    """
    if part != "all" and part not in PART_NAMES:
        raise unknown_choice("part", part, (*PART_NAMES, "all"))
    if NONE_OF_KNOWN not in results.columns:
        return 0
    cells = results.cells(["part", NONE_OF_KNOWN])
    unknown = cells[NONE_OF_KNOWN].fillna(False).to_numpy(dtype=bool)
    return int(np.count_nonzero(unknown if part == "all" else unknown & (cells["part"].to_numpy() == PART_NAMES.index(part))))


def limit_columns(results: Results, threshold: float | None, positive: str | None) -> dict[str, float | str]:
    """What a file of scores says of a moved limit: `threshold`, and for classes the one that it belongs to; else nothing."""
    if results.task in ("anomaly", "forecast") and threshold is not None:
        return {"threshold": float(threshold)}
    if results.task == "classification":
        rule = class_rule(results.manifest, positive, threshold)
        return {} if rule.is_stored else {"threshold": rule.threshold, "threshold_of": rule.positive}
    return {}


def filter_scores(
    scores: pd.DataFrame, task: str, *, part: str = "all", kind: str = "all", text: str = ""
) -> NDArray[np.int64]:
    """Positions in `scores` of the rows of a part, of a kind and with a text, (n_kept,) ascending.

    Args:
        scores: Scored rows as `scores_at` gives them.
        task: The question of the run; it says which kinds there are.
        part: "train", "validation", "test", "gap" or "all".
        kind: "all", "refused" (rows with a remark), "wrong" (known class, another one called), "unknown" (unlike
            every class of the training part), "flag", or "outside"
            (known value outside its interval).
        text: What a key column, class or row number has to contain, in any case; measured and scored numbers are not searched.

    Raises:
        SettingProblem: no such part, or no such kind for this task.
    """
    if part != "all" and part not in PART_NAMES:
        raise unknown_choice("part", part, (*PART_NAMES, "all"))
    if kind not in ROW_KINDS[task]:
        raise unknown_choice("kind", kind, ROW_KINDS[task])
    kept = np.ones(len(scores), dtype=bool)
    if part != "all":
        kept &= scores["part"].to_numpy() == PART_NAMES.index(part)
    if kind != "all":
        kept &= _of_kind(scores, kind)
    if text.strip():
        kept &= _contains(scores, text.strip())
    return np.flatnonzero(kept)


def _called(results: Results, table: pd.DataFrame, threshold: float | None, positive: str | None) -> pd.DataFrame:
    """The scores with the classes that the rule calls; rows without probabilities stay without a class."""
    rule = class_rule(results.manifest, positive, threshold)
    if rule.is_stored:
        return table
    names = np.array([*rule.classes, ""], dtype=object)
    chances = table[[f"probability_{c}" for c in rule.classes]].to_numpy(dtype=np.float64)
    known = np.isfinite(chances).all(axis=1)
    codes = np.where(known, predict_classes(np.nan_to_num(chances), rule.place, rule.threshold), len(rule.classes))
    return table.assign(prediction=names[codes])


def _of_kind(scores: pd.DataFrame, kind: str) -> NDArray[np.bool_]:
    """Rows of one kind, (n_rows,); none where the columns that tell are not there."""
    none = np.zeros(len(scores), dtype=bool)
    if kind == "refused":
        return scores["why_not"].fillna("").astype(str).to_numpy() != "" if "why_not" in scores else none
    if kind == "flag":
        return scores["flag"].fillna(False).to_numpy(dtype=bool) if "flag" in scores else none
    if kind == "unknown":
        return scores[NONE_OF_KNOWN].fillna(False).to_numpy(dtype=bool) if NONE_OF_KNOWN in scores else none
    if kind == "wrong":
        if "truth" not in scores:
            return none
        called, true = scores["prediction"].astype(str), scores["truth"].astype(str)
        return (scores["truth"].notna() & (called != "") & (called != true)).to_numpy()
    if not {"truth", "lower", "upper"} <= set(scores):
        return none
    return ((scores["truth"] < scores["lower"]) | (scores["truth"] > scores["upper"])).to_numpy()


def _contains(scores: pd.DataFrame, text: str) -> NDArray[np.bool_]:
    found = np.zeros(len(scores), dtype=bool)
    for name, cells in scores.items():
        if name in ("part", "why_not") or pd.api.types.is_float_dtype(cells) or pd.api.types.is_bool_dtype(cells):
            continue
        found |= cells.astype(str).str.contains(text, case=False, regex=False, na=False).to_numpy()
    return found
