"""The fleet of a run: lives by the rule that was chosen, urgency, plan, and what is said where nothing can be told."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import DataProblem, SettingProblem
from core.evaluation.survival import HeldOut
from core.store import open_store
from core.training.request import TrainRequest
from core.workflows.fleet_facts import lives_facts
from core.workflows.fleet_lives import lives_of, read_units, unit_name
from core.workflows.fleet_plan import rounded_down, view_of
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off
from tests.synthetic import as_dataset, life_table

ROLES = {"unit": "group", "cycle": "time"}


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A store with a run of 30 machines that ran to failure, and a second table of 20 others that are stopped on the way."""
    home = tmp_path_factory.mktemp("fleet") / "home"
    ws = Workspace(open_store(home))
    dataset = _imported(ws, life_table(30), "learned")
    request = {
        "task": "rul",
        "dataset_id": dataset.id,
        "dataset_version": 1,
        "group": "unit",
        "time": "cycle",
        "model": "ridge",
    }
    wf.start_training(ws, TrainRequest.read({**request, "options": {"cap": 40, "window": 5}}), token="fleet")
    work_off(ws.store)
    _imported(ws, stopped()[0], "service")
    return ws


def stopped() -> tuple[pd.DataFrame, dict[str, float]]:
    """20 machines named 101 to 120, each cut somewhere after cycle 10, and what remains of each."""
    table, rng = life_table(20, seed=9), np.random.default_rng(1)
    kept, left = [], {}
    for unit, rows in table.groupby("unit"):
        n = int(rng.integers(10, len(rows)))
        kept.append(rows.iloc[:n].assign(unit=unit + 100))
        left[f"{unit + 100:g}"] = float(len(rows) - n)
    return pd.concat(kept, ignore_index=True), left


def _imported(ws: Workspace, table: pd.DataFrame, name: str) -> wf.Imported:
    path = ws.home / f"{name}.csv"
    table.to_csv(path, index=False)
    found = wf.import_file(ws, path, name=name).dataset
    assert found is not None
    return found  # type: ignore[return-value]


@pytest.fixture
def results(ws: Workspace) -> wf.Results:
    return wf.open_results(ws, next(run.id for run in wf.list_runs(ws) if run.has_results))


@pytest.fixture
def service(ws: Workspace):  # type: ignore[no-untyped-def]
    return next(d for d in wf.list_datasets(ws) if d.name == "service")


def test_run_to_failure_data_has_no_unit_that_runs(results: wf.Results) -> None:
    view = wf.fleet_view(results, wf.FleetSettings())
    lives = life_table(30).groupby("unit")["cycle"].max()
    assert view.lives.ages.tolist() == lives.tolist() and view.lives.failed.all()
    assert str(view.lives.rule) == "Every history that ends counts as failed."
    half = sorted(lives)[14]  # the 15th of 30 leaves one half
    assert str(view.headline).startswith(f"All 30 units have failed; half lasted {half:g} cycles (")
    assert len(view.units) == 0 and len(view.plan) == 0
    assert view.within == (2 if half < 50 else 5), "a tenth, rounded down"


