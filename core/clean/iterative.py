"""Missing numbers predicted from the other columns, round after round, with the spread between repeated draws.

scikit-learn's IterativeImputer with BayesianRidge does the fit (van Buuren, Groothuis-Oudshoorn, "mice", J. Stat.
Software 2011); the coefficients of each round are kept and replayed in NumPy. Multiple imputation (Rubin,
"Multiple Imputation for Nonresponse in Surveys", 1987): m draws from the posterior predictive distribution, of which a
cell gets the mean; the standard deviation between the draws says how much of the value is guessed.

A row's draws come from its own known cells by a hash, so that the same row always gets the same draws, whatever
rows come with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.arrays import pack, unpack
from core.clean.cells import applied, names_of, nothing_learned, numbers, with_cells
from core.clean.row_outliers import drawn
from core.clean.scaling import centre_and_scale
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

MOST_COLUMNS = 40
SMALLEST_ROWS = 10
_CHUNK = 8192


class IterativeSettings(Settings):
    """How often the columns are predicted from one another, and how many draws are made."""

    draws: int = setting(
        5,
        title="Draws",
        help="Values drawn for each missing cell; it gets their mean, and their spread is shown. 1: the prediction itself.",
        ge=1,
        le=50,
        expert=False,
    )
    rounds: int = setting(5, title="Rounds", help="How often each column is predicted from the others.", ge=1, le=20)
    rows: int = setting(5000, title="Training rows used", help="Drawn at random to learn from.", unit="rows", ge=100, le=50_000)


@dataclass(frozen=True, slots=True)
class Regression:
    """A column predicted from all others, in their order: intercept + values · coefficients.

    `centre` (n_others,) and `factor` (n_others, n_others) give the variance of a draw, |(x - centre) factor|² + noise.
    """

    column: int
    intercept: float
    coefficients: NDArray[np.float64]
    centre: NDArray[np.float64]
    factor: NDArray[np.float64]
    noise: float


@dataclass(frozen=True, slots=True)
class FittedIterative:
    """Regressions in the order in which they are replayed; cells start at the training mean, 0 when scaled.

    `spread` has the standard deviation between draws, in the column's unit, of the training part's missing cells;
    None where it had none, or without draws.
    """

    columns: tuple[str, ...]
    scales: tuple[tuple[float, float] | None, ...]
    sequence: tuple[Regression, ...]
    draws: int
    spread: Mapping[str, float | None]
    key: str = "iterative_fill"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        known = [(n, s) for n, s in zip(self.columns, self.scales, strict=True) if s is not None]
        notes = (*nothing_learned([n for n, s in zip(self.columns, self.scales, strict=True) if s is None]), *self.learned())
        if not known or not len(table):
            return applied(table, Change(notes=notes))
        scaled = np.column_stack([_scaled(table, name, scale) for name, scale in known])
        filled = impute(scaled, self.sequence, self.draws)[0]
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for i, (name, scale) in enumerate(known):
            empty = np.isnan(scaled[:, i])
            if empty.any():
                cells[name] = np.where(empty, filled[:, i] * scale[1] + scale[0], numbers(table, name))
                changed[name] = int(empty.sum())
        return applied(with_cells(table, cells), Change(changed_cells=changed, notes=notes))

    def state(self) -> dict[str, object]:
        return {
            "columns": list(self.columns),
            "scales": [None if s is None else list(s) for s in self.scales],
            "sequence": [_regression_state(r) for r in self.sequence],
            "draws": self.draws,
            "spread": dict(self.spread),
        }

    def learned(self) -> tuple[Message, ...]:
        """The between-draw spread a column, as the training part showed it."""
        return tuple(
            msg("Filled cells of '{column}' differ by ±{spread} between {m} draws", column=name, spread=value, m=self.draws)
            for name, value in self.spread.items()
            if value is not None
        )


def impute(
    values: NDArray[np.float64], sequence: tuple[Regression, ...], draws: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cells filled, and the standard deviation between draws (n - 1; 0 with one draw); (n_rows, n_columns) both.

    With one draw a cell gets the posterior mean of the last round, which is scikit-learn's answer without sampling.
    """
    filled, spread = values.copy(), np.zeros(values.shape)
    lacking = np.flatnonzero(np.isnan(values).any(axis=1))
    for start in range(0, len(lacking), _CHUNK):
        rows = lacking[start : start + _CHUNK]
        part, empty = values[rows], np.isnan(values[rows])
        identity = _row_hash(part) if draws > 1 else None
        found = np.stack([_replay(part, empty, sequence, identity, d) for d in range(draws)])
        filled[rows] = np.where(empty, found.mean(axis=0), part)
        if draws > 1:
            spread[rows] = np.where(empty, found.std(axis=0, ddof=1), 0.0)
    return filled, spread


