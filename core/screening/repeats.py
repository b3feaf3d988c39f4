"""The same thing twice: rows that are equal, and columns that say what another column says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Column, Dataset
from core.messages import msg, msg_n
from core.screening.order import quoted
from core.screening.records import Place, Reason, ignore

SAMPLE = 2_000
SAME = 0.9999
FEWEST_ROWS = 10
MOST_PLACES = 20
AT_ONCE = 500_000


def row_reasons(
    connection: duckdb.DuckDBPyConnection, source: str, dataset: Dataset, distinct: Mapping[str, int]
) -> list[Reason]:
    """Equal rows, and rows that are equal but for time, group and counters, where chance does not make them.

    Rows are compared by a 64-bit hash of their cells; with 10 million rows the chance of one false pair is 3e-6.

    Args:
        distinct: Different values of each column.
    """
    if dataset.n_rows < FEWEST_ROWS:
        return []
    everything = [c.name for c in dataset.columns]
    doubles = _doubles(connection, source, everything)
    found = []
    if len(doubles) and _is_no_chance(everything, distinct, dataset.n_rows):
        message = msg_n("{n} row is equal to an earlier row", "{n} rows are equal to an earlier row", len(doubles))
        found.append(Reason("double_rows", "warn", message, "", _places(doubles)))
    keys = {c.name for c in dataset.columns if c.role in ("time", "group") or c.kind == "time"}
    keys |= {c.name for c in dataset.columns if distinct[c.name] >= 0.999 * dataset.n_rows and c.role == "ignore"}
    inner = [name for name in everything if name not in keys]
    if keys and inner and _is_no_chance(inner, distinct, dataset.n_rows):
        near = _doubles(connection, source, inner)
        if len(near) > len(doubles):
            message = msg_n(
                "{n} row is equal to an earlier one but for {keys}",
                "{n} rows are equal to an earlier one but for {keys}",
                len(near) - len(doubles),
                keys=", ".join(f"'{name}'" for name in everything if name in keys),
            )
            found.append(Reason("near_double_rows", "info", message, "", _places(np.setdiff1d(near, doubles))))
    return found


def _doubles(connection: duckdb.DuckDBPyConnection, source: str, names: Sequence[str]) -> NDArray[np.int64]:
    """Rows whose cells all equal those of an earlier row, ascending."""
    cells = ", ".join(quoted(name) for name in names)
    connection.execute("SET threads = 1")  # with more of them the order of the rows is not kept
    batches = connection.sql(f"SELECT hash({cells}) AS h FROM {source}").to_arrow_reader(AT_ONCE)
    hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *(batch.column(0).to_numpy() for batch in batches)])
    ascending = np.sort(hashes)
    if not (ascending[1:] == ascending[:-1]).any():
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(hashes, kind="stable")
    return np.sort(order[1:][ascending[1:] == ascending[:-1]])


def _is_no_chance(names: Sequence[str], distinct: Mapping[str, int], n_rows: int) -> bool:
    """Whether the columns have so many combinations that equal rows are no accident: less than one pair by chance."""
    return float(sum(np.log(max(1, distinct[name])) for name in names)) > 2 * np.log(n_rows) - np.log(2)


def _places(rows: NDArray[np.int64]) -> tuple[Place, ...]:
    return tuple(Place(int(r), int(r)) for r in rows[:MOST_PLACES])


def column_reasons(columns: Sequence[Column], samples: Mapping[str, NDArray[np.float64]], read: object) -> list[Reason]:
    """Columns that say what an earlier one says: equal, or a straight line of it (|r| > 0.9999).

    Candidates come from a sample of rows; each is then looked at on all rows. The earlier column stays, the other one gets the
    reason. A column that says what the target says is a leak and looked for there.

    Args:
        samples: Up to 2,000 cells of each number column that varies, on the same rows; NaN where empty.
        read: A function from a name to all cells (n,) of the column.
    """
    ordered = [c for c in columns if c.name in samples and c.role != "target"]
    if len(ordered) < 2:
        return []
    first_of: dict[str, str] = {}
    found = []
    for a, b in _alike([samples[c.name] for c in ordered]):
        one, two = ordered[a], ordered[b]
        if one.name in first_of or two.name in first_of:
            continue
        x, y = read(one.name), read(two.name)  # type: ignore[operator]
        both = np.isfinite(x) & np.isfinite(y)
        is_equal = bool(((x == y) | (np.isnan(x) & np.isnan(y))).all())
        r = 1.0 if is_equal else _correlation(x[both], y[both])
        if not is_equal and abs(r) <= SAME:
            continue
        first_of[two.name] = one.name
        message = (
            msg("equal to '{other}' in every row", other=one.name)
            if is_equal
            else msg("says the same as '{other}' (r = {r})", other=one.name, r=_shown(r))
        )
        found.append(Reason("duplicate_column", "warn", message, two.name, (), ignore(two.role != "sensor")))
    return found


def _shown(r: float) -> str:
    """A correlation near 1 or −1 without rounding it to it."""
    return f"{np.sign(r) * min(abs(r), 0.99999):.5f}"


def _alike(samples: Sequence[NDArray[np.float64]]) -> list[tuple[int, int]]:
    """Pairs (earlier, later) whose sampled cells lie on a line; columns of two values count only when they are all there."""
    matrix = np.column_stack(samples)
    known = np.isfinite(matrix)
    enough = known.sum(axis=0) >= FEWEST_ROWS
    centre = np.nanmean(np.where(enough, matrix, 0.0), axis=0)
    filled = np.where(known, matrix - centre, 0.0)
    norm = np.sqrt((filled**2).sum(axis=0))
    filled /= np.where(norm > 0, norm, 1.0)
    alike = np.abs(filled.T @ filled) > SAME - 1e-3  # gaps filled with the mean pull r down a little
    alike &= np.triu(np.ones_like(alike), 1).astype(bool) & enough & enough[:, None] & (norm > 0) & (norm > 0)[:, None]
    return [(int(a), int(b)) for a, b in np.argwhere(alike)]


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    if len(x) < FEWEST_ROWS:
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 else 0.0
