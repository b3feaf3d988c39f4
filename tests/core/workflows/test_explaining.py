"""Why, on real small runs: the parts of a known line, the class, the score, its events, and changes that keep what they promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import workflows as wf
from core.errors import NotEnoughData, SettingProblem
from core.training.request import TrainRequest
from core.workflows.explaining_events import _doubt
from tests.pages.finished_runs import work_off
from tests.remarks import english
from tests.synthetic import anomaly_table, class_table, life_table, regression_table, series_table


def with_idle(table):
    """Two columns that tell nothing, of which one holds words; no group."""
    rng = np.random.default_rng(8)
    table = table.drop(columns="machine")
    return table.assign(idle=rng.normal(size=len(table)), tint=rng.choice(["red", "blue"], len(table)))


ASKED = {
    "anomaly": (anomaly_table(2000, 1800), {"target": "label", "time": "when", "model": "pca_t2_spe"}),
    "nameless": (anomaly_table(2000, 1800), {"target": "label", "time": "when", "model": "isolation_forest"}),
    "regression": (
        with_idle(regression_table(1500)),
        {"target": "y", "time": "when", "model": "ridge", "options": {"window": 1}},
    ),
    "classification": (class_table(900), {"target": "result", "model": "logistic"}),
    "rul": (life_table(16), {"group": "unit", "time": "cycle", "model": "ridge", "options": {"cap": 30, "own_start": True}}),
    "words": (english(700), {"target": "class", "model": "bag_of_words"}),
    "forecast": (series_table(600), {"target": "y", "time": "when", "group": "line", "model": "ridge"}),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[wf.Workspace, wf.Explainer]]:
    folder = tmp_path_factory.mktemp("why")
    ws = wf.open_workspace(folder / "home")
    made = {}
    for name, (table, asked) in ASKED.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        dataset = wf.import_file(ws, folder / f"{name}.csv").dataset
        assert dataset is not None
        task = {"nameless": "anomaly", "words": "classification"}.get(name, name)
        split = {"split": {"method": "first", "first": 1200}} if task == "anomaly" else {}
        request = TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, "task": task, **asked, **split})
        run = wf.start_training(ws, request, token=name)
        work_off(ws.store)
        ended = wf.get_run(ws, run.id)
        assert ended.state == "succeeded", ended.problem
        made[name] = (ws, wf.open_explainer(ws, wf.open_results(ws, run.id)))
    return made


def test_the_parts_of_a_line_are_coefficient_times_distance_from_the_mean(found) -> None:
    """y = 2 a − b + 5: what a adds to an average row is 2 (a − mean of a)."""
    _, explainer = found["regression"]
    table = ASKED["regression"][0]
    train = table[explainer.results.parts == 0]
    row = 7
    view = wf.row_why(explainer, row)
    effects = {e.column: e for e in view.effects}
    assert effects["a"].effect == pytest.approx(2 * (table["a"][row] - train["a"].mean()), abs=0.05)
    assert effects["b"].effect == pytest.approx(-(table["b"][row] - train["b"].mean()), abs=0.05)
    assert abs(effects["idle"].effect) < 0.05 and abs(effects["tint"].effect) < 0.05
    assert effects["a"].value == pytest.approx(table["a"][row], abs=1e-4)
    assert effects["a"].sigma == pytest.approx((table["a"][row] - train["a"].mean()) / train["a"].std(ddof=0), abs=1e-3)
    assert view.output == pytest.approx(explainer.results.scores["prediction"][row], abs=1e-5), "the value on the screen"
    assert view.centre + sum(e.effect for e in view.effects) == pytest.approx(view.output, abs=1e-4)
    assert "a" in str(view.headline)


def test_what_the_others_say_is_not_lost_when_a_column_is_covered(found) -> None:
    """p1 and p2 ÷ 2 are nearly one: covered by the centre each counts, by what the other expects hardly."""
    _, explainer = found["anomaly"]
    assert {e.column for e in wf.row_why(explainer, 100, cover="expected").effects} == {"p1", "p2"}
    with pytest.raises(SettingProblem, match="cover is 'mud'"):
        wf.row_why(explainer, 100, cover="mud")


def test_dependence_and_importance_of_a_line(found) -> None:
    _, explainer = found["regression"]
    for method in ("ale", "pdp"):
        view = wf.column_dependence(explainer, "a", method=method)
        slope = np.polyfit(view.curve.values, view.curve.effects, 1)[0]
        assert slope == pytest.approx(2, abs=0.02) and view.unit == ""
    view = wf.global_importance(explainer, seconds=0.5)
    by_name = {one.columns[0]: one for one in view.found.singles}
    test = ASKED["regression"][0][explainer.results.parts == 2]
    expected = (2 * 4 * test["a"].var() + 0.01) ** 0.5 - 0.1  # shuffled: error variance 2 · 2² · var(a) beside noise of 0.1²
    assert by_name["a"].mean == pytest.approx(expected, rel=0.15)
    assert by_name["a"].mean > by_name["b"].mean > 10 * abs(by_name["idle"].mean)
    assert str(view.what) == "growth of RMSE" and view.found.singles[0].columns == ("a",)


def test_a_counterfactual_solves_the_equation_and_the_model_agrees(found) -> None:
    _, explainer = found["regression"]
    row = int(np.argmax(ASKED["regression"][0]["y"]))
    now = wf.row_why(explainer, row).output
    goal = wf.goal_of(explainer, high=now - 3)
    view = wf.row_counterfactual(explainer, row, goal, adjustable=("a",))
    change = view.search.singles[0].changes[0]
    assert change.before - change.after == pytest.approx(1.5, abs=0.02), "3 ÷ 2"
    assert wf.outputs_after(explainer, row, view)[0] == pytest.approx(now - 3, abs=0.01)
    assert f"if a were {change.after:.4g} instead of" in str(view.headline)
    assert "already" in str(wf.row_counterfactual(explainer, row, wf.goal_of(explainer, high=now + 1)).headline)
    with pytest.raises(SettingProblem, match="No limits are known"):
        wf.goal_of(explainer)
    with pytest.raises(SettingProblem, match="'tint' holds no numbers"):
        wf.row_counterfactual(explainer, row, goal, adjustable=("tint",))
    none = wf.row_counterfactual(explainer, row, wf.goal_of(explainer, high=-1000.0))
    assert (
        none.search.nearest is None
        and "No single column that is moved to another value within the range of the training part does it, nor any pair"
        in str(none.headline)
    )


def test_a_class_is_turned_by_the_run_s_own_rule(found) -> None:
    """fail where a + b > 1.6: a failing row passes when a falls to about 1.6 − b."""
    _, explainer = found["classification"]
    table = ASKED["classification"][0]
    row = int(np.argmax((table["a"] + table["b"]).to_numpy()))
    view = wf.row_why(explainer, row)
    assert view.said.klass == "fail" and {e.column for e in view.effects if e.effect > 0} == {"a", "b"}
    changed = wf.row_counterfactual(explainer, row, wf.goal_of(explainer))
    assert changed.goal.klass == "pass"
    change = next(one.changes[0] for one in changed.search.singles if one.changes[0].column == "a")
    bundle = explainer.bundle
    place = bundle.target.classes.index("fail")
    moved = explainer.column("a").moved(explainer.window(row), change.after)
    chance = float(bundle.predictor.predict(moved)[0, place])
    assert chance == pytest.approx(bundle.manifest.decision, abs=0.01) and chance <= bundle.manifest.decision
    importance = wf.global_importance(explainer, seconds=0.5)
    assert str(importance.what) == "ROC AUC lost" and all(0.1 < one.mean < 0.5 for one in importance.found.singles)
    with pytest.raises(SettingProblem, match="'maybe'"):
        wf.goal_of(explainer, klass="maybe")


def test_what_is_wanted_of_a_row_is_never_what_it_is_called_already(found) -> None:
    explainer = found["classification"][1]
    results = explainer.results
    cells = results.cells(["truth", "prediction"])
    for row in range(0, results.n_rows, 7):
        truth, called = cells["truth"].iloc[row], cells["prediction"].iloc[row]
        if not isinstance(called, str):
            continue
        wanted = wf.goal_of(explainer, row=row).klass
        assert wanted != called and (truth == called or wanted == truth)
    assert set(cells["prediction"].dropna()) == {"fail", "pass"}


@pytest.mark.parametrize("name", ["anomaly", "nameless"])
def test_an_event_says_its_sensor_how_far_and_how_long(found, name: str) -> None:
    """From row 1800 p2 stands 6 too high, labelled: 200 minutes to the end. A detector without parts names its sensors too."""
    ws, explainer = found[name]
    view = wf.anomaly_view(ws, explainer.results)
    event = next(e for e in view.events if e.last_row >= 1900 and e.first_row >= 1700)
    why = wf.event_why(explainer, event, float(view.threshold.value))
    table = ASKED[name][0]
    train = table[explainer.results.parts == 0]["p2"]
    inside = table["p2"][event.first_row : event.last_row + 1]
    sigma = ((inside - train.mean()) / train.std(ddof=0)).abs().max()
    assert why.sensors[0].column == "p2" and why.sensors[0].sigma == pytest.approx(sigma, rel=1e-3)
    assert str(why.sentence).startswith(f"p2 +{sigma:.1f} sigma for ") and str(why.sentence).endswith("next: p1")
    assert why.sensors[0].repair > 0 and why.sensors[0].share > why.sensors[1].share
    assert why.score == event.peak and (np.diff(why.rows) > 0).all()


def test_shares_and_repair_that_do_not_agree_are_told_apart() -> None:
    def sensor(name: str, share: float, repair: float) -> wf.SensorWhy:
        return wf.SensorWhy(name, "", share, repair, 0.0, 0.0, 0)

    four = [sensor("a", 0.4, 0.1), sensor("b", 0.3, 0.0), sensor("c", 0.2, -1.0), sensor("d", 0.1, 5.0)]
    assert "repairing d takes most off" in str(_doubt(four))
    assert _doubt([four[3], *four[:3]]) is None and _doubt(four[:3]) is None and _doubt([]) is None
    assert _doubt([sensor("a", 0.0, 0.0), sensor("b", 0.0, 0.0)]) is None


def test_an_event_would_have_been_below_the_limit(found) -> None:
    ws, explainer = found["anomaly"]
    view = wf.anomaly_view(ws, explainer.results)
    event = next(e for e in view.events if e.last_row >= 1900)
    limit = float(view.threshold.value)
    changed = wf.row_counterfactual(explainer, event.peak_row, wf.goal_of(explainer))
    assert f"below the decision limit {limit:.4g} if p2 were" in str(changed.headline)
    assert wf.outputs_after(explainer, event.peak_row, changed)[0] <= limit
    with pytest.raises(SettingProblem, match="no event 4,711"):
        wf.open_event(view.events, 4711)


def test_an_event_of_one_sensor_is_repaired_by_that_sensor_alone(found) -> None:
    ws, explainer = found["anomaly"]
    view = wf.anomaly_view(ws, explainer.results)
    event = next(e for e in view.events if e.last_row >= 1900)
    why = wf.event_why(explainer, event, float(view.threshold.value))
    assert why.together is not None and why.together.columns == ("p2",) and why.together.is_within
    assert why.together.before == pytest.approx(event.peak, rel=1e-5) and why.together.after <= why.limit
    assert str(wf.repair_words(why)).startswith("Repairing p2 alone brings the event below the limit")


def test_a_class_is_explained_by_the_class_to_catch_and_the_rest_is_what_is_left(found) -> None:
    _, explainer = found["classification"]
    results = explainer.results
    good = int(np.flatnonzero((results.scores["prediction"] == "pass") & (explainer.places >= 0))[0])
    view = wf.row_why(explainer, good)
    assert (view.said.klass, view.called) == ("fail", "pass")
    assert wf.row_why(explainer, good, klass="pass").said.klass == "pass"
    assert view.rest == pytest.approx(view.output - view.centre - sum(e.effect for e in view.effects))
    assert "only together" in str(wf.rest_words(view))
    assert "say alike" in str(wf.rest_words(wf.row_why(explainer, good, cover="expected")))
    line = wf.row_why(found["regression"][1], 5)
    assert line.called is None


def test_remaining_life_with_its_age_and_own_start(found) -> None:
    _, explainer = found["rul"]
    assert [c.name for c in explainer.columns][-1] == "cycle"
    row = int(np.flatnonzero(explainer.places >= 0)[35])
    view = wf.row_why(explainer, row)
    assert view.output == pytest.approx(explainer.results.scores["prediction"][row], abs=1e-3)
    assert view.effects[0].column in ("wear", "cycle") and str(view.said.what) == "remaining life"
    curve = wf.column_dependence(explainer, "wear").curve
    assert np.isfinite(curve.effects).all() and np.ptp(curve.effects) > 0.5
    assert wf.global_importance(explainer, seconds=0.5).unit == "cycles"
    with pytest.raises(SettingProblem, match="'cycle' holds no numbers"):
        wf.column_dependence(explainer, "cycle")


def test_a_forecast_is_explained_by_its_own_past(found) -> None:
    ws, explainer = found["forecast"]
    row = int(explainer.inputs.row_of_window[300])
    view = wf.row_why(explainer, row)
    assert view.output == pytest.approx(explainer.results.scores["prediction_1"][row], abs=1e-3)
    assert view.effects[0].column == "y" and str(view.said.what) == "next value of y"
    assert wf.global_importance(explainer, seconds=0.5).found.singles[0].columns == ("y",)
    events = wf.anomaly_view(ws, explainer.results, 2.0)
    why = wf.event_why(explainer, events.events[0], 2.0)
    assert why.sensors[0].column == "y" and str(why.sentence)


def test_a_remark_is_covered_as_a_whole_and_nobody_expects_words(found) -> None:
    _, explainer = found["words"]
    row = int(explainer.results.part_rows("test")[3])
    view = wf.row_why(explainer, row)
    assert view.effects[0].column == "Remark" and view.said.klass == "fault"
    assert view.effects[0].effect > 0.2 if view.called == "fault" else view.effects[0].effect < -0.2
    assert view.output == pytest.approx(explainer.results.scores[f"probability_{view.said.klass}"][row], abs=1e-5)
    assert explainer.numbers == ("pressure", "speed")
    with pytest.raises(SettingProblem, match="The model reads words"):
        wf.row_why(explainer, row, cover="expected")


def test_rows_that_cannot_be_explained_are_refused_in_words(found) -> None:
    _, explainer = found["regression"]
    with pytest.raises(SettingProblem, match="no row 9,999"):
        wf.row_why(explainer, 9999)
    with pytest.raises(SettingProblem, match="Expected one of: a, b, idle, tint"):
        wf.column_dependence(explainer, "nothing")
    with pytest.raises(SettingProblem, match="method is 'guess'"):
        wf.column_dependence(explainer, "a", method="guess")


@pytest.mark.parametrize("name", list(ASKED))
def test_the_worst_rows_are_of_the_test_part_and_worst_first(found, name: str) -> None:
    _, explainer = found[name]
    rows = wf.worst_rows(explainer.results)
    assert 1 <= len(rows) <= 20 and (explainer.results.parts[rows] == 2).all()
    if name == "regression":
        scores = explainer.results.scores.iloc[rows]
        off = (scores["truth"] - scores["prediction"]).abs().to_numpy()
        assert (np.diff(off) <= 0).all()


def test_too_few_rows_to_judge_say_so(found, monkeypatch: pytest.MonkeyPatch) -> None:
    _, explainer = found["regression"]
    monkeypatch.setattr("core.workflows.explaining_global._test_places", lambda e: np.arange(5))
    with pytest.raises(NotEnoughData, match="Only 5 rows"):
        wf.global_importance(explainer)


def test_windows_come_as_the_run_scored_them(found, tmp_path: Path) -> None:
    """Every stored score of the test part is what the explainer's output says of the row."""
    for name, column in (("anomaly", "score"), ("nameless", "score"), ("regression", "prediction")):
        _, explainer = found[name]
        rows = explainer.results.part_rows("test")[:50]
        from core.serving.explained import Output

        stored = explainer.results.scores[column].to_numpy()[rows]
        np.testing.assert_allclose(Output(explainer.bundle)(explainer.windows(rows)), stored, rtol=1e-6, atol=1e-8)