def _replay(
    part: NDArray[np.float64],
    empty: NDArray[np.bool_],
    sequence: tuple[Regression, ...],
    identity: NDArray[np.uint64] | None,
    draw: int,
) -> NDArray[np.float64]:
    """One pass through all regressions; sums run column by column, so that no row depends on its chunk."""
    now = np.where(empty, 0.0, part)
    others_of = {r.column: [i for i in range(part.shape[1]) if i != r.column] for r in sequence}
    for number, regression in enumerate(sequence):
        mine = empty[:, regression.column]
        if not mine.any():
            continue
        others = now[mine][:, others_of[regression.column]]
        value = np.full(len(others), regression.intercept)
        for i, weight in enumerate(regression.coefficients):
            value += weight * others[:, i]
        if identity is not None:
            value += _sigma(others, regression) * _normal(identity[mine], draw, number)
        now[mine, regression.column] = value
    return now


def _sigma(others: NDArray[np.float64], regression: Regression) -> NDArray[np.float64]:
    """The standard deviation of the posterior predictive distribution (Bishop 2006, equation 3.59)."""
    away = others - regression.centre
    variance = np.full(len(others), regression.noise)
    for column in regression.factor.T:
        projected = np.zeros(len(others))
        for i, weight in enumerate(column):
            projected += away[:, i] * weight
        variance += projected**2
    return np.asarray(np.sqrt(variance))


