"""Gage and agreement studies of a dataset's column: published examples through a file, limits, what is left out, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, SettingProblem
from tests.core.spc.test_agreement import RATED, STANDARD
from tests.core.spc.test_gage import AIAG


def imported(ws: wf.Workspace, folder: Path, **columns: object) -> Dataset:
    path = folder / "study.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    return dataset


@pytest.fixture
def ws(tmp_path: Path) -> wf.Workspace:
    return wf.open_workspace(tmp_path / "home")


def gage_columns() -> dict[str, object]:
    part, operator, _ = np.indices(AIAG.shape).reshape(3, -1)
    return {"part": part + 1, "operator": np.array(list("ABC"))[operator], "width": AIAG.ravel()}


@pytest.fixture
def study(ws: wf.Workspace, tmp_path: Path) -> Dataset:
    return imported(ws, tmp_path, **gage_columns())


def view(dataset: Dataset, operator: str | None = "operator", **settings: object) -> wf.GageView:
    return wf.gage_view(dataset, "width", "part", operator, wf.GageSettings.read(settings))


def test_the_aiag_example_goes_through_a_file(study: Dataset) -> None:
    found = view(study)
    # AIAG, Measurement Systems Analysis (4th ed.): GRR 0.302373, 27.9 % of the total variation, conditional.
    assert found.gage["GRR"].sd == pytest.approx(0.302373, abs=2e-6)
    assert "27.9 %" in str(found.headline) and "between 10 and 30 %" in str(found.headline)
    assert found.gage.layout.parts == tuple(str(i) for i in range(1, 11)), "whole numbers are told without a point"
    assert found.check is not None and found.check["GRR"] == pytest.approx(0.3058, abs=1e-4)
    assert found.tolerance is None and any("no tolerance" in str(n) for n in found.notes)


def test_the_tolerance_comes_from_both_limits_or_the_setting(study: Dataset) -> None:
    def limited(lower: float | None, upper: float | None) -> Dataset:
        columns = [replace(c, lower_limit=lower, upper_limit=upper) if c.name == "width" else c for c in study.columns]
        return study.with_columns(columns)

    both = view(limited(-5.0, 5.0))
    assert both.tolerance == 10.0 and both.gage["GRR"].tolerance == pytest.approx(6 * 0.302372 / 10, rel=1e-5)
    assert both.tolerance_line is not None and "18.1 %" in str(both.tolerance_line)
    one = view(limited(None, 5.0))
    assert one.tolerance is None and any("needs both" in str(n) for n in one.notes)
    asked = view(limited(-5.0, 5.0), tolerance=20, study="5.15")
    assert asked.gage["GRR"].tolerance == pytest.approx(5.15 * 0.302372 / 20, rel=1e-5)


def test_empty_rows_are_left_out_and_counted(ws: wf.Workspace, tmp_path: Path) -> None:
    columns = {name: [*np.asarray(values).tolist(), None] for name, values in gage_columns().items()}
    columns["part"][-1] = 3
    found = view(imported(ws, tmp_path, **columns))
    assert found.gage["GRR"].sd == pytest.approx(0.302373, abs=2e-6)
    assert any("1 row without" in str(n) for n in found.notes)


def test_one_operator_is_repeatability(study: Dataset) -> None:
    found = view(study, operator=None)
    assert found.gage["EV"].variance == pytest.approx(AIAG.reshape(10, 9).var(axis=1, ddof=1).mean())
    assert any("one operator" in str(n) for n in found.notes)


def test_a_missing_cell_is_named(ws: wf.Workspace, tmp_path: Path) -> None:
    columns = {name: np.asarray(values)[:-1] for name, values in gage_columns().items()}
    with pytest.raises(DataProblem, match="part '10' with operator 'C' has 2 rows where others have 3"):
        view(imported(ws, tmp_path, **columns))


@pytest.mark.parametrize(
    ("column", "part", "operator", "error", "says"),
    [
        ("wide", "part", "operator", DataProblem, "There is no column 'wide'"),
        ("width", "part", "operators", DataProblem, "Did you mean 'operator'"),
        ("operator", "part", None, DataProblem, "holds text, not numbers"),
        ("width", "part", "part", DataProblem, "named twice"),
        ("width", "width", None, DataProblem, "named twice"),
        ("flat", "part", "operator", NotEnoughData, "all values are equal"),
    ],
)
def test_what_is_no_gage_study_is_refused_in_words(
    ws: wf.Workspace, tmp_path: Path, column: str, part: str, operator: str | None, error: type[Exception], says: str
) -> None:
    dataset = imported(ws, tmp_path, flat=np.full(90, 2.5), **gage_columns())
    with pytest.raises(error, match=says):
        wf.gage_view(dataset, column, part, operator, wf.GageSettings())


def test_the_components_are_exported(study: Dataset, tmp_path: Path) -> None:
    wf.export_gage(view(study), tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv").set_index("component")
    assert table.loc["EV", "standard deviation"] == pytest.approx(0.199933, abs=2e-6)
    assert table["share of tolerance"].isna().all()


def ring_columns() -> dict[str, object]:
    words = {"Y": "Yes", "N": "No"}
    rows = [
        (i + 1, who, words[c], words[STANDARD[i]])
        for who, text in RATED.items()
        for i, part in enumerate(text.split())
        for c in part
    ]
    return dict(zip(("ring", "who", "spots", "truth"), map(list, zip(*rows, strict=True)), strict=True))


@pytest.fixture
def rings(ws: wf.Workspace, tmp_path: Path) -> Dataset:
    return imported(ws, tmp_path, **ring_columns())


def agreed(dataset: Dataset, appraiser: str | None = "who", **settings: object) -> wf.AgreementView:
    return wf.agreement_view(dataset, "spots", "ring", appraiser, wf.AgreementSettings.read(settings))


def test_the_rings_go_through_a_file(rings: Dataset) -> None:
    found = agreed(rings, standard_column="truth", bad="Yes")
    # jaspQualityControl: 7 of 15, 21.267 to 73.414 %; MH misses 10 % and raises 66.67 % false alarms.
    assert "7 of 15" in str(found.headline) and "21.3 to 73.4" in str(found.headline)
    assert found.weakest is not None and "MH is right least often: on 60.0 %" in str(found.weakest)
    worst = found.study.mistakes[-1]
    assert worst.misses is not None and worst.misses.share == pytest.approx(0.1)


def test_without_a_standard_appraisers_are_held_against_each_other(rings: Dataset) -> None:
    found = agreed(rings)
    assert "9 of 15" in str(found.headline) and "alike" in str(found.headline) and found.weakest is None
    assert any("no standard" in str(n) for n in found.notes)


def test_an_order_brings_rank_correlation(rings: Dataset) -> None:
    found = agreed(rings, standard_column="truth", order="Yes, No")
    assert found.study.categories == ("Yes", "No")
    from scipy.stats import kendalltau

    columns = ring_columns()
    rows = [i for i, who in enumerate(columns["who"]) if who == "EG"]  # type: ignore[call-overload]
    one, other = ([columns[name][i] == "No" for i in rows] for name in ("spots", "truth"))  # type: ignore[index]
    assert found.study.against[0].order == pytest.approx(kendalltau(one, other).statistic)


@pytest.mark.parametrize(
    ("change", "settings", "error", "says"),
    [
        ({}, {"bad": "Maybe"}, SettingProblem, "Expected one of: No, Yes"),
        ({}, {"order": "Yes"}, SettingProblem, "each category once: No, Yes"),
        ({}, {"order": "Yes,No,Yes"}, SettingProblem, "each category once"),
        ({}, {"standard_column": "spots"}, DataProblem, "named twice"),
        (
            {"truth": ring_columns()["who"]},
            {"standard_column": "truth"},
            DataProblem,
            "Part '1' has more than one standard: EG, BL, MH",
        ),
        ({"truth": [""] * 135}, {"standard_column": "truth"}, DataProblem, "Part '1' has no standard"),
        ({"spots": list(range(135))}, {}, DataProblem, "135 different values"),
        ({"ring": [1] * 135}, {}, DataProblem, "two or more parts"),
    ],
)
def test_what_is_no_agreement_study_is_refused_in_words(
    ws: wf.Workspace, tmp_path: Path, change: dict[str, object], settings: dict[str, object], error: type[Exception], says: str
) -> None:
    dataset = imported(ws, tmp_path, **{**ring_columns(), **change})
    with pytest.raises(error, match=says):
        agreed(dataset, **settings)


def test_one_rating_a_part_and_nothing_beside_is_not_enough(ws: wf.Workspace, tmp_path: Path) -> None:
    dataset = imported(ws, tmp_path, ring=[1, 2, 3, 4], spots=["a", "b", "a", "b"])
    with pytest.raises(NotEnoughData, match="nothing can be compared"):
        agreed(dataset, appraiser=None)


def test_every_rating_is_exported_with_its_standard(rings: Dataset, tmp_path: Path) -> None:
    wf.export_agreement(agreed(rings, standard_column="truth"), tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    assert len(table) == 135 and (table["right"] == (table["rating"] == table["standard"])).all()
    mh = table[(table["appraiser"] == "MH") & (table["part"] == 8)].sort_values("trial")
    assert mh["rating"].tolist() == ["No", "No", "Yes"]
