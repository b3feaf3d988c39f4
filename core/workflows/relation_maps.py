"""What is drawn of how columns hang together: the cells of chosen columns on a seeded sample of rows, and a map of rows by two principal
components or by their neighbours (t-SNE)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.rows import Rows, take_rows
from core.errors import NotEnoughData
from core.features.pca import fit_pca
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.workflows.labels import column_named, labels_of, number_column

Floats = NDArray[np.float64]
FEWEST_FILLED = 0.5
MOST_MAPPED = 60
NEAREST, MOST_NEIGHBOURS = 15, 1000


class RowMapSettings(Settings):
    """Which columns make the map of rows, and what colours it."""

    columns: tuple[str, ...] = setting((), title="Columns", help="Columns of numbers; empty takes all sensors.", expert=False)
    colour_column: str | None = setting(
        None, title="Coloured by", help="A column of categories, numbers or times. Empty: the order of the rows.", expert=False
    )
    method: Literal["components", "neighbours"] = setting(
        "components",
        title="Map by",
        help="components: the two directions of most variance; neighbours: rows that are alike lie together (t-SNE), distances between heaps say little.",
        expert=False,
    )
    rows: int = setting(2000, title="Rows", help="So many, drawn evenly from all, are mapped.", ge=20, le=5000)
    seed: int = setting(7, title="Seed", help="Of the draw of rows.", ge=0)


@dataclass(frozen=True, slots=True)
class Cells:
    """A column on n rows, as it is drawn.

    `values` (n,) numbers in the unit or times, None for texts; `codes` (n,) places of texts in `labels`, the most frequent first, −1 where
    empty, None for numbers and times.
    """

    name: str
    unit: str
    values: NDArray | None
    codes: NDArray[np.int64] | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellsView:
    """Columns on `rows` (n,), 0-based rows of the table in their order, of `of_rows` in all."""

    columns: tuple[Cells, ...]
    rows: NDArray[np.int64]
    of_rows: int

    def counts(self) -> NDArray[np.int64]:
        """Rows by category of the first two columns, which are texts, (a, b)."""
        one, other = self.columns[:2]
        if one.codes is None or other.codes is None:
            raise ValueError("both columns must be texts")
        table = np.zeros((len(one.labels), len(other.labels)), np.int64)
        both = (one.codes >= 0) & (other.codes >= 0)
        np.add.at(table, (one.codes[both], other.codes[both]), 1)
        return table


@dataclass(frozen=True, slots=True)
class RowMap:
    """Rows by their first two principal components, or by their neighbours.

    `scores` (n, 2) without unit; `shares` of the variance of the standardised columns, 0 to 1; `loadings` (f, 2) of the columns; `rows` (n,)
    0-based rows of the table; `colour` is the column that colours them, None for the order of the rows. `neighbours` are the shares of each row's 15
    nearest rows that are among its 15 nearest on the map: on this one, and on that of two components; None for a map of components.
    """

    columns: tuple[str, ...]
    scores: Floats
    shares: tuple[float, float]
    loadings: Floats
    rows: NDArray[np.int64]
    of_rows: int
    colour: Cells | None
    notes: tuple[Message, ...]
    neighbours: tuple[float, float] | None = None

    def leading(self, component: int, n: int = 3) -> tuple[str, ...]:
        """The n columns that weigh most in a component (0 or 1)."""
        order = np.argsort(-np.abs(self.loadings[:, component]), kind="stable")[:n]
        return tuple(self.columns[i] for i in order)

    @property
    def headline(self) -> Message:
        if self.neighbours is not None:
            here, there = (round(100 * share) for share in self.neighbours)
            return msg("The map keeps {here} % of the neighbours; one of two components {there} %", here=here, there=there)
        return msg(
            "Two components tell {percent} % of the variance of {n} columns",
            percent=f"{100 * sum(self.shares):.0f}",
            n=len(self.columns),
        )


def drawn_cells(
    dataset: Dataset, names: Sequence[str], *, most: int = 1000, seed: int = 7, labelled: Collection[str] = ()
) -> CellsView:
    """Columns of a dataset on at most `most` rows, drawn evenly with a seed, in the order of the table; `labelled` ones as categories.

    Raises:
        DataProblem: a column is missing.
    """
    for name in names:
        column_named(dataset, name)
    rows = dataset.rows(list(names))
    taken = _drawn(rows.n_rows, most, seed)
    table = _read(rows, taken)
    return CellsView(tuple(_cells(dataset, table, name, name in labelled) for name in names), taken, rows.n_rows)


def row_map(dataset: Dataset, settings: RowMapSettings) -> RowMap:
    """A map of rows: columns standardised, the first two principal components, on a seeded sample of rows.

    Rows with an empty cell are left out and counted; a column that is more than half empty or does not vary in the sample is left out
    and named. Which side of a component is positive says nothing; here the largest loading is.

    Raises:
        DataProblem: a column is missing or holds no numbers.
        NotEnoughData: fewer than 2 columns that vary independently, or fewer than 3 complete rows.
    """
    if settings.columns:
        chosen = [number_column(dataset, name, msg("A map of rows is made of numbers.")).name for name in settings.columns]
    else:
        numbers = [c for c in dataset.columns if c.kind == "number" and c.role not in ("time", "ignore", "group")]
        sensors = [c for c in numbers if c.role == "sensor"]
        chosen = [c.name for c in (sensors if len(sensors) > 1 else numbers)][:MOST_MAPPED]
    colour = settings.colour_column
    if colour is not None:
        column_named(dataset, colour)
    rows = dataset.rows(list(dict.fromkeys([*chosen, *([colour] if colour is not None else [])])))
    by_neighbours = settings.method == "neighbours"
    most = min(settings.rows, MOST_NEIGHBOURS) if by_neighbours else settings.rows  # the time grows with their square
    taken = _drawn(rows.n_rows, most, settings.seed)
    table = _read(rows, taken)
    values = {name: table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in chosen}
    used: list[str] = []
    left: list[str] = []
    for name, cells in values.items():
        known = cells[np.isfinite(cells)]
        is_used = len(known) >= max(1.0, FEWEST_FILLED * len(cells)) and np.ptp(known) > 0
        (used if is_used else left).append(name)
    notes: list[Message] = []
    if left:
        notes.append(msg("left out, because they hardly have values or never change: {columns}", columns=", ".join(left)))
    if len(used) < 2:
        raise NotEnoughData(
            msg("There are fewer than two columns of numbers that change."),
            msg("A map of rows needs two or more."),
            msg("Choose other columns."),
        )
    matrix = np.column_stack([values[name] for name in used])
    whole = np.isfinite(matrix).all(axis=1)
    model = fit_pca(matrix, explained=1.0)
    if len(model.eigenvalues) < 2:
        raise NotEnoughData(
            msg("The chosen columns all say the same."),
            msg("A map of rows needs two columns that do not move in step."),
            msg("Choose other columns."),
        )
    loadings = model.loadings[:, :2]
    loadings = loadings * np.sign(loadings[np.argmax(np.abs(loadings), axis=0), [0, 1]])
    scores = (matrix[whole] - model.mean) / model.scale @ loadings
    n_left = int((~whole).sum())
    if n_left:
        notes.append(msg_n("{n} row with an empty cell was left out", "{n} rows with an empty cell were left out", n_left))
    shares = model.eigenvalues[:2] / model.eigenvalues.sum()
    kept = None
    if by_neighbours:
        if len(scores) <= 3 * NEAREST:
            raise NotEnoughData(
                msg("There are {n} complete rows.", n=len(scores)),
                msg("A map by neighbours needs {least} or more.", least=3 * NEAREST + 1),
                msg("Choose a map by components."),
            )
        standard = (matrix[whole] - model.mean) / model.scale
        placed = _by_neighbours(standard, settings.seed)
        kept = (neighbours_kept(standard, placed), neighbours_kept(standard, scores))
        scores = placed
    painted = None if colour is None else _cells(dataset, table.loc[whole], colour)
    return RowMap(
        tuple(used),
        scores,
        (float(shares[0]), float(shares[1])),
        loadings,
        taken[whole],
        rows.n_rows,
        painted,
        tuple(notes),
        kept,
    )


def _by_neighbours(values: Floats, seed: int) -> Floats:
    """Places (n, 2) of rows by t-SNE: van der Maaten and Hinton, JMLR 9 (2008), begun from two components (Kobak and Berens, Nature
    Communications 10, 2019), so that a seed gives the same map.
    """
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(values) - 1) / 3)
    return np.asarray(
        TSNE(2, init="pca", perplexity=perplexity, max_iter=400, random_state=seed, n_jobs=1).fit_transform(values)
    )


def neighbours_kept(values: Floats, places: Floats, nearest: int = NEAREST) -> float:
    """Share of each row's nearest rows in `values` (n, f) that are among its nearest in `places` (n, 2), 0 to 1; by chance nearest / (n - 1)."""
    from sklearn.neighbors import NearestNeighbors

    found = [
        NearestNeighbors(n_neighbors=nearest + 1).fit(x).kneighbors(return_distance=False)[:, :nearest]
        for x in (values, places)
    ]
    return float(np.mean([len(np.intersect1d(a, b)) for a, b in zip(*found, strict=True)]) / nearest)


def _drawn(n: int, most: int, seed: int) -> NDArray[np.int64]:
    """Rows of n, at most `most`, ascending."""
    if n <= most:
        return np.arange(n, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False)).astype(np.int64)


def _read(rows: Rows, taken: NDArray[np.int64]) -> pd.DataFrame:
    return rows.read().reset_index(drop=True) if len(taken) == rows.n_rows else take_rows(rows, taken).reset_index(drop=True)


def _cells(dataset: Dataset, table: pd.DataFrame, name: str, as_labels: bool = False) -> Cells:
    column, cells = column_named(dataset, name), table[name]
    if not as_labels and pd.api.types.is_datetime64_any_dtype(cells):
        return Cells(name, "", cells.to_numpy().astype("datetime64[ms]"), None, ())
    if not as_labels and column.kind == "number":
        return Cells(name, column.unit, cells.to_numpy(dtype=np.float64, na_value=np.nan), None, ())
    texts = labels_of(cells)
    known = texts[texts != np.array(None)]
    labels = tuple(pd.Series(known, dtype=object).value_counts().index)
    places = {label: i for i, label in enumerate(labels)}
    return Cells(name, "", None, np.array([places.get(text, -1) for text in texts], dtype=np.int64), labels)
