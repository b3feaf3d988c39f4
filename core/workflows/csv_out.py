"""Tables written as CSV, a part at a time, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from core.store.files import disk_errors

DIGITS = 14
"""Of a float that sums and differences leave right."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Parts = Callable[[], Iterator[pd.DataFrame]]


def write_csv(table: pd.DataFrame, out: Path, *, formula_safe: bool = False) -> None:
    """A table as UTF-8 CSV: temporary name, then renamed. `formula_safe` puts ' before texts that a spreadsheet would run."""
    write_csv_parts(lambda: iter((table,)), out, formula_safe=formula_safe)


def write_csv_parts(parts: Parts, out: Path, *, formula_safe: bool = False) -> None:
    """The same from parts with the same columns, at least one, which are gone through twice.

    Whether a column holds whole numbers or whole seconds only is known at its end, and decides how each cell is written.
    """
    temporary = out.with_name(f".{out.name}.tmp")
    try:
        with disk_errors():
            out.parent.mkdir(parents=True, exist_ok=True)
            whole = _whole_columns(parts())
            _write(parts(), whole, temporary, formula_safe)
            temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def rows_from_one(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """A copy whose columns of row numbers, by default "row", begin at 1, as in every file that people open; the program counts from 0."""
    return table.assign(**{name: table[name] + 1 for name in columns or ("row",)})


def _write(parts: Iterator[pd.DataFrame], whole: Mapping[str, bool], path: Path, formula_safe: bool) -> None:
    writer: csv.CSVWriter | None = None
    try:
        for part in parts:
            columns = {str(name): _cells(part[name], whole[str(name)], formula_safe) for name in part.columns}
            names = [without_formula(name) if formula_safe else name for name in columns]
            table = pa.table(list(columns.values()), names=names)
            writer = writer or csv.CSVWriter(path, table.schema, write_options=csv.WriteOptions(quoting_style="needed"))
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _whole_columns(parts: Iterator[pd.DataFrame]) -> dict[str, bool]:
    """Whether a column of numbers holds whole numbers only, or one of times whole seconds only."""
    found: dict[str, bool] = {}
    for part in parts:
        for name in map(str, part.columns):
            found[name] = found.get(name, True) and _is_whole(part[name])
    return found


def _is_whole(cells: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(cells):
        stamps = cells.to_numpy().astype("datetime64[us]")
        return bool((stamps[~np.isnat(stamps)].astype(np.int64) % 1_000_000 == 0).all())
    if pd.api.types.is_bool_dtype(cells) or not pd.api.types.is_numeric_dtype(cells):
        return True
    values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    return bool((np.isfinite(known) & (known == np.round(known)) & (np.abs(known) < 2**53)).all())


def _cells(cells: pd.Series, whole: bool, formula_safe: bool) -> pa.Array:
    """Times as people read them, whole numbers without a decimal point, what is empty as an empty cell."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        stamps = cells.to_numpy().astype("datetime64[us]")
        texts = np.datetime_as_string(stamps.astype("datetime64[s]") if whole else stamps).astype(object)
        return pa.array([None if np.isnat(s) else t.replace("T", " ") for s, t in zip(stamps, texts, strict=True)], pa.string())
    if pd.api.types.is_bool_dtype(cells):
        return pa.array(cells.to_numpy().astype(np.int8))
    if pd.api.types.is_numeric_dtype(cells):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        numbers = pa.array(values, from_pandas=True)
        return numbers.cast(pa.int64()) if whole else numbers
    texts = [None if pd.isna(v) else str(v) for v in cells]
    return pa.array([without_formula(t) if formula_safe and t is not None else t for t in texts], pa.string())


def without_noise(values: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values rounded where a float of the size of `like` has no digits left: 48.102 − 48.09 is 0.012, and not 0.012000000000000455.

    Args:
        values: (n,) what is computed from `like`, in its unit.
        like: (m,) what was measured.
    """
    known = np.abs(like[np.isfinite(like)])
    largest = float(known.max(initial=0.0))
    if not 1e-280 < largest < 1e280:
        return values
    return np.round(values, DIGITS - 1 - int(np.floor(np.log10(largest))))


def without_formula(text: str) -> str:
    """A text that no spreadsheet runs: with ' before what would be a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