def _row_hash(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """A number from the bits of a row's known cells and their places, (n_rows,)."""
    mixed = np.full(len(values), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for i in range(values.shape[1]):
        bits = np.where(np.isnan(values[:, i]), 0.0, values[:, i] + 0.0).view(np.uint64)  # + 0.0: -0 and 0 are one value
        mixed = _mix(mixed ^ bits ^ np.uint64(np.iinfo(np.int64).max) * np.isnan(values[:, i]).astype(np.uint64))
    return mixed


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _normal(identity: NDArray[np.uint64], draw: int, number: int) -> NDArray[np.float64]:
    """A standard normal value a row, (n_rows,), for this draw and this regression."""
    from scipy.special import ndtri

    bits = _mix(identity ^ _mix(np.full(1, (draw << 32) + number, dtype=np.uint64)))
    return np.asarray(ndtri(((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53))


def _scaled(table: pd.DataFrame, name: str, scale: tuple[float, float]) -> NDArray[np.float64]:
    values = numbers(table, name)
    return (np.where(np.isfinite(values), values, np.nan) - scale[0]) / scale[1]


def learn_sequence(values: NDArray[np.float64], rounds: int) -> tuple[Regression, ...]:
    """Fit on (n_rows, n_columns) scaled values; none with fewer than 10 rows or 2 columns: cells then get the mean."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401  makes the next import possible
    from sklearn.impute import IterativeImputer

    if len(values) < SMALLEST_ROWS or values.shape[1] < 2:
        return ()
    imputer = IterativeImputer(max_iter=rounds, random_state=7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the rounds are what the user chose
        imputer.fit(values)
    return tuple(_regression(feature, others, fitted) for feature, others, fitted in imputer.imputation_sequence_)


def _regression(feature: int, others: NDArray[np.int64], fitted: Any) -> Regression:
    order = np.argsort(others)
    weights, vectors = np.linalg.eigh(fitted.sigma_[np.ix_(order, order)])
    return Regression(
        column=int(feature),
        intercept=float(fitted.intercept_),
        coefficients=np.asarray(fitted.coef_[order]),
        centre=np.broadcast_to(np.asarray(fitted.X_offset_, dtype=np.float64), fitted.coef_.shape)[order],
        factor=vectors * np.sqrt(np.maximum(weights, 0.0)),
        noise=float(1.0 / fitted.alpha_),
    )


def _regression_state(r: Regression) -> dict[str, object]:
    arrays = {"coefficients": pack(r.coefficients), "centre": pack(r.centre), "factor": pack(r.factor)}
    return {"column": r.column, "intercept": r.intercept, "noise": r.noise, **arrays}


def _read_regression(s: Mapping[str, Any]) -> Regression:
    arrays = (unpack(s["coefficients"]), unpack(s["centre"]), unpack(s["factor"]))
    return Regression(s["column"], s["intercept"], *arrays, s["noise"])


@dataclass(frozen=True, slots=True)
class IterativeFill:
    """Fill from predictions by the other columns.

    A column that is all missing in training stays unchanged, with a note. With fewer than 10 training rows or one
    column cells get the training mean. At most 40 columns, as the model keeps a matrix for each.
    """

    title: Message
    summary: Message
    key: str = "iterative_fill"
    settings: type[Settings] = IterativeSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedIterative:
        if len(columns) > MOST_COLUMNS:
            raise _too_many(len(columns))
        chosen = IterativeSettings.model_validate(settings.model_dump())
        names = names_of(columns)
        values = {name: numbers(train.table, name) for name in names}
        scales = tuple(centre_and_scale(v[np.isfinite(v)], "standard") for v in values.values())
        known = [(n, s) for n, s in zip(names, scales, strict=True) if s is not None]
        if not known:
            return FittedIterative(names, scales, (), chosen.draws, {})
        rows = drawn(np.column_stack([_scaled(train.table, name, scale) for name, scale in known]), chosen.rows)
        usable = not np.isnan(rows).all(axis=0).any()  # a draw may miss the only value of a column
        sequence = learn_sequence(rows, chosen.rounds) if usable else ()
        return FittedIterative(names, scales, sequence, chosen.draws, _spread(rows, sequence, chosen.draws, known))

    def restore(self, state: Mapping[str, object]) -> FittedIterative:
        s: Mapping[str, Any] = state
        scales = tuple(None if v is None else (v[0], v[1]) for v in s["scales"])
        sequence = tuple(_read_regression(r) for r in s["sequence"])
        return FittedIterative(tuple(s["columns"]), scales, sequence, s["draws"], dict(s["spread"]))


def _spread(
    rows: NDArray[np.float64], sequence: tuple[Regression, ...], draws: int, known: list[tuple[str, tuple[float, float]]]
) -> dict[str, float | None]:
    """Root mean square of the between-draw standard deviations of each column's missing cells, in its unit."""
    if draws < 2 or not sequence:
        return {name: None for name, _ in known}
    spread = impute(rows, sequence, draws)[1]
    found: dict[str, float | None] = {}
    for i, (name, scale) in enumerate(known):
        mine = spread[np.isnan(rows[:, i]), i]
        found[name] = float(np.sqrt(np.mean(mine**2))) * scale[1] if len(mine) else None
    return found


def _too_many(n: int) -> SettingProblem:
    return SettingProblem(
        msg_n(
            "{n} column was given to be predicted from the others.",
            "{n} columns were given to be predicted from one another.",
            n,
        ),
        msg("Expected at most {most}.", most=MOST_COLUMNS),
        msg("Choose the columns that belong together, or fill from the most similar rows."),
    )


ITERATIVE_FILL = IterativeFill(
    msg("Predict missing values from the other columns"),
    msg("Empty cells are predicted from the other columns; repeated draws show how sure the prediction is."),
)
