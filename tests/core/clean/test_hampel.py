"""The Hampel window against medians computed row by row, across groups, and in live order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from core.clean import Cleaned, Recipe, fit_recipe
from core.clean.hampel import local_spread
from core.data.dataset import Column
from core.data.split import TrainPart


def clean(table: pd.DataFrame, columns: list[Column], *before: dict[str, object], **settings: object) -> Cleaned:
    recipe = Recipe.read({"steps": [*before, {"key": "hampel_outliers", "columns": ["p"], "settings": settings}]})
    return fit_recipe(recipe, TrainPart(table, _made_by_split=True), columns).apply(table)


def naive(values: NDArray[np.float64], half: int, causal: bool) -> tuple[list[float], list[float]]:
    """Median and 1.4826 MAD of each window, one at a time."""
    centres, spreads = [], []
    for i in range(len(values)):
        low, high = (i - 2 * half, i + 1) if causal else (i - half, i + half + 1)
        window = values[max(low, 0) : high]
        known = window[np.isfinite(window)]
        centre = float(np.median(known)) if len(known) >= 3 else np.nan
        centres.append(centre)
        spreads.append(1.4826 * float(np.median(np.abs(known - centre))) if len(known) >= 3 else np.nan)
    return centres, spreads


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("half", [1, 3, 7])
def test_windows_equal_those_taken_one_by_one(half: int, causal: bool) -> None:
    rng = np.random.default_rng(half)
    values = rng.normal(size=60)
    values[rng.random(60) < 0.2] = np.nan
    values[5] = np.inf
    local = local_spread(values, np.arange(60), None, half, causal)
    centres, spreads = naive(values, half, causal)
    np.testing.assert_allclose(local.centre, centres)
    np.testing.assert_allclose(local.spread, spreads)


def test_a_spike_is_marked_and_a_step_is_not() -> None:
    rng = np.random.default_rng(0)
    values = np.r_[rng.normal(0, 0.1, 100), rng.normal(5, 0.1, 100)]
    values[40] = 3.0
    cleaned = clean(pd.DataFrame({"p": values}), [Column("p", "number")], limit=8.0)
    assert np.flatnonzero(cleaned.flagged).tolist() == [40]


def test_by_hand_a_spike_is_clipped_to_its_windows_limit() -> None:
    """Window of 10 is (1, 2, 10, 3, 2): median 2, deviations 1 0 8 1 0, MAD 1, so the limit is 2 + 3 · 1.4826."""
    table = pd.DataFrame({"p": [1.0, 2.0, 10.0, 3.0, 2.0]})
    cleaned = clean(table, [Column("p", "number")], half_width=2, limit=3.0, floor=0.0, action="clip")
    assert cleaned.table["p"].tolist() == pytest.approx([1.0, 2.0, 2 + 3 * 1.4826, 3.0, 2.0])
    assert cleaned.changes[0].changed_cells == {"p": 1}


def test_a_flat_stretch_does_not_make_noise_an_outlier() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 400)
    values[100:130] = 0.0
    values[115] = 0.1
    table = pd.DataFrame({"p": values})
    flagged = {f: clean(table, [Column("p", "number")], limit=6.0, floor=f).flagged[115] for f in (0.0, 0.5)}
    assert flagged == {0.0: True, 0.5: False}


def test_windows_do_not_cross_groups_and_follow_the_time() -> None:
    table = pd.DataFrame({"lot": ["a", "b"] * 6, "t": [*range(5, -1, -1), *range(11, 5, -1)], "p": 1.0})
    rng = np.random.default_rng(2)
    table["p"] = np.where(table["lot"] == "a", 0.0, 100.0) + rng.normal(0, 0.1, 12)
    columns = [Column("lot", "text", "group"), Column("t", "number", "time"), Column("p", "number")]
    assert not clean(table, columns, half_width=2).flagged.any()
    together = clean(table, columns[1:], half_width=2)
    shuffled = table.sample(frac=1, random_state=3)
    np.testing.assert_array_equal(clean(shuffled, columns[1:], half_width=2).flagged, together.flagged[shuffled.index])


def test_looking_back_only_depends_on_no_later_row() -> None:
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"p": rng.normal(size=80)})
    table.loc[50:, "p"] += 9
    columns = [Column("p", "number")]
    recipe = Recipe.read({"steps": [{"key": "hampel_outliers", "settings": {"causal": True, "limit": 3.0}}]})
    fitted = fit_recipe(recipe, TrainPart(table.iloc[:40], _made_by_split=True), columns)
    whole = fitted.apply(table).flagged
    assert whole.any()
    for n in (45, 52, 60):
        np.testing.assert_array_equal(fitted.apply(table.iloc[:n]).flagged, whole[:n])


def test_rows_left_out_before_are_hidden_from_the_window_and_not_marked() -> None:
    table = pd.DataFrame({"p": [1.0, 1.1, 500.0, 0.9, 1.0, 1.1], "q": [1.0, 1.0, np.nan, 1.0, 1.0, 1.0]})
    columns = [Column("p", "number"), Column("q", "number")]
    drop: dict[str, object] = {"key": "drop_missing", "columns": ["q"]}
    cleaned = clean(table, columns, drop, half_width=2)
    assert not cleaned.flagged.any() and cleaned.left_out.tolist() == [False, False, True, False, False, False]
    labelled = clean(table, columns, drop, half_width=2, action="real_event")
    assert labelled.real_event is not None and not labelled.real_event.any()
    assert clean(table, columns, half_width=2).flagged.tolist() == [False, False, True, False, False, False]
