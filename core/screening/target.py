"""The target column: imbalance, and which columns tell it alone; on a sample of the baseline period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.data.dataset import Column, Dataset
from core.features.targets import class_texts
from core.messages import msg
from core.screening.gaps import Gaps, percent_text
from core.screening.leaks import class_leak, tells_groups_apart, value_leak
from core.screening.order import RowOrder
from core.screening.records import Reason, ignore

MOST_ROWS = 20_000
MOST_CLASSES = 20
RARE, VERY_RARE = 0.1, 0.01
ONE_VALUE = 0.95
FEWEST_MISSING = 3


@dataclass(frozen=True, slots=True)
class TargetSample:
    """The target on some baseline rows. `rows` are dataset rows; `classes` is None for a target of values."""

    column: Column
    rows: NDArray[np.int64]
    cells: pd.Series
    classes: NDArray | None
    codes: NDArray[np.int64]
    groups: NDArray[np.int64] | None
    group: str


def target_sample(dataset: Dataset, file: pq.ParquetFile, rows: RowOrder, baseline: int) -> TargetSample | None:
    """The first target with a value in baseline rows, and the group of each; None without one."""
    target = next((c for c in dataset.with_role("target") if c.kind != "time"), None)
    if target is None or not baseline:
        return None
    positions = np.arange(0, baseline, max(1, -(-baseline // MOST_ROWS)))
    chosen = positions if rows.order is None else rows.order[positions]
    cells = sample_of(file, target.name, chosen)
    filled = cells.notna().to_numpy()
    chosen, cells = chosen[filled], cells[filled].reset_index(drop=True)
    if len(cells) < 2:
        return None
    classes, codes = None, np.zeros(0, dtype=np.int64)
    if target.kind == "text" or cells.nunique() <= MOST_CLASSES:
        codes, different = pd.factorize(class_texts(cells), sort=True)
        classes = np.asarray(different)
    group = next(iter(dataset.with_role("group")), None)
    groups = None if group is None else pd.factorize(sample_of(file, group.name, chosen))[0]
    return TargetSample(target, chosen, cells, classes, codes, groups, "" if group is None else group.name)


def sample_of(file: pq.ParquetFile, name: str, rows: NDArray[np.int64]) -> pd.Series:
    """Some cells of a column, in the order of `rows`."""
    return file.read(columns=[name], use_threads=False).column(0).take(rows).to_pandas()


def imbalance(sample: TargetSample, dataset: Dataset) -> Reason | None:
    """The rarest class below 10 % of the rows; below 1 % the model has little to learn it from."""
    if sample.classes is None or len(sample.classes) < 2:
        return None
    counts = np.bincount(sample.codes, minlength=len(sample.classes))
    rarest = int(counts.argmin())
    share = float(counts[rarest] / counts.sum())
    if share >= RARE:
        return None
    message = msg(
        "'{name}' is rare: {percent} of the baseline rows looked at, {n} of {total}",
        name=str(sample.classes[rarest]),
        percent=percent_text(share),
        n=int(counts[rarest]),
        total=int(counts.sum()),
    )
    return Reason("imbalance", "warn" if share < VERY_RARE else "info", message, sample.column.name)


def leak_reason(column: Column, cells: pd.Series, sample: TargetSample, gaps: Gaps, target_gaps: Gaps) -> Reason | None:
    """Whether a sensor tells the target alone, or only says which group a row is of; `cells` are on the sample's rows."""
    if sample.classes is not None:
        leak = class_leak(column, cells, sample.classes, sample.codes)
    else:
        leak = value_leak(column, cells, sample.cells)
    if leak is not None:
        message = msg("may give '{target}' away: {words}", target=sample.column.name, words=leak.words)
        if gaps.n >= FEWEST_MISSING and gaps.key == target_gaps.key:
            message = msg("{first}; it is empty exactly where the target is, as if written down with it", first=message)
        return Reason("leak", "stop" if leak.tells_all else "warn", message, column.name, (), ignore())
    if sample.groups is not None and _names_groups(cells, sample, sample.groups):
        message = msg(
            "different in each '{group}' and the same within it, as the target is: it names the group and explains nothing",
            group=sample.group,
        )
        return Reason("group_leak", "warn", message, column.name, (), ignore())
    return None


def _names_groups(cells: pd.Series, sample: TargetSample, groups: NDArray[np.int64]) -> bool:
    values = pd.factorize(cells)[0]
    if not tells_groups_apart(values, groups):
        return False
    truth = pd.Series(sample.codes if sample.classes is not None else sample.cells.to_numpy(dtype=np.float64))
    by_group = truth.groupby(groups)
    if sample.classes is not None:
        same = by_group.agg(lambda part: part.value_counts().iloc[0]).sum() / len(truth)
        return bool(same >= ONE_VALUE)
    within, total = float(by_group.var(ddof=0).mean()), float(truth.var(ddof=0))
    return total > 0 and within <= (1 - ONE_VALUE) * total
