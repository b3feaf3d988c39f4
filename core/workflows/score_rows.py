"""The scored rows of a run: as they are at a decision limit that was moved, and those of them that are asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import PART_NAMES
from core.errors import unknown_choice
from core.evaluation import predict_classes
from core.workflows.predictions import class_rule
from core.workflows.results import Results

ROW_KINDS: dict[str, tuple[str, ...]] = {
    "regression": ("all", "refused", "outside"),
    "rul": ("all", "refused", "outside"),
    "classification": ("all", "refused", "wrong"),
    "anomaly": ("all", "refused", "flag"),
}


def scores_at(results: Results, threshold: float | None = None, positive: str | None = None) -> pd.DataFrame:
    """The scores of a run at a decision limit; nothing is scored again.

    An anomaly run is flagged where score > threshold, padded windows never. A classification is called by the rule of
    `classification_view` for the same `threshold` and `positive` class, so that table, file and matrix agree. Without a
    moved limit, and for other tasks, the scores are as the run stored them.
    """
    if results.task == "anomaly" and threshold is not None:
        return results.scores.assign(flag=np.nan_to_num(results.judged, nan=-np.inf) > threshold)
    if results.task == "classification":
        return _called(results, threshold, positive)
    return results.scores


def limit_columns(results: Results, threshold: float | None, positive: str | None) -> dict[str, float | str]:
    """What a file of scores says of a moved limit: `threshold`, and for classes the one that it belongs to; else nothing."""
    if results.task == "anomaly" and threshold is not None:
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
        kind: "all", "refused" (rows with a remark), "wrong" (known class, another one called), "flag", or "outside"
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


def _called(results: Results, threshold: float | None, positive: str | None) -> pd.DataFrame:
    """The scores with the classes that the rule calls; rows without probabilities stay without a class."""
    rule = class_rule(results.manifest, positive, threshold)
    if rule.is_stored:
        return results.scores
    names = np.array([*rule.classes, ""], dtype=object)
    chances = results.scores[[f"probability_{c}" for c in rule.classes]].to_numpy(dtype=np.float64)
    known = np.isfinite(chances).all(axis=1)
    codes = np.where(known, predict_classes(np.nan_to_num(chances), rule.place, rule.threshold), len(rule.classes))
    return results.scores.assign(prediction=names[codes])


def _of_kind(scores: pd.DataFrame, kind: str) -> NDArray[np.bool_]:
    """Rows of one kind, (n_rows,); none where the columns that tell are not there."""
    none = np.zeros(len(scores), dtype=bool)
    if kind == "refused":
        return scores["why_not"].fillna("").astype(str).to_numpy() != "" if "why_not" in scores else none
    if kind == "flag":
        return scores["flag"].fillna(False).to_numpy(dtype=bool) if "flag" in scores else none
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
