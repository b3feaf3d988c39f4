"""The automatic choice: what it keeps, that it never reads the test part, what an ensemble's bundle does, stop and resume."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.split import TEST, VALIDATION
from core.errors import NotEnoughData, SettingProblem
from core.jobs import auto, candidates, wait_for_job
from core.jobs.auto import Chosen, run_auto
from core.jobs.last_fit import last_fit
from core.jobs.slices import FEWEST_EPOCHS, Seen
from core.messages import Message, msg
from core.serving import load_bundle
from core.serving.bundle import pack_bundle
from core.serving.predictors import make_predictor
from core.training.events import Event
from core.training.prepare import prepare
from core.training.request import TrainRequest
from core.training.resolve import resolve
from core.workflows.report_facts import report_facts
from tests.synthetic import anomaly_table

N = 180  # below 200 rows no network is tried, so that no test here needs TensorFlow


def bent_table(n: int = N, seed: int = 3) -> pd.DataFrame:
    """A target that a straight line cannot follow: noise 0.3 on a bend and a step."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=(n, 3))
    y = 3 * np.abs(x[:, 0]) + 2 * (x[:, 1] > 0) + rng.normal(scale=0.3, size=n)
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}).round(6)


def class_table(n: int = N, seed: int = 5) -> pd.DataFrame:
    table = bent_table(n, seed)
    return table.assign(y=np.where(table["y"] > 4.5, "high", np.where(table["y"] < 3.5, "low", "mid")))


class Ground:
    """An automatic choice called directly, as the job calls it, in a folder of its own."""

    def __init__(self, home: Path, table: pd.DataFrame, task: str, **request: Any) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        ws = wf.open_workspace(home / "store")
        table.to_csv(home / "table.csv", index=False)
        dataset = wf.import_file(ws, home / "table.csv").dataset
        assert dataset is not None
        made = {"dataset_id": dataset.id, "dataset_version": 1, "task": task, "target": "y", "budget_minutes": 5.0}
        self.resolved = resolve(dataset, TrainRequest.read(made | request))
        self.prepared = prepare(self.resolved)
        self.events: list[Event] = []

    def run(self, stop: Callable[[], bool] = lambda: False) -> Chosen | None:
        ctx = SimpleNamespace(folder=self.home / "job", emit=self.events.append, stop_requested=stop)
        ctx.folder.mkdir(exist_ok=True)
        return run_auto(ctx, self.resolved, self.prepared, self.home / "bundle")  # type: ignore[arg-type]

    def states(self) -> dict[str, list[str]]:
        told: dict[str, list[str]] = {}
        for event in self.events:
            if event.kind == "candidate":
                told.setdefault(str(event.values["model"]), []).append(str(event.values["state"]))
        return told


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, Chosen]:
    ground = Ground(tmp_path_factory.mktemp("auto"), bent_table(), "regression")
    found = ground.run()
    assert found is not None
    return ground, found


def test_a_bent_target_is_not_left_to_the_straight_line(chosen: tuple[Ground, Chosen]) -> None:
    ground, found = chosen
    by_model = {c["model"]: c for c in found.choice["candidates"]}
    assert found.choice["chosen"] != "ridge"
    assert by_model["gradient_boosting"]["figure"] < 0.8 * by_model["ridge"]["figure"]
    assert {"dense", "tabular"} <= {m for m, c in by_model.items() if c["state"] == "skipped" and c["why"]}
    assert sum(c["share"] for c in found.choice["candidates"]) == pytest.approx(1)
    words = " ".join(str(Message.from_json(s)) for s in found.choice["sentences"])
    assert "validation" in words and "Ridge regression" in words


