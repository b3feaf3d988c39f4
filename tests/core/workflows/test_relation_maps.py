"""Cells that are drawn and the map of rows, against singular values computed by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Column, Dataset
from core.errors import DataProblem, NotEnoughData


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    heat = rng.normal(200, 5, 400)
    return pd.DataFrame(
        {
            "when": pd.Timestamp("2026-02-02") + pd.to_timedelta(np.arange(400), unit="min"),
            "heat": heat.round(3),
            "flow": (0.1 * heat + rng.normal(0, 0.2, 400)).round(4),
            "load, left": rng.normal(3, 1, 400).round(4),
            "same": np.full(400, 7.0),
            "machine": np.where(np.arange(400) % 4 == 0, "B", "A"),
        }
    )


def made(table: pd.DataFrame, folder: Path) -> Dataset:
    table.to_csv(folder / "line.csv", index=False)
    found = wf.import_file(
        wf.open_workspace(folder / "home"), folder / "line.csv", columns=[Column("heat", "number", "sensor", "°C")]
    )
    assert found.dataset is not None
    return found.dataset


def test_the_map_is_that_of_the_singular_values_of_standardised_columns(table: pd.DataFrame, tmp_path: Path) -> None:
    dataset = made(table, tmp_path)
    names = ("heat", "flow", "load, left")
    found = wf.row_map(dataset, wf.RowMapSettings(columns=names))
    x = table[list(names)].to_numpy()
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    assert found.shares == pytest.approx(tuple(s[:2] ** 2 / (s**2).sum()))
    for i in range(2):
        expected = u[:, i] * s[i]
        sign = np.sign(expected @ found.scores[:, i])
        np.testing.assert_allclose(found.scores[:, i], sign * expected, atol=1e-8)
    assert set(found.leading(0, 2)) == {"heat", "flow"} and found.leading(1, 1) == ("load, left",)
    assert found.loadings[np.abs(found.loadings[:, 0]).argmax(), 0] > 0, "the largest loading is positive"


def test_what_never_changes_is_left_out_and_named_and_empty_rows_are_counted(table: pd.DataFrame, tmp_path: Path) -> None:
    table.loc[[3, 9], "flow"] = np.nan
    found = wf.row_map(made(table, tmp_path), wf.RowMapSettings(columns=("heat", "flow", "same"), colour_column="machine"))
    assert found.columns == ("heat", "flow") and len(found.rows) == 398 and not {3, 9} & set(found.rows.tolist())
    notes = " | ".join(map(str, found.notes))
    assert "same" in notes and "2 rows with an empty cell" in notes
    assert found.colour is not None and found.colour.labels == ("A", "B"), "the most frequent first"
    assert found.colour.codes is not None and found.colour.codes.tolist() == [int(i % 4 == 0) for i in found.rows]


def test_a_map_needs_two_columns_that_do_not_move_in_step(table: pd.DataFrame, tmp_path: Path) -> None:
    table["twice"] = 2 * table["heat"]
    dataset = made(table, tmp_path)
    with pytest.raises(NotEnoughData, match="all say the same"):
        wf.row_map(dataset, wf.RowMapSettings(columns=("heat", "twice")))
    with pytest.raises(NotEnoughData, match="fewer than two columns"):
        wf.row_map(dataset, wf.RowMapSettings(columns=("heat", "same")))
    with pytest.raises(DataProblem, match="'machine' holds text"):
        wf.row_map(dataset, wf.RowMapSettings(columns=("heat", "machine")))


def test_cells_are_a_seeded_sample_in_the_order_of_the_table(table: pd.DataFrame, tmp_path: Path) -> None:
    dataset = made(table, tmp_path)
    found = wf.drawn_cells(dataset, ("heat", "machine"), most=50)
    assert len(found.rows) == 50 and (np.diff(found.rows) > 0).all() and found.of_rows == 400
    heat, machine = found.columns
    assert (
        heat.values is not None and heat.values.tolist() == table["heat"].to_numpy()[found.rows].tolist() and heat.unit == "°C"
    )
    assert machine.codes is not None
    assert [machine.labels[i] for i in machine.codes] == table["machine"].to_numpy()[found.rows].tolist()
    assert wf.drawn_cells(dataset, ("heat",), most=50).rows.tolist() == found.rows.tolist()
    assert wf.drawn_cells(dataset, ("heat",), most=50, seed=8).rows.tolist() != found.rows.tolist()


def test_counts_are_those_of_a_cross_table(table: pd.DataFrame, tmp_path: Path) -> None:
    table["shift"] = np.tile(["early", "late"], 200)
    found = wf.drawn_cells(made(table, tmp_path), ("machine", "shift"))
    # Machine B is every fourth row and those are rows 0, 4, …, all of them "early".
    labels = found.columns[0].labels, found.columns[1].labels
    counts = {(a, b): int(found.counts()[i, j]) for i, a in enumerate(labels[0]) for j, b in enumerate(labels[1])}
    assert counts == {("A", "early"): 100, ("A", "late"): 200, ("B", "early"): 100, ("B", "late"): 0}


def test_a_name_with_a_comma_can_be_chosen(table: pd.DataFrame, tmp_path: Path) -> None:
    dataset = made(table, tmp_path)
    found = wf.relations_view(dataset, wf.RelationsSettings(columns="heat, load, left,flow"))
    assert found.columns == ("heat", "load, left", "flow")


def test_intervals_of_the_means_are_students(table: pd.DataFrame, tmp_path: Path) -> None:
    from scipy.stats import ttest_1samp

    view = wf.strata_view(made(table, tmp_path), "heat", "machine")
    low, high = view.mean_intervals("machine")
    for i, stratum in enumerate(view.found["machine"].strata):
        own = table.loc[table["machine"] == stratum.label, "heat"]
        expected = ttest_1samp(own, 0).confidence_interval(0.95)
        assert (low[i], high[i]) == pytest.approx((expected.low, expected.high))


def test_a_map_by_neighbours_keeps_heaps_apart_that_two_components_lay_over_each_other(tmp_path: Path) -> None:
    """Six heaps in six columns, each apart in its own one: two components can show two or three of them apart."""
    rng = np.random.default_rng(4)
    heap = np.repeat(np.arange(6), 40)
    values = rng.normal(size=(240, 6)) + 8 * np.eye(6)[heap]
    table = pd.DataFrame(values.round(4), columns=list("abcdef"))
    table["heat"] = values[:, 0].round(3)
    dataset = made(table, tmp_path)
    names = tuple("bcdef") + ("heat",)
    found = wf.row_map(dataset, wf.RowMapSettings(columns=names, method="neighbours"))
    flat = wf.row_map(dataset, wf.RowMapSettings(columns=names))
    assert found.neighbours is not None and flat.neighbours is None
    assert found.neighbours[0] > found.neighbours[1] + 0.1
    centres = np.array([found.scores[heap == k].mean(axis=0) for k in range(6)])
    nearest = np.linalg.norm(found.scores[:, None] - centres[None], axis=2).argmin(axis=1)
    assert (nearest == heap).mean() > 0.95
    again = wf.row_map(dataset, wf.RowMapSettings(columns=names, method="neighbours"))
    np.testing.assert_array_equal(again.scores, found.scores)


def test_neighbours_kept_by_hand() -> None:
    from core.workflows.relation_maps import neighbours_kept

    line = np.arange(6.0)[:, None]
    assert neighbours_kept(line, np.column_stack([line, line]), nearest=2) == 1.0
    # Pairs (0, 1) and (10, 11); with the middle ones exchanged every row has the nearest of another pair.
    given, moved = np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([[0.0], [10.0], [1.0], [11.0]])
    assert neighbours_kept(given, moved, nearest=1) == 0.0


def test_too_few_rows_for_neighbours_say_so(table: pd.DataFrame, tmp_path: Path) -> None:
    dataset = made(table.head(40), tmp_path)
    with pytest.raises(NotEnoughData, match="40 complete rows"):
        wf.row_map(dataset, wf.RowMapSettings(columns=("heat", "flow"), method="neighbours"))
