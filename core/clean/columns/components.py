"""Few columns in place of many: principal components, or the narrow middle of an autoencoder.

Both are fitted by scikit-learn on standardised complete training rows and replayed from arrays in NumPy. The autoencoder
is a small network (tanh, tanh, tanh, linear) that learns to give its input back; its narrow layer is what is kept. It
needs no TensorFlow, so that a recipe can be tried out where it is written.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, numbers, with_cells
from core.clean.encoding import free_name
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

Floats = NDArray[np.float64]
How = Literal["pca_features", "bottleneck_features"]
FEWEST_ROWS = 3
MOST_ROWS: Mapping[str, int] = {"pca_features": 200_000, "bottleneck_features": 5_000}
# A spread below this share of a column's size is rounding, not process.
_ROUNDING = 1e-9


class PcaSettings(Settings):
    """How many components."""

    n_components: int | None = setting(
        None, title="Components", help="Empty: as many as the share below needs.", ge=1, le=200, expert=False
    )
    share: float = setting(
        0.9,
        title="Share of the spread",
        help="The fewest components that keep this share of the variance.",
        gt=0,
        le=1,
        expert=False,
    )
    keep: bool = setting(False, title="Keep the columns", help="The columns stay beside the components.", expert=False)


class BottleneckSettings(Settings):
    """How narrow the middle is, and how it is fitted."""

    n_components: int = setting(
        2, title="Width of the middle", help="How many numbers a row is squeezed into.", ge=1, le=64, expert=False
    )
    hidden: int = setting(
        16, title="Width of the layers around it", help="Neurons of the layer before and after the middle.", ge=1, le=256
    )
    epochs: int = setting(100, title="Epochs", help="Passes over at most 5,000 training rows.", ge=1, le=2000)
    seed: int = setting(7, title="Seed", help="Same seed and same rows give the same weights.", ge=0, le=2**31 - 1)
    keep: bool = setting(False, title="Keep the columns", help="The columns stay beside the new ones.", expert=False)


@dataclass(frozen=True, slots=True)
class FittedComponents:
    """Standardised rows through layers: (weights (n_in, n_out), shifts (n_out,)), each with tanh for the autoencoder.

    `kept_share` is the part of the training rows' variance that can be had back; None: nothing could be fitted.
    """

    key: How
    columns: tuple[str, ...]
    mean: Floats
    scale: Floats
    layers: tuple[tuple[Floats, Floats], ...]
    names: tuple[str, ...]
    kept_share: float | None
    keep: bool
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        if self.kept_share is None:
            return applied(table, Change(notes=(msg("Nothing was learned: too few complete rows, or nothing varies."),)))
        values = np.stack([numbers(table, name) for name in self.columns], axis=1)
        complete = np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)
        with np.errstate(over="ignore", invalid="ignore"):
            hidden = (np.where(complete[:, None], values, self.mean) - self.mean) / self.scale
            for weights, shifts in self.layers:
                hidden = hidden @ weights + shifts
                hidden = np.tanh(hidden) if self.key == "bottleneck_features" else hidden
        hidden[~complete | ~np.isfinite(hidden).all(axis=1)] = np.nan
        result = with_cells(table, {name: hidden[:, i] for i, name in enumerate(self.names)})
        removed = () if self.keep else self.columns
        empty = _empty_note(int(np.count_nonzero(~complete)))
        notes = (self._share_note(), *empty)
        change = Change(added_columns=self.names, removed_columns=removed, notes=notes)
        return replace(applied(result.drop(columns=list(removed)), change), row_notes=tuple((n, ~complete) for n in empty))

    def _share_note(self) -> Message:
        return msg_n(
            "{n} new column keeps {share} % of the spread of {total} columns.",
            "{n} new columns keep {share} % of the spread of {total} columns.",
            len(self.names),
            share=round(100 * (self.kept_share or 0.0), 1),
            total=len(self.columns),
        )

    def state(self) -> dict[str, object]:
        layers = [[weights.tolist(), shifts.tolist()] for weights, shifts in self.layers]
        facts = {"columns": list(self.columns), "names": list(self.names), "kept_share": self.kept_share, "keep": self.keep}
        return {**facts, "mean": self.mean.tolist(), "scale": self.scale.tolist(), "layers": layers}


def _empty_note(n: int) -> tuple[Message, ...]:
    if not n:
        return ()
    return (
        msg_n(
            "{n} row with an empty cell stays empty in the new columns.",
            "{n} rows with an empty cell stay empty in the new columns.",
            n,
        ),
    )


@dataclass(frozen=True, slots=True)
class Components:
    """Fewer columns. Columns that are empty or constant in training take no part and stay.

    The columns that took part go away unless they are kept; then twice is as once, else it cannot be applied twice.
    """

    key: How
    title: Message
    summary: Message
    settings: type[Settings]
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedComponents:
        chosen = self.settings.model_validate(settings.model_dump())
        keep = bool(getattr(chosen, "keep", False))
        names, rows = _usable(train.table, [c.name for c in columns], MOST_ROWS[self.key])
        if len(rows) < FEWEST_ROWS or not names:
            nothing = np.zeros(0)
            return FittedComponents(self.key, (), nothing, nothing, (), (), None, keep)
        mean, scale = rows.mean(axis=0), rows.std(axis=0)
        scaled = (rows - mean) / scale
        layers, share = _pca(scaled, chosen) if isinstance(chosen, PcaSettings) else _bottleneck(scaled, chosen)
        taken = {str(c) for c in train.table.columns}
        word = "pc" if self.key == "pca_features" else "code"
        made = tuple(free_name(f"{word}{i + 1}", taken) for i in range(layers[-1][0].shape[1]))
        return FittedComponents(self.key, names, mean, scale, layers, made, share, keep)

    def restore(self, state: Mapping[str, object]) -> FittedComponents:
        stored: Any = state
        layers = tuple((np.array(w, dtype=np.float64), np.array(b, dtype=np.float64)) for w, b in stored["layers"])
        mean, scale = np.array(stored["mean"], dtype=np.float64), np.array(stored["scale"], dtype=np.float64)
        columns, names = tuple(stored["columns"]), tuple(stored["names"])
        return FittedComponents(self.key, columns, mean, scale, layers, names, stored["kept_share"], stored["keep"])


def _usable(table: pd.DataFrame, names: list[str], most: int) -> tuple[tuple[str, ...], Floats]:
    """The columns with values that vary, and at most so many complete rows of them, evenly spread: (n, n_columns)."""
    values = np.stack([numbers(table, name) for name in names], axis=1) if names else np.zeros((len(table), 0))
    filled = np.asarray(np.isfinite(values).any(axis=0), dtype=np.bool_)
    values, kept = values[:, filled], [n for n, f in zip(names, filled, strict=True) if f]
    rows = values[np.isfinite(values).all(axis=1)]
    if not len(rows):
        return (), rows
    rows = rows[:: -(-len(rows) // most)]
    varies = rows.std(axis=0) > _ROUNDING * np.abs(rows).max(axis=0)
    return tuple(n for n, v in zip(kept, varies, strict=True) if v), rows[:, varies]


def _pca(scaled: Floats, chosen: PcaSettings) -> tuple[tuple[tuple[Floats, Floats], ...], float]:
    """Loadings, each with its largest entry positive, and the share of the variance that they keep."""
    from sklearn.decomposition import PCA

    most = min(scaled.shape)
    wanted = min(chosen.n_components, most) if chosen.n_components is not None else None
    found = PCA(n_components=wanted, svd_solver="full").fit(scaled)
    ratios = found.explained_variance_ratio_
    k = wanted or min(int(np.searchsorted(np.cumsum(ratios), chosen.share - 1e-12)) + 1, most)
    loadings = found.components_[:k]
    loadings = loadings * np.sign(loadings[np.arange(k), np.abs(loadings).argmax(axis=1)])[:, None]
    return ((loadings.T, np.zeros(k)),), float(min(ratios[:k].sum(), 1.0))


def _bottleneck(scaled: Floats, chosen: Settings) -> tuple[tuple[tuple[Floats, Floats], ...], float]:
    """The layers up to the middle, and the share of the variance that the network gives back."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    settings = BottleneckSettings.model_validate(chosen.model_dump())
    network = MLPRegressor(
        hidden_layer_sizes=(settings.hidden, settings.n_components, settings.hidden),
        activation="tanh",
        max_iter=settings.epochs,
        learning_rate_init=0.01,
        random_state=settings.seed,
    )
    target = scaled if scaled.shape[1] > 1 else scaled[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the share that is kept says how far it came
        network.fit(scaled, target)
    left = scaled - np.asarray(network.predict(scaled)).reshape(scaled.shape)
    layers = tuple((np.asarray(w), np.asarray(b)) for w, b in zip(network.coefs_[:2], network.intercepts_[:2], strict=True))
    return layers, float(np.clip(1 - (left**2).sum() / (scaled**2).sum(), 0.0, 1.0))


PCA_FEATURES = Components(
    "pca_features",
    msg("Replace columns by principal components"),
    msg("Columns that move together become few components, standardised and fitted on the training part."),
    PcaSettings,
)
BOTTLENECK_FEATURES = Components(
    "bottleneck_features",
    msg("Replace columns by an autoencoder's middle"),
    msg(
        "A small network learns to give rows back through few numbers; these replace the columns. It bends where components are straight."
    ),
    BottleneckSettings,
)
