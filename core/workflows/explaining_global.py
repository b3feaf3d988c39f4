"""What a model lives on as a whole: permutation importance on the test part, and how its output follows one column."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.data.split import TEST
from core.errors import NotEnoughData, unknown_choice
from core.evaluation import classification_metrics, ranking_metrics
from core.explain.columns import Floats, Reach, Windows
from core.explain.dependence import METHODS, Dependence, Method, accumulated_effects, partial_dependence
from core.explain.permutation import REPEATS, STRETCHES, Importances, Outputs, permutation_importance
from core.features.targets import ClassTarget
from core.messages import Message, msg
from core.serving.explained import Output, all_outputs
from core.watching import Watch, unwatched
from core.workflows.explaining import Explainer, Said, evenly, what_is_said

SECONDS = 8.0
"""Time that a look at the whole model may take in the web process; the number of rows follows from the model's speed."""
FEWEST_ROWS, MOST_ROWS = 50, 2_000


@dataclass(frozen=True, slots=True)
class ImportanceView:
    """Which columns the model lives on, by the growth of `what` in `unit` on rows of the test part."""

    what: Message
    unit: str
    found: Importances
    headline: Message


@dataclass(frozen=True, slots=True)
class DependenceView:
    """How the output `said` follows a column, with the share of places of the curve that are a guess."""

    column: str
    unit: str
    said: Said
    curve: Dependence
    reach: Reach
    headline: Message


@dataclass(frozen=True, slots=True)
class _Error:
    """What is measured: what is said of windows in the order of the rows that were taken, and the error of that at some of their places."""

    what: Message
    unit: str
    predict: Callable[[Windows], Outputs]
    of: Callable[[Outputs, NDArray[np.int64]], float]