def test_the_fleet_in_service_is_scored_and_sorted_by_urgency(
    results: wf.Results, service, ws: Workspace, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    table, left = stopped()
    view = wf.fleet_view(results, wf.FleetSettings(within=10), in_service=service, truth=left)
    ages = table.groupby("unit")["cycle"].max()
    assert dict(zip(view.units["unit"], view.units["age"], strict=True)) == {f"{u:g}": a for u, a in ages.items()}
    assert (np.diff(view.units["chance"]) >= 0).all() and view.lives.curve.n == 50 and view.lives.n_running == 20
    # The same predictions as the verb `score` gives for the last rows.
    wf.score_file(wf.resolve_bundle(ws, results.run.id), ws.home / "service.csv", tmp_path / "s.csv")
    last = pd.read_csv(tmp_path / "s.csv").groupby("unit")["prediction"].last()
    for name, predicted in zip(view.units["unit"], view.units["prediction"], strict=True):
        assert predicted == pytest.approx(last[float(name)])
    n = int((view.units["chance"] < 0.5).sum())
    assert 0 < n < 20
    first = view.units["unit"].iloc[0]
    assert str(view.headline) == f"{n} of 20 running units will probably need work within 10 cycles; most urgent: unit {first}"
    assert view.plan["due"].iloc[0] == n and view.plan["to"].tolist() == [10, 20, 30]
    interval = results.manifest.interval
    assert interval is not None and 30 <= 40 - interval.half_width < 40, "no further than the cap less the interval"
    assert (np.diff(view.plan["expected"]) >= 0).all() and view.plan["cumulated"].iloc[-1] == view.plan["due"].sum()
    assert view.judged is not None and view.judged.n == 20
    assert view.judged.came == sum(v <= 10 for v in left.values())
    assert view.judged.brier.value < 0.5 * view.judged.brier_of_share, "wear is plain to see in these machines"


def test_chances_are_judged_on_machines_that_were_held_back(results: wf.Results) -> None:
    view = wf.fleet_view(results, wf.FleetSettings(within=10))
    assert view.quality is not None and view.quality_by_age is not None
    rows = results.part_rows("test")
    lives = life_table(30).groupby("unit")["cycle"].transform("max")
    left = (lives - life_table(30)["cycle"]).to_numpy()[rows]
    assert (view.quality.n, view.quality.came) == (len(rows), int((left <= 10).sum()))
    assert view.quality.brier.value < view.quality_by_age.brier.value


def test_the_chance_is_made_from_the_uncapped_lives_of_the_validation_part(results: wf.Results, service) -> None:  # type: ignore[no-untyped-def]
    view = wf.fleet_view(results, wf.FleetSettings(within=45), in_service=service)
    assert (view.units["chance"] > 0).all(), "beyond the cap of 40 some machines last"
    assert any("lean on the cap of 40" in str(n) for n in view.notes)
    rows = results.part_rows("validation")
    table = life_table(30)
    left = (table.groupby("unit")["cycle"].transform("max") - table["cycle"]).to_numpy()[rows]
    scores = results.scores.iloc[rows]
    full = (scores["why_not"] == "").to_numpy()
    held = HeldOut(scores["prediction"].to_numpy()[full], left[full])
    np.testing.assert_allclose(view.units["chance"], held.chance_to_last(view.units["prediction"], 45)[:, 0])


def test_a_machine_seen_again_counts_once_at_its_later_age(tmp_path: Path) -> None:
    first = pd.DataFrame({"unit": ["a", "a", "b", "b"], "cycle": [1.0, 50, 1, 60], "state": ["ok", "failed", "ok", "ok"]})
    later = pd.DataFrame({"unit": ["b", "b", "a"], "cycle": [1.0, 90, 5], "state": ["ok", "ok", "ok"]})
    settings = wf.FleetSettings(failed="column", failed_column="state", ages="counter")
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    one = read_units(as_dataset(first, tmp_path / "x", **ROLES), "unit", "cycle", settings, None)
    two = read_units(as_dataset(later, tmp_path / "y", **ROLES), "unit", "cycle", settings, None)
    lives = lives_of((one, two), "cycles")
    assert sorted(zip(lives.names, lives.ages, lives.failed, strict=True)) == [
        ("a", 5, False),
        ("a", 50, True),
        ("b", 90, False),
    ]


@pytest.mark.parametrize(
    ("settings", "failed", "rule"),
    [
        ({}, [True, True, True], "Every history that ends"),
        ({"failed": "running"}, [False, False, False], "No unit has failed yet"),
        ({"failed": "column", "failed_column": "state"}, [True, False, False], "where 'state' says so"),
        ({"failed": "column", "failed_column": "state", "failed_value": "worn"}, [False, True, False], "'state' is 'worn'"),
        ({"failed_column": "event"}, [False, True, False], "where 'event' says so"),
    ],
)
def test_what_counts_as_failed(tmp_path: Path, settings: dict[str, str], failed: list[bool], rule: str) -> None:
    table = pd.DataFrame(
        {
            "unit": [1.0, 1, 2, 2, 3],
            "cycle": [1.0, 50, 1, 60, 70],
            "state": ["ok", "failed", "worn", "ok", None],
            "event": [0.0, 0, 0, 1, np.nan],
        }
    )
    if settings.get("failed_column") == "state" and "failed_value" not in settings:
        table.loc[2, "state"] = "ok"
    units = read_units(as_dataset(table, tmp_path, **ROLES), "unit", "cycle", wf.FleetSettings.read(settings), None)
    assert units.names.tolist() == ["1", "2", "3"] and units.lives.failed.tolist() == failed
    assert rule in str(units.rule)


def test_a_known_remaining_life_says_what_has_failed_and_what_is_left(tmp_path: Path) -> None:
    table = pd.DataFrame({"unit": ["a", "a", "b", "b"], "cycle": [1.0, 9, 1, 5], "left": [8.0, 0, 24, 20]})
    units = read_units(as_dataset(table, tmp_path, **ROLES), "unit", "cycle", wf.FleetSettings(), "left")
    assert units.lives.failed.tolist() == [True, False] and units.remaining().tolist() == [8, 0, 24, 20]
    without = read_units(as_dataset(table, tmp_path, **ROLES), "unit", "cycle", wf.FleetSettings(failed="running"), None)
    assert np.isnan(without.remaining()).all() and without.seen_on().tolist() == [8, 0, 4, 0]


def test_one_unit_and_two_rows(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    one = pd.DataFrame({"unit": ["a", "a"], "cycle": [1.0, 5]})
    view = wf.lives_view(as_dataset(one, tmp_path / "x", **ROLES), "unit", "cycle", wf.FleetSettings())
    assert str(view.headline) == "The only unit has failed; it lasted 5 cycles"
    two = pd.DataFrame({"unit": ["a", "b"], "cycle": [1.0, 1.0]})
    view = wf.lives_view(as_dataset(two, tmp_path / "y", **ROLES), "unit", "cycle", wf.FleetSettings())
    assert str(view.headline) == "All 2 units have failed; half lasted 1 cycles"
    assert "same age" in str(view.lives.weibull.why_not)
    figures = [wf.survival_figure(view.lives), wf.weibull_figure(view.lives), wf.due_figure(view)]
    assert all("NaN" not in figure.to_json() for figure in figures)


def test_a_clock_of_times_counts_rows(tmp_path: Path) -> None:
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta([0, 2, 1, 0, 5], unit="D")
    dataset = as_dataset(pd.DataFrame({"unit": list("aaabb"), "when": when}), tmp_path, unit="group", when="time")
    view = wf.lives_view(dataset, "unit", "when", wf.FleetSettings())
    assert view.unit == "rows" and view.lives.ages.tolist() == [3, 2]


def test_age_alone_tells_without_a_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lives = np.r_[rng.weibull(3.0, 40) * 100, 20.0, 95.0]
    table = pd.DataFrame({"unit": np.repeat(np.arange(42.0), 2), "cycle": np.c_[np.zeros(42), lives].ravel()})
    table["state"] = np.where(table["unit"] < 40, np.tile(["ok", "failed"], 42), "ok")
    settings = wf.FleetSettings(failed="column", failed_column="state", within=20)
    view = wf.lives_view(as_dataset(table, tmp_path, **ROLES), "unit", "cycle", settings)
    curve = view.lives.weibull.curve
    assert curve is not None and not view.has_model and view.n_disagree == 0
    assert view.units["unit"].tolist() == ["41", "40"], "the older is the more urgent where things wear out"
    assert view.units["chance_by_age"].tolist() == pytest.approx(curve.chance_to_last([95.0, 20.0], 20.0).tolist())
    assert view.expected is None and view.expected_by_age is not None and view.expected_by_age.n == 2


def test_model_and_age_that_disagree_are_named() -> None:
    running = pd.DataFrame(
        {
            "unit": ["young", "old"],
            "age": [10.0, 200.0],
            "prediction": [2.0, 80.0],
            "lower": np.nan,
            "upper": np.nan,
            "why_not": "",
            "part": -1,
            "place": [0, 1],
        }
    )
    view = view_of(_lives(), running, 30.0, None, HeldOut(np.arange(100.0), np.arange(100.0)), 90.0, 65.0)
    assert view.plan["to"].tolist() == [30, 60], "the plan goes no further than the model reaches"
    assert view.units.set_index("unit")["hint"].to_dict() == {"young": "faster", "old": "slower"}
    assert str(view.headline).startswith(
        "1 of 2 running units will probably need work within 30 cycles; most urgent: unit young"
    )


def _lives():  # type: ignore[no-untyped-def]
    from core.evaluation.survival import fit_weibull, survival_curve
    from core.messages import msg
    from core.workflows.fleet_lives import FleetLives

    ages, failed = np.linspace(90, 160, 60), np.ones(60, dtype=bool)
    return FleetLives(
        ages.astype(object),
        ages,
        failed,
        survival_curve(ages, failed),
        fit_weibull(ages, failed),
        "cycles",
        msg("r"),
        msg("c"),
        (),
    )


def test_too_few_held_out_rows_leave_the_chances_to_age() -> None:
    running = pd.DataFrame(
        {
            "unit": ["a"],
            "age": [150.0],
            "prediction": [2.0],
            "lower": np.nan,
            "upper": np.nan,
            "why_not": "",
            "part": 0,
            "place": [0],
        }
    )
    view = view_of(_lives(), running, 30.0, None, HeldOut([1.0], [1.0]), None)
    assert not view.has_model and np.isnan(view.units["chance"]).all() and len(view.plan) == 6
    assert any("Too few held-out rows (1)" in str(n) for n in view.notes)
    assert str(view.headline).startswith("1 of 1 running units will probably need work")


def test_units_that_run_in_the_data_learned_from_are_said(results: wf.Results) -> None:
    view = wf.fleet_view(results, wf.FleetSettings(failed="running", within=10))
    said = [str(n) for n in view.notes]
    assert any("as if every history ended in a failure; 30 units still run" in n for n in said)
    assert any("of these units were learned from" in n for n in said)
    assert view.lives.weibull.curve is None and "their chances cannot be told" in str(view.headline)


def test_what_cannot_be_done_says_so(results: wf.Results, service, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SettingProblem, match="No column is named"):
        wf.fleet_view(results, wf.FleetSettings(failed="column"))
    with pytest.raises(DataProblem, match="no column 'nope'"):
        wf.fleet_view(results, wf.FleetSettings(failed="column", failed_column="nope"))
    with pytest.raises(SettingProblem, match="no column of known remaining life"):
        wf.fleet_view(results, wf.FleetSettings(failed="target"))
    with pytest.raises(SettingProblem, match="more than 0"):
        wf.FleetSettings.read({"within": 0})
    with pytest.raises(SettingProblem, match="tells the units apart"):
        wf.lives_view(service, None, "cycle", wf.FleetSettings())
    with pytest.raises(DataProblem, match="lacks wear"):
        table = stopped()[0].drop(columns="wear")
        wf.fleet_view(results, wf.FleetSettings(), in_service=as_dataset(table, tmp_path, **ROLES))


def test_the_table_of_a_fleet_is_saved(results: wf.Results, service, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    view = wf.fleet_view(results, wf.FleetSettings(within=10), in_service=service)
    wf.export_fleet(view, tmp_path / "fleet.csv")
    saved = pd.read_csv(tmp_path / "fleet.csv", dtype={"unit": str})
    assert saved["unit"].tolist() == view.units["unit"].tolist() and set(saved["within"]) == {10}
    np.testing.assert_allclose(saved["chance"], view.units["chance"])


def test_true_lives_come_one_a_unit(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("unit,left\n1,5\n2,7\n")
    assert wf.read_remaining(path, "left", "unit") == {"1": 5.0, "2": 7.0}
    path.write_text("unit,left\n1,5\n1,7\n")
    with pytest.raises(DataProblem, match="more than once"):
        wf.read_remaining(path, "left", "unit")
    with pytest.raises(DataProblem, match="no column 'rul'"):
        wf.read_remaining(path, "rul", "unit")


@pytest.mark.parametrize(("value", "rounded"), [(19.9, 10), (20, 20), (4.99, 2), (5, 5), (0.07, 0.05), (1, 1), (1000, 1000)])
def test_a_tenth_is_rounded_down_to_a_number_that_people_say(value: float, rounded: float) -> None:
    assert rounded_down(value) == pytest.approx(rounded)


def test_the_report_says_what_the_screen_says(results: wf.Results) -> None:
    facts, figures = lives_facts(results, str)
    view = wf.fleet_view(results, wf.FleetSettings())
    said = {str(f.name): str(f.value) for f in facts}
    assert said["The fleet"] == str(view.headline) and said["What counts as failed"] == str(view.lives.rule)
    shape = view.lives.weibull.shape
    assert said["Weibull shape"] == f"{shape.value:.4g} (95 %: {shape.low:.4g} to {shape.high:.4g})"
    assert view.quality is not None and f"{view.quality.came} came" in said["Chances on units held back"]
    assert [str(f.title) for f in figures] == ["Share of units that still run"]


def test_a_run_with_a_known_remaining_life_has_units_that_run_in_its_own_data(tmp_path: Path) -> None:
    ws = Workspace(open_store(tmp_path / "home"))
    ran = life_table(20).assign(left=lambda t: t.groupby("unit")["cycle"].transform("max") - t["cycle"])
    service, left = stopped()
    ends = service.groupby("unit")["cycle"].transform("max")
    service = service.assign(left=[left[f"{u:g}"] for u in service["unit"]] + ends - service["cycle"])
    dataset = _imported(ws, pd.concat([ran, service], ignore_index=True), "both")
    request = {
        "task": "rul",
        "dataset_id": dataset.id,
        "dataset_version": 1,
        "group": "unit",
        "time": "cycle",
        "target": "left",
    }
    run = wf.start_training(
        ws, TrainRequest.read({**request, "model": "ridge", "options": {"cap": 40, "window": 5}}), token="t"
    )
    work_off(ws.store)
    view = wf.fleet_view(wf.open_results(ws, run.id), wf.FleetSettings(within=10))
    assert str(view.lives.rule) == "A unit has failed where its known remaining life reaches 0."
    assert sorted(view.units["unit"], key=float) == sorted(left, key=float) and view.lives.curve.n_failed == 20
    assert view.judged is not None and view.judged.came == sum(v <= 10 for v in left.values())
    assert not any("as if every history ended" in str(n) for n in view.notes)
    assert any("were learned from" in str(n) for n in view.notes)


def test_a_long_serial_number_is_a_name_of_its_own() -> None:
    assert [unit_name(n) for n in (34.0, 1234561.0, 1234562.0, 2.5, float("nan"), "A7")] == [
        "34", "1234561", "1234562", "2.5", "–", "A7",
    ]  # fmt: skip


def test_units_in_service_need_no_column_of_failures(tmp_path: Path) -> None:
    table = pd.DataFrame({"unit": [1.0, 1.0, 2.0], "cycle": [1.0, 2.0, 1.0]})
    settings = wf.FleetSettings(failed="column", failed_column="event")
    found = read_units(as_dataset(table, tmp_path), "unit", "cycle", settings, None, in_service=True)
    assert not found.lives.failed.any() and "still runs" in str(found.rule)


def test_very_many_held_out_rows_are_thinned_and_say_the_same() -> None:
    rng = np.random.default_rng(5)
    prediction = rng.uniform(0, 100, 60_000)
    held = HeldOut(prediction, prediction + rng.normal(0, 10, 60_000), np.arange(60_000) % 50)
    assert held.n == 20_000 and held.n_units == 50
    expected = 0.5 * (1 + math.erf((50 - 40) / 10 / math.sqrt(2)))  # the error has a spread of 10
    assert held.chance_to_last(np.array([50.0]), np.array([40.0]))[0, 0] == pytest.approx(expected, abs=0.03)


def test_a_report_speaks_of_the_fleet_that_was_chosen(ws: Workspace, results: wf.Results, service: wf.Imported) -> None:
    view = wf.fleet_view(results, wf.FleetSettings(), in_service=service)  # type: ignore[arg-type]
    facts = {str(f.name): str(f.value) for f in lives_facts(results, str, service)[0]}  # type: ignore[arg-type]
    assert facts["Units in service"] == "service, version 1"
    assert facts["The fleet"] == str(view.headline)
    assert facts["Most urgent units"].split(", ") == [str(u) for u in view.units["unit"][:10]]
    assert "Units in service" not in {str(f.name) for f in lives_facts(results, str)[0]}
    made = wf.make_report(ws, results.run.id, in_service=service)  # type: ignore[arg-type]
    html = made.path.read_text(encoding="utf-8")
    assert str(view.headline) in html and service.sha256 in html  # type: ignore[attr-defined]


def test_a_report_goes_with_the_fleet_that_it_speaks_of(ws: Workspace, results: wf.Results) -> None:
    fleet = _imported(ws, stopped()[0].head(200), "sold")
    spoken, own = wf.make_report(ws, results.run.id, in_service=fleet), wf.make_report(ws, results.run.id)  # type: ignore[arg-type]
    assert [id for id, _ in wf.made_from_dataset(ws, fleet.id).reports] == [spoken.id]  # type: ignore[attr-defined]
    wf.delete_with_everything(ws, fleet.id)  # type: ignore[attr-defined]
    assert not spoken.path.exists() and own.path.exists()
    kept = {r.id for r in wf.list_reports(ws)}
    assert own.id in kept and spoken.id not in kept


def test_a_fleet_that_does_not_go_with_the_run_is_refused(ws: Workspace, results: wf.Results) -> None:
    other = _imported(ws, stopped()[0].drop(columns="cycle"), "other")
    with pytest.raises(DataProblem, match="cycle"):
        wf.make_report(ws, results.run.id, in_service=other)  # type: ignore[arg-type]
