"""Prices of the cells of a confusion matrix on a real run: counted again by hand, cheaper where they are bent, refused where wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from core.errors import SettingProblem
from core.training.request import TrainRequest
from core.workflows.class_rows import class_rows
from tests.pages.finished_runs import work_off

COSTS = '{"scrap": {"good": 120, "rework": 30}, "good": {"scrap": 12, "rework": 3}, "rework": {"good": 40, "scrap": 9}}'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 parts of three classes that overlap: 80 % good, 14 % rework, 6 % scrap."""
    folder = tmp_path_factory.mktemp("costs")
    rng = np.random.default_rng(3)
    kind = rng.choice(3, 1500, p=[0.8, 0.14, 0.06])
    table = pd.DataFrame({"x": rng.normal(1.2 * kind, 1.0), "y": rng.normal(-0.8 * kind, 1.0)})
    table["result"] = np.array(["good", "rework", "scrap"])[kind]
    table.to_csv(folder / "parts.csv", index=False)
    ws = wf.open_workspace(folder / "home")
    dataset = wf.import_file(ws, folder / "parts.csv").dataset
    assert dataset is not None
    asked = {"task": "classification", "target": "result", "model": "gradient_boosting", "split": {"method": "random"}}
    run = wf.start_training(ws, TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, **asked}), token="x")
    work_off(ws.store)
    assert wf.get_run(ws, run.id).state == "succeeded", wf.get_run(ws, run.id).problem
    return folder / "home"


def _results(home: Path) -> wf.Results:
    ws = wf.open_workspace(home)
    return wf.open_results(ws, wf.list_runs(ws)[0].id)


def test_costs_are_those_of_each_row(home: Path) -> None:
    results = _results(home)
    view = wf.cost_view(results, wf.CostSettings(costs=COSTS))
    given = class_rows(results, "test")
    called = wf.classification_view(results)
    price = json.loads(COSTS)
    by_hand = sum(
        price[true][to] * called.confusion[i, j]
        for i, true in enumerate(given.classes)
        for j, to in enumerate(given.classes)
        if true != to
    )
    assert view.own.total == pytest.approx(by_hand) and view.own.n == len(given.rows)
    assert view.own.mean == pytest.approx(1000 * by_hand / len(given.rows))
    assert view.constant.mean == pytest.approx(
        1000 * np.mean([price[given.classes[t]].get(view.constant_class, 0.0) for t in given.truth])
    )


def test_calls_by_cost_are_clearly_cheaper_where_misses_are_dear(home: Path) -> None:
    view = wf.cost_view(_results(home), wf.CostSettings(costs=COSTS))
    assert view.is_clear and view.saved == pytest.approx(view.own.mean - view.least.mean) and view.saved > 0
    assert view.least.mean < view.constant.mean
    assert view.over_baseline is not None and view.baseline is not None
    assert view.over_baseline[0] == pytest.approx(view.baseline.mean - view.least.mean)
    assert "save" in str(view.headline)


def test_the_baseline_stands_beside_in_a_sentence_that_says_whether_it_is_chance(home: Path) -> None:
    view = wf.cost_view(_results(home), wf.CostSettings(costs=COSTS))
    mean, bounds = view.over_baseline
    sentences = {
        (
            5.0,
            (1.0, 9.0),
        ): "Against these, calls by least expected cost by the baseline would cost 5 more, more than chance (95 % interval 1 to 9)",
        (
            5.0,
            (-1.0, 9.0),
        ): "Against these, calls by least expected cost by the baseline would cost 5 more, which may be chance (95 % interval -1 to 9)",
        (
            -2.5,
            (-4.0, -1.0),
        ): "Against these, calls by least expected cost by the baseline would cost 2.5 less, more than chance (95 % interval -4 to -1)",
        (5.0, (None, None)): "Against these, calls by least expected cost by the baseline would cost 5 more",
    }
    for over, words in sentences.items():
        assert str(replace(view, over_baseline=over).beside_baseline).replace("−", "-") == words
    assert f"{abs(mean):.4g}"[:4] in str(view.beside_baseline).replace(",", "") and bounds[0] is not None
    assert replace(view, over_baseline=None).beside_baseline is None