def test_the_stored_figures_are_those_of_the_validation_rows(chosen: tuple[Ground, Chosen]) -> None:
    """Independently: the RMSE of the candidate's own bundle on the validation rows of the split."""
    ground, found = chosen
    number = next(i for i, c in enumerate(found.choice["candidates"]) if c["model"] == "random_forest")
    bundle = load_bundle(ground.home / "job" / "auto" / f"{number:02d}" / "bundle")
    table = pd.read_csv(ground.home / "table.csv").iloc[ground.prepared.split.rows(1)]
    error = bundle.score(table.reset_index(drop=True))["prediction"].to_numpy() - table["y"].to_numpy()
    assert found.choice["candidates"][number]["figure"] == pytest.approx(float(np.sqrt((error**2).mean())), rel=1e-6)


def test_candidates_tell_their_start_and_their_end(chosen: tuple[Ground, Chosen]) -> None:
    states = chosen[0].states()
    assert states["ridge"][:3] == ["waiting", "running", "done"]
    assert set(states) == set(chosen[0].resolved.portfolio.keys)  # type: ignore[union-attr]


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_choice_never_reads_the_test_part(task: str, tmp_path: Path) -> None:
    """Test rows times 10^6, targets and sensors alike: the same figures, the same choice, to the last digit."""
    table = bent_table() if task == "regression" else class_table()
    first = Ground(tmp_path / "a", table, task)
    test = first.prepared.split.rows(TEST)
    spoiled = table.copy()
    numbers = ["a", "b", "c", *(["y"] if task == "regression" else [])]
    spoiled.loc[test, numbers] = spoiled.loc[test, numbers] * 1e6
    if task == "classification":
        spoiled.loc[test, "y"] = "mid"
    second = Ground(tmp_path / "b", spoiled, task, split=first.resolved.split.model_dump())
    # A random split is drawn class by class: the very same rows are given by hand.
    second.prepared = _with_parts(second, first)
    one, other = first.run(), second.run()
    assert one is not None and other is not None

    def plain(choice: dict[str, Any]) -> str:
        rows = [{k: v for k, v in c.items() if k != "seconds"} for c in choice["candidates"]]
        return json.dumps({**choice, "candidates": rows})

    assert plain(one.choice) == plain(other.choice)


def _with_parts(ground: Ground, other: Ground) -> Any:
    """What `prepare` gives on the split of another ground."""
    return prepare(ground.resolved, split=other.prepared.split)


def test_an_ensemble_is_one_bundle_that_is_the_average_of_its_members(tmp_path: Path) -> None:
    ground = Ground(tmp_path, bent_table(), "regression")
    assert ground.run() is not None
    made = auto._Auto(SimpleNamespace(folder=tmp_path / "job"), ground.resolved, ground.prepared)  # type: ignore[arg-type]
    tried = [t for t in (made.kept.read(i) for i in range(5)) if t is not None]
    from core.jobs.ensembles import write_choice

    by_model = {t.model: t for t in tried}
    members = [(by_model["gradient_boosting"], 0.25), (by_model["ridge"], 0.75)]
    _, _, bundle, parts = write_choice(made.ground, made.kept, members, tmp_path / "both", {"chosen": "ensemble"})
    opened = load_bundle(tmp_path / "both")
    assert [m.model for m in opened.manifest.members] == ["ridge", "gradient_boosting"]
    assert [(p.name, p.resolved.spec.key) for p in parts] == [("member0", "ridge"), ("member1", "gradient_boosting")]
    assert set(opened.manifest.files) >= {"member0.npz", "member1.onnx"}
    table = pd.read_csv(tmp_path / "table.csv")
    singles = [load_bundle(made.kept.of(by_model[k].number) / "bundle") for k in ("ridge", "gradient_boosting")]
    expected = [b.score(table)["prediction"].to_numpy() for b in singles]
    found = opened.score(table)["prediction"].to_numpy()
    np.testing.assert_allclose(found, 0.75 * expected[0] + 0.25 * expected[1], rtol=1e-9)
    pack_bundle(tmp_path / "both", tmp_path / "both.zip")
    np.testing.assert_array_equal(load_bundle(tmp_path / "both.zip").score(table)["prediction"].to_numpy(), found)
    assert make_predictor("linear", tmp_path / "both", "member0").predict(np.zeros((1, 1, 3), np.float32)).shape == (1, 1)
    last = last_fit(bundle, parts, seconds=60.0, stop_requested=lambda: False)
    assert last is not None
    n_taught = int((made.ground.prepared[1].split.parts != TEST).sum())
    assert [m.training["last_fit_rows"] for m in last.bundle.manifest.members] == [n_taught, n_taught]
    assert not np.allclose(load_bundle(tmp_path / "both").score(table)["prediction"], found, rtol=1e-3)
    none = last_fit(bundle, parts, seconds=-1.0, stop_requested=lambda: False)
    assert none is None


