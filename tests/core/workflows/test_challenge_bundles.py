"""The gate knows a bundle again by its files, whatever its manifest says of itself, and a set goes without a run of its dataset."""

from __future__ import annotations

import dataclasses
import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest

from core import workflows as wf
from core.errors import DataProblem, EscapeProblem, StoreProblem
from core.serving import load_bundle
from core.serving.bundle import pack_bundle
from core.training.request import TrainRequest
from core.workflows import challenge, challenge_bundles
from core.workflows.challenge_bundles import runs_of_bundle
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, series_table

ANOMALY = {
    "task": "anomaly", "model": "pca_t2_spe", "target": "label", "time": "when", "split": {"method": "first", "first": 800},
}  # fmt: skip
HIGH = {"threshold": {"value": 1e12}}


def trained(ws: Workspace, folder: Path, table: Any = None, **request: object) -> wf.Results:
    table = anomaly_table(1_600, 1_400) if table is None else table
    table.to_csv(folder / "data.csv", index=False)
    dataset = wf.import_file(ws, folder / "data.csv").dataset
    assert dataset is not None
    given = {"dataset_id": dataset.id, "dataset_version": 1, "name": "run", "options": {}, **ANOMALY, **request}
    run = wf.start_training(ws, TrainRequest.read(given))
    work_off(ws.store)
    return wf.open_results(ws, run.id)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run whose dataset has a challenge set."""
    home = tmp_path_factory.mktemp("bundles")
    ws = wf.open_workspace(home / "home")
    results = trained(ws, home)
    wf.add_challenge(ws, results, wf.ChallengeSettings(name="rabbits", source="labelled"))
    return home / "home"


@pytest.fixture
def ws(built: Path, home: Path) -> Workspace:
    shutil.copytree(built, home)
    challenge._remembered.clear()
    return wf.open_workspace(home)


def taken_out(ws: Workspace, folder: Path, changed: dict[str, Any]) -> Path:
    """A zip of the run's bundle, with other words in its manifest."""
    (run,) = wf.list_runs(ws)
    copy = folder / "copy"
    shutil.copytree(ws.store.path(run.id, "bundle"), copy)
    path = copy / "manifest.json"
    told = json.loads(path.read_text())
    for key, value in changed.items():
        told[key] = {**told[key], **value} if isinstance(value, dict) else value
    path.write_text(json.dumps(told))
    pack_bundle(copy, folder / "model.zip")
    return folder / "model.zip"


def used(ws: Workspace, bundle: Path, folder: Path) -> None:
    anomaly_table(100, 90).to_csv(folder / "new.csv", index=False)
    wf.score_file(wf.resolve_bundle(ws, str(bundle)), folder / "new.csv", folder / "scores.csv", ws=ws)


@pytest.mark.parametrize(
    "changed",
    [
        HIGH,
        {**HIGH, "run": "another"},
        {**HIGH, "run": "", "dataset": {"id": ""}},
        {**HIGH, "run": "another", "dataset": {"id": "of another plant"}},
        {**HIGH, "run": "", "dataset": {"id": ""}, "target_column": "x"},
    ],
)
def test_a_copy_whose_manifest_was_edited_is_known_by_its_files(ws: Workspace, tmp_path: Path, changed: dict[str, Any]) -> None:
    (run,) = wf.list_runs(ws)
    with pytest.raises(EscapeProblem, match="'rabbits'.*rows 1,401 to 1,600"):
        used(ws, taken_out(ws, tmp_path, changed), tmp_path)
    entry = ws.store.list_audit(run.id)[0]
    assert (entry.action, entry.object_id) == ("blocked", run.id)


def test_one_file_of_the_run_is_enough_and_none_is_taken_at_its_word(ws: Workspace, tmp_path: Path) -> None:
    """Without the run's example the model tells it; with nothing of it the manifest is all there is."""
    (run,) = wf.list_runs(ws)
    path = taken_out(ws, tmp_path, {**HIGH, "run": "", "dataset": {"id": ""}, "files": {}})
    copy = tmp_path / "copy"
    told = json.loads((copy / "manifest.json").read_text())
    (copy / "example.json").unlink()
    del told["files"]["example.json"]
    (copy / "manifest.json").write_text(json.dumps(told))
    assert [known.run_id for known in runs_of_bundle(ws, load_bundle(copy))] == [run.id]
    model = copy / "model.npz"
    model.write_bytes(model.read_bytes() + b"\0")
    told["files"] = {}
    (copy / "manifest.json").write_text(json.dumps(told))
    assert runs_of_bundle(ws, load_bundle(copy)) == () and path.exists()


def test_a_run_in_the_store_is_told_by_its_place(ws: Workspace, tmp_path: Path) -> None:
    (run,) = wf.list_runs(ws)
    path = ws.store.path(run.id, "bundle") / "manifest.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "run": "another", "dataset": {}, "threshold": {**told["threshold"], "value": 1e12}}))
    with pytest.raises(EscapeProblem, match="'rabbits'"):
        wf.gate(ws, wf.resolve_bundle(ws, run.id), "score")