def test_two_classes_have_the_two_prices_of_the_rule() -> None:
    costs = np.array([[-2.0, 8.0], [3.0, 1.0]])  # true class down, called class across
    assert wf.limit_prices(("a", "b"), costs, "a") == (10.0, 2.0) and wf.limit_prices(("a", "b"), costs, "b") == (2.0, 10.0)
    moved = wf.with_limit_prices(("a", "b"), costs, "a", 50.0, 4.0)
    assert moved.tolist() == [[-2.0, 48.0], [5.0, 1.0]] and costs[0, 1] == 8.0
    assert wf.limit_prices(("a", "b"), moved, "a") == (50.0, 4.0)
    assert wf.limit_prices(("a", "b"), np.array([[5.0, 1.0], [1.0, 0.0]]), "a") is None, "a wrong call that is cheaper"
    assert wf.limit_prices(("a", "b", "c"), 1.0 - np.eye(3), "a") is None
    plain = wf.LimitSettings()
    assert wf.limit_prices(("a", "b"), 1.0 - np.eye(2), "a") == (plain.missed, plain.rejected), (
        "both begin with the same prices"
    )


def test_without_costs_each_mistake_counts_one(home: Path) -> None:
    results = _results(home)
    view = wf.cost_view(results)
    confusion = wf.classification_view(results).confusion
    assert view.own.total == confusion.sum() - np.trace(confusion)
    assert view.saved == pytest.approx(0, abs=1e-9)  # the most probable class is called already
    assert "no clear difference" in str(view.headline)


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"good": {"scrap": 1' + "0" * 400 + "}}", "is 1000"),
        ("[1]", "are list"),
        ('{"scrap": 3}', "are int"),
        ('{"scrap": {"good": "dear"}}', "is dear"),
        ('{"scrap": {"good": NaN}}', "is nan"),
        ('{"scrapp": {"good": 3}}', "scrapp"),
        (
            '{"good": {"scrap": 0, "rework": 0}, "rework": {"good": 0, "scrap": 0}, "scrap": {"good": 0, "rework": 0}}',
            "cost the same",
        ),
    ],
)
def test_costs_that_cannot_be_are_refused_in_a_sentence(home: Path, costs: str, words: str) -> None:
    with pytest.raises(SettingProblem, match=words):
        wf.cost_view(_results(home), wf.CostSettings(costs=costs))


def test_costs_are_written_and_read_again() -> None:
    classes = ("good", "scrap")
    for costs in (np.array([[0.0, 3.0], [120.0, 0.0]]), np.array([[-1.0, 1.0], [1.0, 0.0]]), 1 - np.eye(2)):
        text = wf.costs_as_text(classes, costs)
        assert wf.cost_matrix(classes, wf.CostSettings(costs=text)).tolist() == costs.tolist()
    assert wf.costs_as_text(classes, 1 - np.eye(2)) == ""


def test_the_verb_writes_what_the_view_says(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANDON_HOME", str(home))
    results = _results(home)
    out = tmp_path / "calls.csv"
    assert main(["costs", "--run", results.run.id, "--set", f"costs={COSTS}", "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    view = wf.cost_view(results, wf.CostSettings(costs=COSTS))
    assert answer["least"]["per_1000"] == pytest.approx(view.least.mean)
    rows = pd.read_csv(out)
    assert rows["cost"].sum() == pytest.approx(view.least.total) and len(rows) == len(view.rows)
    assert main(["costs", "--run", results.run.id, "--set", f"costs={COSTS}"]) == 0
    assert "least expected cost" in capsys.readouterr().out