def test_a_stopped_choice_keeps_the_best_so_far_and_goes_on_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Ground(tmp_path, bent_table(), "regression")
    fitted: list[str] = []
    own = auto.try_candidate

    def counted(ground: Any, tried: Any, *rest: Any) -> Any:
        fitted.append(tried.model)
        return own(ground, tried, *rest)

    monkeypatch.setattr(auto, "try_candidate", counted)
    stopped = ground.run(stop=lambda: len(fitted) >= 2)
    assert stopped is not None and stopped.was_stopped and fitted == ["ridge", "gradient_boosting"]
    assert stopped.choice["chosen"] in ("ridge", "gradient_boosting", "ensemble")
    ended = ground.run()
    assert ended is not None and not ended.was_stopped
    assert sorted(fitted) == sorted(ground.resolved.portfolio.keys)  # type: ignore[union-attr]  # each once


def test_a_stop_before_anything_is_fitted_leaves_nothing(tmp_path: Path) -> None:
    assert Ground(tmp_path, bent_table(), "regression").run(stop=lambda: True) is None


def test_what_does_not_fit_into_the_time_is_left_out_with_the_reason(tmp_path: Path) -> None:
    ground = Ground(tmp_path, bent_table(), "regression", budget_minutes=0.002)
    found = ground.run()
    assert found is not None
    states = {c["model"]: c["state"] for c in found.choice["candidates"]}
    assert states["ridge"] == "done" and states["gradient_boosting"] == "skipped"
    why = next(c["why"] for c in found.choice["candidates"] if c["model"] == "gradient_boosting")
    assert "time" in str(Message.from_json(why))


def test_a_candidate_that_fails_is_told_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = auto.try_candidate

    def failing(ground: Any, tried: Any, *rest: Any) -> Any:
        if tried.model == "random_forest":
            raise NotEnoughData(msg("No."), msg("More."), msg("Bring more."))
        return own(ground, tried, *rest)

    monkeypatch.setattr(auto, "try_candidate", failing)
    ground = Ground(tmp_path, bent_table(), "regression")
    found = ground.run()
    assert found is not None
    assert {c["model"]: c["state"] for c in found.choice["candidates"]}["random_forest"] == "failed"


def test_an_option_of_no_candidate_is_refused_and_one_of_some_concerns_these(tmp_path: Path) -> None:
    with pytest.raises(SettingProblem, match="no_such_thing"):
        Ground(tmp_path / "a", bent_table(), "regression", options={"no_such_thing": 1})
    ground = Ground(tmp_path / "b", bent_table(), "regression", options={"rounds": 12})
    assert resolve(ground.resolved.dataset, ground.resolved.request).portfolio is not None
    with pytest.raises(SettingProblem, match="ensemble"):
        resolve(ground.resolved.dataset, replace_model(ground, "ensemble"))


def replace_model(ground: Ground, key: str) -> TrainRequest:
    return ground.resolved.request.with_values(model=key)


def test_what_needs_more_memory_than_is_free_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "memory_left", lambda: 1_000_000)
    found = Ground(tmp_path, bent_table(), "regression").run()
    assert found is not None
    assert {c["state"] for c in found.choice["candidates"][1:]} == {"skipped"}
    assert "memory" in str(Message.from_json(found.choice["candidates"][1]["why"]))