def test_a_copy_outlives_its_run_and_is_still_known(ws: Workspace, tmp_path: Path) -> None:
    path = taken_out(ws, tmp_path, {**HIGH, "run": ""})
    dataset_id = wf.list_runs(ws)[0].dataset_id
    trained(ws, tmp_path, name="keeps the other dataset")
    wf.delete_run(ws, wf.list_runs(ws, dataset_id)[0].id)
    with pytest.raises(EscapeProblem, match="'rabbits'"):
        used(ws, path, tmp_path)


def test_models_without_fitted_numbers_are_not_taken_for_each_other(home: Path, tmp_path: Path) -> None:
    """The last value is the same file in every run; a set of one line says nothing of another line's model."""
    ws = wf.open_workspace(home)
    asked = {"task": "forecast", "model": "last_value", "target": "y", "time": "when", "group": "line", "split": None}
    one = trained(ws, tmp_path, series_table(500), **asked)
    other = trained(ws, tmp_path, series_table(500, seed=8), **asked)
    wf.add_challenge(ws, one, wf.ChallengeSettings(name="set", source="rows", rows="801-820", expect="quiet"))
    for results, n in ((one, 1), (other, 0)):
        shutil.copytree(ws.store.path(results.run.id, "bundle"), copy := tmp_path / f"copy-{n}")
        assert len(wf.check_bundle(ws, load_bundle(copy))) == n


def test_a_set_of_a_deleted_dataset_is_withdrawn_without_a_run(ws: Workspace, tmp_path: Path) -> None:
    path = taken_out(ws, tmp_path, {})
    (run,) = wf.list_runs(ws)
    used(ws, path, tmp_path)
    wf.delete_dataset(ws, run.dataset_id)
    (kept,) = wf.kept_challenges(ws)
    assert (kept.dataset_name, kept.is_deleted, kept.challenge.name) == ("data", True, "rabbits")
    wf.delete_run(ws, run.id)
    with pytest.raises(DataProblem, match="'rabbits' is missing or was changed.*need no run of it"):
        used(ws, path, tmp_path)
    wf.withdraw_challenge(ws, kept.challenge.id, by="Mei", reason="the line is gone")
    assert wf.kept_challenges(ws) == ()
    used(ws, path, tmp_path)
    entry = ws.store.list_audit(run.dataset_id)[0]
    assert (entry.action, entry.name, entry.details["by"], entry.details["reason"]) == (
        "withdrawn", "rabbits", "Mei", "the line is gone",
    )  # fmt: skip
    with pytest.raises(StoreProblem, match="no challenge set"):
        wf.withdraw_challenge(ws, kept.challenge.id, by="Mei", reason="again")


def test_what_is_known_of_files_goes_with_the_dataset(ws: Workspace) -> None:
    (run,) = wf.list_runs(ws)
    assert [value["run_id"] for value in ws.store.list_bundles()] == [run.id]
    wf.delete_with_everything(ws, run.dataset_id)
    assert ws.store.list_bundles() == () and wf.kept_challenges(ws) == ()


def test_a_damaged_bundle_is_hashed_once_until_its_files_change(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run from before the register whose files are damaged: each gate check looked through all of them again."""
    (run,) = wf.list_runs(ws)
    monkeypatch.setattr(type(ws.store), "list_bundles", lambda _: [])
    loaded: list[str] = []
    own = challenge_bundles.load_bundle
    monkeypatch.setattr(challenge_bundles, "load_bundle", lambda folder: loaded.append(folder.name) or own(folder))
    manifest = ws.store.path(run.id, "bundle") / "manifest.json"
    whole = manifest.read_text(encoding="utf-8")
    manifest.write_text(whole[:-40], encoding="utf-8")
    for _ in range(3):
        challenge_bundles.register_bundles(ws)
    assert len(loaded) == 1, "the first look tells, and nothing has changed since"
    manifest.write_text(whole, encoding="utf-8")
    challenge_bundles.register_bundles(ws)
    assert len(loaded) == 2 and not [f for f in challenge_bundles._DAMAGED if f.parent == manifest.parent.parent]


def test_a_run_that_is_deleted_meanwhile_keeps_no_other_from_the_register(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One folder is gone once it has been listed, another before that; what is looked at after them is registered."""
    (run,) = wf.list_runs(ws)
    row, own = ws.store.get_run(run.id), type(ws.store).path
    gone = {name: str(uuid.uuid4()) for name in ("before", "between")}
    folder = own(ws.store, gone["between"], "bundle")
    folder.mkdir(parents=True)
    (folder / "manifest.json").symlink_to(tmp_path / "no such file")  # listed, and its size cannot be read
    rows = [*(dataclasses.replace(row, id=name) for name in gone.values()), row]
    for name in (run.id, *gone.values()):
        challenge_bundles._DAMAGED.pop(own(ws.store, name, "bundle"), None)
    with monkeypatch.context() as patch:
        patch.setattr(type(ws.store), "list_runs", lambda _: tuple(rows))
        patch.setattr(type(ws.store), "list_bundles", lambda _: ())
        kept: list[str] = []
        patch.setattr(type(ws.store), "add_bundle", lambda _, run_id, value: kept.append(run_id))
        challenge_bundles.register_bundles(ws)
    assert kept == [run.id]
