"""The live curves: their table holds what is drawn, their specification is sound Vega-Lite and stays the same while a run lives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair
import numpy as np
import pytest

from core.store import EventRow
from core.workflows.curves import curves_of
from core.workflows.records import Curves
from pages.components import train_steps
from pages.components.live_chart import curve_chart, curve_frame
from pages.components.train_live import DARK, LIGHT

WORDS = {"epoch": "Epoch", "training": "training", "validation": "it's validation", "best": "best: epoch"}


@pytest.fixture
def curves() -> Curves:
    """Three epochs; validation ends above training. The second validation loss is not a number."""
    empty: list[EventRow] = []
    return replace(
        curves_of(empty, "running"),
        epochs=np.array([1.0, 2.0, 3.0]),
        loss=np.array([0.9, 0.5, 0.2]),
        val_loss=np.array([0.8, np.nan, 0.4]),
        metric=np.array([3.0, 2.0, 1.0]),
        val_metric=np.array([3.5, 2.5, 0.5]),
        batch_x=np.array([0.5, 1.5]),
        batch_loss=np.array([1.2, 0.7]),
        best_epoch=3,
    )


def rows(curves: Curves, *, metric: bool) -> list[tuple[Any, ...]]:
    frame = curve_frame(curves, metric=metric, end=10)
    return [tuple(None if v != v else v for v in row) for row in frame[["kind", "x", "y", "series"]].itertuples(index=False)]


def test_the_table_of_a_panel_holds_each_point_once_and_names_the_ends_of_the_lines(curves: Curves) -> None:
    assert rows(curves, metric=False) == [
        ("batch", 1.5, 0.7, ""),  # the one at 0.5 is of the untrained network
        ("training", 1.0, 0.9, ""),
        ("training", 2.0, 0.5, ""),
        ("training", 3.0, 0.2, ""),
        ("validation", 1.0, 0.8, ""),
        ("validation", 3.0, 0.4, ""),
        ("upper", 3.0, 0.4, "validation"),
        ("lower", 3.0, 0.2, "training"),
        ("end", 10.0, None, ""),
        ("best", 3.0, None, ""),
    ]
    ends = {row[0]: row[3] for row in rows(curves, metric=True) if row[3]}
    assert ends == {"upper": "training", "lower": "validation"}


def test_other_runs_stand_beside_with_their_validation_curve_and_their_name_at_its_end(curves: Curves) -> None:
    frame = curve_frame(
        curves,
        metric=False,
        end=10,
        others={"4 LSTM": curves, "5 empty": replace(curves, epochs=np.array([]), val_loss=np.array([]))},
    )
    beside = [tuple(r) for r in frame[frame["series"] == "4 LSTM"][["kind", "x", "y"]].itertuples(index=False)]
    assert beside == [("beside", 1.0, 0.8), ("beside", 3.0, 0.4), ("beside_end", 3.0, 0.4)]
    assert "5 empty" not in set(frame["series"])


def test_a_run_of_one_batch_has_a_table_without_lines(curves: Curves) -> None:
    none = np.empty(0)
    first = replace(curves, epochs=none, loss=none, val_loss=none, metric=none, val_metric=none, best_epoch=None)
    assert {row[0] for row in rows(first, metric=False)} == {"batch", "end"}
    assert rows(first, metric=True) == [("end", 10.0, None, "")]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("is_last", [False, True])
def test_the_specification_is_sound_vega_lite(palette: dict[str, str], log: bool, is_last: bool) -> None:
    spec = curve_chart(WORDS, palette, title="Loss", log=log, is_last=is_last, height=200)
    altair.Chart.from_dict({**spec, "data": {"name": "curves"}}, validate=True)
    assert spec == curve_chart(WORDS, palette, title="Loss", log=log, is_last=is_last, height=200)


def test_the_steps_of_a_fit_are_drawn_by_the_same_chart_without_a_validation_line(curves: Curves) -> None:
    told = replace(
        curves,
        gradient_norm=np.array([3.0, 1.5, 0.5]),
        batch_gradient_norm=np.array([4.0, 2.0]),
        learning_rate=np.full(3, 0.01),
    )
    frame = curve_frame(train_steps._of(told, told.gradient_norm, told.batch_gradient_norm), metric=False, end=10)
    lines = frame[frame["kind"].isin(["training", "validation", "batch"])]
    assert [tuple(r) for r in lines[["kind", "x", "y"]].itertuples(index=False)] == [
        ("batch", 1.5, 2.0),
        ("training", 1.0, 3.0),
        ("training", 2.0, 1.5),
        ("training", 3.0, 0.5),
    ]