def test_a_detector_is_taken_by_rule_and_no_label_has_a_part_in_it(tmp_path: Path) -> None:
    choices = []
    for name, flip in (("a", False), ("b", True)):
        table = anomaly_table(n=160, first_fault=130)
        table["label"] = 1 - table["label"] if flip else table["label"]
        ws = wf.open_workspace(tmp_path / name)
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        dataset = wf.import_file(ws, tmp_path / f"{name}.csv").dataset
        assert dataset is not None
        request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "anomaly", "target": "label", "time": "when"}
        run = wf.start_training(ws, TrainRequest.read(request))
        wait_for_job(ws.store, run.job_id, timeout=180)
        run = wf.get_run(ws, run.id)
        assert run.state == "succeeded", run.problem
        assert run.model == "pca_t2_spe" and run.baseline == "isolation_forest"
        choices.append([{k: v for k, v in c.items() if k != "seconds"} for c in run.summary["choice"]["candidates"]])
    assert choices[0] == choices[1]


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_run_by_the_whole_way_says_why_everywhere(task: str, tmp_path: Path) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    table = bent_table() if task == "regression" else class_table()
    table.to_csv(tmp_path / "parts.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "parts.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": task, "target": "y", "budget_minutes": 2.0}
    run = wf.start_training(ws, TrainRequest.read(request))
    assert run.model == "auto" and wf.plan_training(ws, run.request).model == "auto"
    wait_for_job(ws.store, run.job_id, timeout=180)
    run = wf.get_run(ws, run.id)
    assert run.state == "succeeded", run.problem
    choice = run.summary["choice"]
    assert run.model == choice["chosen"] and run.request.model == "auto"
    results = wf.open_results(ws, run.id)
    assert results.manifest.choice == choice and results.manifest.model == run.model
    if task == "regression":
        assert results.manifest.interval is not None
    facts = report_facts(ws, results, str)
    assert facts.choice and str(facts.choice[0]) in [str(Message.from_json(s)) for s in choice["sentences"]]
    scored = wf.score_file(wf.resolve_bundle(ws, run.id), tmp_path / "parts.csv", tmp_path / "out.csv")
    column = "prediction" if task == "regression" else "probability_high"
    same = (results.scores["part"] != VALIDATION).to_numpy()  # the fit before the last one had not seen these rows
    found = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_allclose(found[column][same], results.scores[column][same], rtol=1e-9)
    assert scored.rows == len(table)
    assert any("fitted once more" in str(note) for note in run.notes)
    curves = wf.read_curves(ws, run.id)
    assert {c.model for c in curves.candidates} == set(resolve(dataset, run.request).portfolio.keys)  # type: ignore[union-attr]
    assert not (ws.store.path(run.job_id, "job") / "auto").exists()


@pytest.mark.slow
def test_a_choice_whose_worker_is_killed_goes_on_at_the_candidate_where_it_was(tmp_path: Path) -> None:
    """The real worker, killed while the network trains: what was finished is not fitted again, and the network goes on."""
    ws = wf.open_workspace(tmp_path / "home")
    bent_table(2_000).to_csv(tmp_path / "parts.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "parts.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "regression", "target": "y", "budget_minutes": 3.0}
    run = wf.start_training(ws, TrainRequest.read({**request, "options": {"epochs": 12, "rounds": 60, "trees": 20}}))
    killed: list[int] = []

    def kill_in_the_network(event: Any) -> None:
        if event.kind == "epoch" and not killed and int(event.values["epoch"]) >= 2:
            pid = ws.store.get_job(run.job_id).pid
            assert pid is not None
            killed.append(int(event.values["candidate"]))
            os.kill(pid, signal.SIGKILL)

    wait_for_job(ws.store, run.job_id, on_event=kill_in_the_network, timeout=240)
    assert killed and wf.get_run(ws, run.id).state == "interrupted"
    before = {c.number: c for c in wf.read_curves(ws, run.id).candidates}
    last = ws.store.last_seq(run.job_id)
    wf.resume_run(ws, run.id)
    wait_for_job(ws.store, run.job_id, timeout=300)
    ended = wf.get_run(ws, run.id)
    assert ended.state == "succeeded", ended.problem
    later = [e for e in ws.store.events_after(run.job_id, last) if e.kind == "candidate" and e.values["state"] == "running"]
    done_before = {n for n, c in before.items() if c.state == "done"}
    # The network that was killed goes on first, then those behind it; only then the best are judged once more on folds.
    order = [int(e.values["number"]) for e in later]
    fitted = [n for n in order if n not in done_before]
    assert done_before and order[: len(fitted)] == fitted and fitted[0] == killed[0]
    assert ended.choice is not None and all(c.state == "done" for c in ended.choice.candidates)
    for number in done_before:
        assert ended.choice.candidates[number].figure == before[number].figure


def test_a_network_far_behind_after_a_fair_part_of_its_time_is_given_up_and_one_that_is_near_is_not() -> None:
    curve = [{"val_loss": 0.9 - 0.01 * i, "val_metric": 6.0 - 0.1 * i} for i in range(10)]
    seen = Seen()
    for i, values in enumerate(curve):
        assert not seen.is_hopeless(3.0) or i >= FEWEST_EPOCHS, "a few epochs say nothing"
        seen.add(values, is_classes=False)
    assert seen.error == pytest.approx(5.1)
    assert seen.is_hopeless(3.0) and not seen.is_hopeless(3.5), "5.1 lies above 1.5 x 3.0 and below 1.5 x 3.5"
    assert not seen.is_hopeless(3.0, margin=1.0), "and not by the margin too"
    seen.add({"val_metric": 4.4, "val_loss": None}, is_classes=False)
    assert not seen.is_hopeless(3.0), "one good epoch is enough"


@pytest.mark.parametrize(("near", "epochs"), [(1e9, list(range(1, 9))), (0.0, [1, 2, 3])])
def test_time_that_is_left_goes_to_networks_that_their_slice_ended_unless_far_behind(
    near: float, epochs: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices of three epochs; whoever goes on makes the others, none of them twice."""
    monkeypatch.setattr(auto, "NEAR_LEAD", near)
    monkeypatch.setattr(candidates, "SMALL_VALIDATION", 0)  # else the time goes to folds

    def three_epochs(own: Any, tried: Any, need: Any) -> Any:
        told: list[int] = []
        heard = lambda event: (told.append(1) if event.kind == "epoch" else None, own.ctx.emit(event))  # noqa: E731
        return auto.Turn(60.0, heard, own.ctx.stop_requested, lambda: len(told) >= 3, may_go_on=True)

    monkeypatch.setattr(auto._Auto, "_turn", three_epochs)
    options = {"epochs": 8, "patience": 8, "rounds": 20, "trees": 10}
    ground = Ground(tmp_path, bent_table(300), "regression", options=options)
    found = ground.run()
    assert found is not None
    networks = {c["model"]: c for c in found.choice["candidates"] if c["model"] in ("tabular", "dense")}
    for number, tried in enumerate(ground.resolved.portfolio.keys):  # type: ignore[union-attr]
        if tried in networks:
            told = [e.values["epoch"] for e in ground.events if e.kind == "epoch" and e.values["candidate"] == number]
            assert told == epochs, tried
            assert (networks[tried]["why"] is None) == (near > 0), "what was said of its slice no longer holds"


def test_a_continuation_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a candidate are put back, byte for byte, and its folder of safety goes."""
    kept = candidates.Kept(tmp_path)
    kept.write(candidates.Tried(3, "dense", "done", figure=0.5))
    (kept.of(3) / "bundle").mkdir()
    (kept.of(3) / "bundle" / "model.onnx").write_bytes(b"before")
    with kept.safe(3) as undo:
        (kept.of(3) / "bundle" / "model.onnx").unlink()
        undo()
    assert (kept.of(3) / "bundle" / "model.onnx").read_bytes() == b"before" and kept.read(3) is not None
    assert [f.name for f in tmp_path.iterdir()] == ["03"]