def global_importance(
    explainer: Explainer, *, seconds: float = SECONDS, repeats: int = REPEATS, seed: int = 7, watch: Watch = unwatched
) -> ImportanceView:
    """Permutation importance on rows of the test part, as many as the time allows.

    Raises:
        NotEnoughData: fewer than 10 rows of the test part have a window and a truth.
    """
    places = _test_places(explainer)
    truth = _truth(explainer, places)
    places = places if truth is None else places[_known(truth)]
    if len(places) < 10:
        raise NotEnoughData(
            msg("Only {n} rows of the test part can be judged.", n=len(places)),
            msg("Importance is measured on at least 10 of them."),
            msg("Use a split with a longer test part."),
        )
    places = evenly(places, _affordable(explainer, seconds, 1.3 * len(explainer.columns) * repeats))
    windows = explainer.inputs.windows.batch(places)
    error = _error(explainer, windows, None if truth is None else _truth(explainer, places))
    block = -(-explainer.bundle.pipeline.width // max(1, int(np.median(np.diff(places))) if len(places) > 1 else 1))
    found = permutation_importance(
        error.predict, error.of, windows, explainer.columns, block=block, repeats=repeats, seed=seed, watch=watch
    )
    return ImportanceView(error.what, error.unit, found, _importance_headline(error, found))


def column_dependence(
    explainer: Explainer,
    column: str,
    *,
    method: Method = "ale",
    klass: str | None = None,
    reach: Reach = "window",
    seconds: float = SECONDS,
) -> DependenceView:
    """The curve of one column over rows of the training part.

    Raises:
        SettingProblem: the model does not read it, it holds no numbers, or there is no such method or class.
    """
    if method not in METHODS:
        raise unknown_choice("method", method, METHODS)
    own, said = explainer.number_column(column), what_is_said(explainer, klass)
    output, training = Output(explainer.bundle, said.place), explainer.training
    n = min(len(training), _affordable(explainer, seconds, 2 if method == "ale" else 4))
    windows = training[evenly(np.arange(len(training)), n)]
    if method == "ale":
        curve = accumulated_effects(output, windows, own, reach=reach)
    else:
        curve = partial_dependence(output, windows, own, explainer.conditional, reach=reach)
    return DependenceView(column, own.unit, said, curve, reach, _dependence_headline(own.titled, said, curve))


def _test_places(explainer: Explainer) -> NDArray[np.int64]:
    return np.flatnonzero(explainer.results.parts[explainer.inputs.row_of_window] == TEST)


def _truth(explainer: Explainer, places: NDArray[np.int64]) -> NDArray | None:
    """The truth of the rows at some places: values, class codes (−1 unknown), labels of anomalies, or None without any."""
    results, rows = explainer.results, explainer.inputs.row_of_window[places]
    target = explainer.bundle.target
    if isinstance(target, ClassTarget):
        return target.encode(results.cells(["truth"], rows)["truth"].to_numpy(dtype=object))
    if results.task == "forecast":
        own, first = explainer.inputs.own, explainer.inputs.windows.first_row
        following = np.minimum(places + 1, len(first) - 1)
        goes_on = (following > places) & (np.asarray(first)[following] == np.asarray(first)[places])
        return None if own is None else np.where(goes_on, own[following], np.nan)
    if results.task == "anomaly":
        labels = results.ordered.labels
        if labels is None:
            return None
        by_row = np.full(results.n_rows, np.nan)
        by_row[results.ordered.rows] = labels
        found = by_row[rows]
        return found if len(np.unique(found[np.isfinite(found)])) == 2 else None
    return results.numbers("truth", rows)


def _known(truth: NDArray) -> NDArray[np.bool_]:
    return truth >= 0 if truth.dtype.kind == "i" else np.isfinite(truth)


def _error(explainer: Explainer, windows: Windows, truth: NDArray | None) -> _Error:
    """The error that fits the question, in its own unit; without a truth how far the scores move."""
    bundle, target = explainer.bundle, explainer.bundle.target
    if isinstance(target, ClassTarget) and truth is not None:
        if len(target.classes) == 2:
            place = target.classes.index(bundle.manifest.positive or target.classes[-1])
            is_positive = truth == place
            return _Error(
                msg("ROC AUC lost"),
                "",
                lambda some: all_outputs(bundle, some)[:, place],
                lambda said, at: _auc_error(is_positive[at], said[at]),
            )
        names, chances = target.classes, partial(all_outputs, bundle)
        return _Error(msg("macro F1 lost"), "", chances, lambda said, at: _f1_error(truth[at], said[at], names))
    output = Output(bundle, 0)
    if target is None and truth is not None:
        return _Error(msg("ROC AUC lost"), "", output, lambda said, at: _auc_error(truth[at] > 0, said[at]))
    if target is None:
        as_is = output(windows)
        return _Error(msg("change of the score"), "", output, lambda said, at: float(np.mean(np.abs(said - as_is)[at])))
    known = np.asarray(truth, dtype=np.float64)
    return _Error(
        msg("growth of RMSE"), explainer.results.unit, output, lambda said, at: float(np.sqrt(np.mean((said - known)[at] ** 2)))
    )


def _auc_error(truth: NDArray[np.bool_], scores: Floats) -> float:
    """1 − area under the ROC curve; 0.5, that of a coin, where only one class is among the rows."""
    found = {metric.key: metric.value for metric in ranking_metrics(truth, scores, n_boot=0)}["roc_auc"]
    return 0.5 if found is None else 1 - found


def _f1_error(truth: NDArray[np.int64], chances: Floats, names: tuple[str, ...]) -> float:
    """1 − macro F1 of the most probable class; 1 where it is not defined."""
    found = {m.key: m.value for m in classification_metrics(truth, chances, names, None, 0.5, n_boot=0)}["macro_f1"]
    return 1.0 if found is None else 1 - found


def _affordable(explainer: Explainer, seconds: float, passes: float) -> int:
    """How many windows can be predicted so many times within the time, by a measured batch."""
    sample = explainer.training[:64]
    output = Output(explainer.bundle, 0)
    output(sample[:8])
    began = time.perf_counter()
    output(sample)
    each = (time.perf_counter() - began) / max(1, len(sample))
    return int(np.clip(seconds / max(1e-9, each * passes), FEWEST_ROWS, MOST_ROWS))


def _bar(n_columns: int) -> float:
    """How many standard errors the largest of so many means must be above 0: Student's t at 5 % over the number of columns."""
    from scipy.special import stdtrit

    return float(stdtrit(STRETCHES - 1, 1 - 0.05 / max(1, n_columns)))


def _importance_headline(error: _Error, found: Importances) -> Message:
    first = found.singles[0] if found.singles else None
    if first is None or first.mean <= _bar(len(found.singles)) * first.spread:
        return msg("No column alone makes the model clearly worse when it is shuffled.")
    unit = f" {error.unit}" if error.unit else ""
    return msg(
        "The model lives most on {column}: {what} {value}{unit} when it is shuffled",
        column=first.columns[0],
        what=error.what,
        value=f"{first.mean:.3g}",
        unit=unit,
    )


def _dependence_headline(column: str, said: Said, curve: Dependence) -> Message:
    trusted: Floats = curve.effects[~curve.is_thin]
    unit = f" {said.unit}" if said.unit else ""
    if len(trusted) < 2:
        return msg("Too few rows lie anywhere along {column} to say how the model follows it.", column=column)
    return msg(
        "Along {column}, the {what} changes by {value}{unit} where the data carry it",
        column=column,
        what=said.what,
        value=f"{float(trusted.max() - trusted.min()):.3g}",
        unit=unit,
    )
