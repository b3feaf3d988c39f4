"""Columns that a model can do without, left out with the reason: nearly constant, doubled, telling nothing, of no use.

Everything is judged on the training part. Which columns went and why is stored with the step and said in its notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, is_empty, numbers
from core.clean.columns.targets import target_values
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

Floats = NDArray[np.float64]
MOST_NAMED = 10
MOST_ROWS = 50_000
FEWEST_ROWS = 10
_FEW_VALUES = 20
_ROUNDING = 1e-9
_CHANCE_SHARE = 0.01


class ConstantSettings(Settings):
    """What counts as nearly constant."""

    share: float = setting(
        0.98,
        title="Share of one value",
        help="A column where one value fills at least this share of the cells goes.",
        gt=0.5,
        le=1,
        expert=False,
    )


class CorrelationSettings(Settings):
    """What counts as the same."""

    limit: float = setting(
        0.98,
        title="Correlation",
        help="Of two columns that correlate at least this much either way, the later goes.",
        gt=0,
        le=1,
        expert=False,
    )


class InformationSettings(Settings):
    """How many columns stay."""

    n_keep: int = setting(
        20,
        title="Columns that stay",
        help="Those that tell most about the column to predict, each taken alone.",
        ge=1,
        le=10_000,
        expert=False,
    )
    seed: int = setting(7, title="Seed", help="Breaks ties between equal values.", ge=0, le=2**31 - 1)


class PermutationSettings(Settings):
    """With which model the use of a column is measured."""

    model: Literal["linear", "forest"] = setting(
        "linear", title="Quick model", help="Linear (ridge, logistic), or a small forest, which also sees curves.", expert=False
    )
    n_repeats: int = setting(5, title="Repeats", help="How often each column is shuffled.", ge=2, le=50)
    seed: int = setting(7, title="Seed", help="Same seed and same rows give the same choice.", ge=0, le=2**31 - 1)


@dataclass(frozen=True, slots=True)
class FittedSelection:
    """The columns that go, with the reason; a table that lacks them already is as well."""

    key: str
    removed: Mapping[str, Message]
    notes: tuple[Message, ...] = ()
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        gone = tuple(name for name in self.removed if name in table.columns)
        shown = [msg("'{column}' is left out: {why}", column=n, why=self.removed[n]) for n in list(self.removed)[:MOST_NAMED]]
        more = len(self.removed) - len(shown)
        rest = (msg_n("{n} more column is left out.", "{n} more columns are left out.", more),) if more > 0 else ()
        change = Change(removed_columns=gone, notes=(*self.notes, *shown, *rest))
        return applied(table.drop(columns=list(gone)) if gone else table, change)

    def state(self) -> dict[str, object]:
        removed = {name: why.to_json() for name, why in self.removed.items()}
        return {"removed": removed, "notes": [note.to_json() for note in self.notes]}

    def learned(self) -> tuple[Message, ...]:
        if not self.removed:
            return (msg("no column is left out"),)
        names = ", ".join(f"'{name}'" for name in self.removed)
        return (msg_n("{names} is left out", "{names} are left out", len(self.removed), names=names),)


@dataclass(frozen=True, slots=True)
class Select:
    """Leaves out columns, those that earlier steps made among them. Applied twice it finds nothing more to leave out.

    Fewer than 10 training rows: nothing goes, with a note.
    """

    key: str
    title: Message
    summary: Message
    settings: type[Settings]
    fits_keys: bool = False
    takes_made: bool = True

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and (column.kind == "number" or (self.key == "drop_constant" and column.kind == "text"))

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedSelection:
        chosen: Any = self.settings.model_validate(settings.model_dump())
        table = train.table
        if self.key in ("keep_informative", "keep_useful"):
            table = table[np.isfinite(target_values(table, keys)[0]).all(axis=1)]
        if len(table) < FEWEST_ROWS:
            return FittedSelection(self.key, {}, (msg("Every column stays: there are too few training rows to judge."),))
        table = table.iloc[:: -(-len(table) // MOST_ROWS)]
        if self.key == "drop_constant":
            return FittedSelection(self.key, _constant(table, columns, chosen))
        names = [c.name for c in columns if np.isfinite(numbers(table, c.name)).any()]
        if self.key == "drop_correlated":
            return FittedSelection(self.key, _correlated(table, names, chosen))
        if len(names) < 2:
            return FittedSelection(self.key, {}, (msg("Every column stays: there are fewer than two to choose from."),))
        answers = _answers(table, keys)
        choose = _uninformative if self.key == "keep_informative" else _useless
        return FittedSelection(self.key, choose(_filled(table, names), names, answers, _groups(table, keys), chosen))

    def restore(self, state: Mapping[str, object]) -> FittedSelection:
        stored: Any = state
        removed = {name: Message.from_json(why) for name, why in stored["removed"].items()}
        return FittedSelection(self.key, removed, tuple(Message.from_json(note) for note in stored["notes"]))


def _constant(table: pd.DataFrame, columns: tuple[Column, ...], chosen: ConstantSettings) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for c in columns:
        cells = table[c.name][~is_empty(table, c.name)]
        if not len(cells):
            found[c.name] = msg("it is empty in the training part")
            continue
        values = cells.value_counts()
        share = float(values.iloc[0]) / len(cells)
        spread = float(np.ptp(cells.to_numpy(dtype=np.float64))) if c.kind == "number" else np.inf
        if len(values) == 1 or spread <= _ROUNDING * float(np.abs(cells).max() if c.kind == "number" else 0.0):
            found[c.name] = msg("it is constant in the training part")
        elif share >= chosen.share:
            found[c.name] = msg("one value fills {share} % of it", share=round(100 * share, 1))
    return found


def _correlated(table: pd.DataFrame, names: list[str], chosen: CorrelationSettings) -> dict[str, Message]:
    """Of each pair the later column goes, unless the earlier has gone already."""
    values = pd.DataFrame({n: np.where(np.isfinite(numbers(table, n)), numbers(table, n), np.nan) for n in names})
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        together = values.corr(min_periods=FEWEST_ROWS).to_numpy() if names else np.zeros((0, 0))
    kept: list[int] = []
    found: dict[str, Message] = {}
    for i, name in enumerate(names):
        # Pearson's r of a column with its copy may be 1 − 1e-16.
        same = [k for k in kept if np.nan_to_num(abs(together[i, k])) >= chosen.limit - 1e-12]
        if same:
            r = round(float(together[i, same[0]]), 3)
            found[name] = msg("its correlation with '{other}' is {r}", other=names[same[0]], r=r)
        else:
            kept.append(i)
    return found


def _answers(table: pd.DataFrame, keys: RowKeys) -> tuple[NDArray[Any], bool]:
    """The target (n,) and whether it is a class: texts, or at most 20 different whole numbers."""
    cells = table[str(keys.target)]
    if not pd.api.types.is_numeric_dtype(cells):
        return np.asarray(pd.factorize(cells.astype(object).map(str), sort=True)[0]), True
    values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    is_class = len(np.unique(values)) <= _FEW_VALUES and bool((values == np.round(values)).all())
    return values, is_class


def _groups(table: pd.DataFrame, keys: RowKeys) -> NDArray[np.int64] | None:
    return None if keys.group is None else np.asarray(pd.factorize(table[keys.group], use_na_sentinel=False)[0])


def _filled(table: pd.DataFrame, names: list[str]) -> Floats:
    """Standardised values (n, n_columns) with medians in empty cells."""
    values = np.stack([numbers(table, n) for n in names], axis=1)
    values = np.where(np.isfinite(values), values, np.nan)
    values = np.where(np.isnan(values), np.nanmedian(values, axis=0), values)
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _uninformative(
    values: Floats,
    names: list[str],
    answers: tuple[NDArray[Any], bool],
    groups: NDArray[np.int64] | None,
    chosen: InformationSettings,
) -> dict[str, Message]:
    """All but the columns with the most mutual information (nearest neighbours; Kraskov et al. 2004, Ross 2014)."""
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    target, is_class = answers
    ways = mutual_info_classif if is_class else mutual_info_regression
    step = -(-len(values) // 10_000)
    found = ways(values[::step], target[::step], random_state=chosen.seed)
    ranked = np.argsort(-found, kind="stable")[chosen.n_keep :]
    return {
        names[i]: msg(
            "it tells {bits} bit about the target, less than the {n} that stay", bits=_bits(found[i]), n=chosen.n_keep
        )
        for i in sorted(ranked)
    }


def _bits(nats: float) -> float:
    return round(float(nats) / np.log(2), 3)


def _useless(
    values: Floats,
    names: list[str],
    answers: tuple[NDArray[Any], bool],
    groups: NDArray[np.int64] | None,
    chosen: PermutationSettings,
) -> dict[str, Message]:
    """The columns whose shuffling does not hurt a quick model on the part of the training rows that it did not see.

    The last 30 % of rows, or of groups, are that part. Column by column: importance = score − mean score when shuffled
    (Breiman 2001); it goes when this is not above zero by one standard deviation of the repeats, or below 1 % of the largest,
    which chance gives any column. When the model is no better than guessing, nothing can be said and every column stays.
    """
    from sklearn.inspection import permutation_importance

    target, is_class = answers
    step = -(-len(values) // 10_000)
    values, target = values[::step], target[::step]
    order = np.arange(len(values)) if groups is None or len(np.unique(groups)) < 2 else groups[::step]
    seen = order <= np.quantile(order, 0.7, method="lower")
    if seen.all() or (is_class and len(np.unique(target[seen])) < 2):
        return {}
    model = _quick_model(chosen, is_class)
    model.fit(values[seen], target[seen])
    guess = float(np.mean(target[~seen] == pd.Series(target[seen]).mode().iloc[0])) if is_class else 0.0
    if model.score(values[~seen], target[~seen]) <= guess:
        return {}
    found = permutation_importance(model, values[~seen], target[~seen], n_repeats=chosen.n_repeats, random_state=chosen.seed)
    bar = np.maximum(found.importances_std, _CHANCE_SHARE * found.importances_mean.max())
    useless = np.flatnonzero(found.importances_mean <= bar)
    if len(useless) == len(names):
        return {}
    return {names[i]: msg("a quick model does as well when it is shuffled") for i in useless}


def _quick_model(chosen: PermutationSettings, is_class: bool) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    if chosen.model == "linear":
        return LogisticRegression(max_iter=200) if is_class else Ridge()
    forest = RandomForestClassifier if is_class else RandomForestRegressor
    return forest(n_estimators=50, min_samples_leaf=5, random_state=chosen.seed)


DROP_CONSTANT = Select(
    "drop_constant",
    msg("Leave out nearly constant columns"),
    msg("Columns that are empty, constant or nearly so in the training part teach a model nothing."),
    ConstantSettings,
)
DROP_CORRELATED = Select(
    "drop_correlated",
    msg("Leave out doubled columns"),
    msg("Of two columns that go together almost perfectly the later one goes."),
    CorrelationSettings,
)
KEEP_INFORMATIVE = Select(
    "keep_informative",
    msg("Keep the most telling columns"),
    msg("Columns are ranked by their mutual information with the column to predict, on the training part; the first stay."),
    InformationSettings,
)
KEEP_USEFUL = Select(
    "keep_useful",
    msg("Keep the columns a quick model uses"),
    msg("A column goes when a quick model predicts as well with it shuffled, on training rows that the model has not seen."),
    PermutationSettings,
)
