"""The red-rabbit gate: what escapes blocks, what was tampered with is refused, a release is logged, a training runs it."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import DataProblem, EscapeProblem, NotEnoughData, SettingProblem, StoreProblem
from core.serving import load_bundle
from core.training.request import TrainRequest
from core.workflows import challenge
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, class_table


def trained(ws: Workspace, dataset_id: str, **request: object) -> wf.Results:
    given = {"dataset_id": dataset_id, "dataset_version": 1, "name": "run", "options": {}, **request}
    run = wf.start_training(ws, TrainRequest.read(given))
    work_off(ws.store)
    return wf.open_results(ws, run.id)


def imported(ws: Workspace, table: pd.DataFrame, folder: Path) -> str:
    table.to_csv(folder / "data.csv", index=False)
    dataset = wf.import_file(ws, folder / "data.csv").dataset
    assert dataset is not None
    return dataset.id


ANOMALY = {
    "task": "anomaly", "model": "pca_t2_spe", "target": "label", "time": "when", "split": {"method": "first", "first": 800},
}  # fmt: skip
CLASSES = {"task": "classification", "model": "logistic", "target": "result"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an anomaly run and a classification run."""
    home = tmp_path_factory.mktemp("challenge")
    ws = wf.open_workspace(home / "home")
    trained(ws, imported(ws, anomaly_table(1_600, 1_400), home), **ANOMALY)
    trained(ws, imported(ws, class_table(), home), **CLASSES)
    return home / "home"


@pytest.fixture
def ws(built: Path, home: Path) -> Workspace:
    shutil.copytree(built, home)
    challenge._remembered.clear()
    return wf.open_workspace(home)


def run_of(ws: Workspace, task: str) -> wf.Results:
    return wf.open_results(ws, next(run.id for run in wf.list_runs(ws) if run.task == task))


def frozen(ws: Workspace, task: str = "anomaly", **given: object) -> wf.ChallengeSet:
    return wf.add_challenge(
        ws, run_of(ws, task), wf.ChallengeSettings.read({"name": "rabbits", "source": "labelled", **given})
    )[0]


def weakened(ws: Workspace, run_id: str) -> None:
    """The decision limit of a bundle set so high that nothing is found, as by a hand that means well."""
    path = ws.store.path(run_id, "bundle") / "manifest.json"
    told = json.loads(path.read_text())
    told["threshold"]["value"] = 1e12
    path.write_text(json.dumps(told))


def actions(ws: Workspace, run_id: str) -> list[str]:
    return [entry.action for entry in reversed(ws.store.list_audit(run_id))]


def scored(ws: Workspace, run_id: str, folder: Path) -> wf.ChallengeCheck:
    table = anomaly_table(100, 90)
    table.to_csv(folder / "new.csv", index=False)
    return wf.score_file(wf.resolve_bundle(ws, run_id), folder / "new.csv", folder / "scores.csv", ws=ws)  # type: ignore[return-value]


def test_known_bad_rows_are_caught_and_good_ones_left_alone(ws: Workspace) -> None:
    made = frozen(ws)
    results = run_of(ws, "anomaly")
    (check,) = wf.check_run(ws, results.run.id)
    table, cases = wf.read_challenge(ws, made)
    # The labelled fault of rows 1,400 to 1,599 is one stretch; the other cases are normal.
    assert [c.expected for c in cases] == ["flag"] + ["quiet"] * (made.n_cases - 1) and made.n_cases > 5
    assert (
        cases[0].stop - cases[0].start == 200 and table["p2"].iloc[cases[0].start] == results.dataset.table(["p2"])["p2"][1_400]
    )
    assert not check.failing and str(check.sentence).endswith("cases are answered as they must be")
    assert wf.gate(ws, load_bundle(ws.store.path(results.run.id, "bundle")), "score") == (check,)


def test_an_escape_blocks_the_use_and_is_logged(ws: Workspace, tmp_path: Path) -> None:
    frozen(ws)
    run_id = run_of(ws, "anomaly").run.id
    scored(ws, run_id, tmp_path)
    (tmp_path / "scores.csv").unlink()
    weakened(ws, run_id)
    with pytest.raises(
        EscapeProblem, match=r"1 of \d+ cases is not .*case 1, rows 1,401 to 1,600.*must be flagged.*release this one"
    ):
        scored(ws, run_id, tmp_path)
    assert not (tmp_path / "scores.csv").exists()
    assert actions(ws, run_id) == ["started", "checked", "checked", "blocked"]
    entry = ws.store.list_audit(run_id)[0]
    assert entry.details["cases"] == [1] and entry.details["use"] == "score" and entry.name == "rabbits"


def test_a_release_names_who_and_why_and_holds_for_these_cases_only(ws: Workspace, tmp_path: Path) -> None:
    frozen(ws)
    run_id = run_of(ws, "anomaly").run.id
    with pytest.raises(SettingProblem, match="fails no case"):
        wf.release_run(ws, run_id, by="Mei", reason="line trial")
    weakened(ws, run_id)
    with pytest.raises(SettingProblem, match="no name or no reason"):
        wf.release_run(ws, run_id, by="Mei", reason=" ")
    (check,) = wf.release_run(ws, run_id, by="Mei", reason="line trial")
    assert check.is_released and not check.blocks and str(check.sentence).endswith("; released")
    scored(ws, run_id, tmp_path)
    entry = ws.store.list_audit(run_id)[0]
    assert (entry.action, entry.details["by"], entry.details["reason"], entry.details["cases"]) == (
        "released",
        "Mei",
        "line trial",
        [1],
    )
    # Another set, and another bundle, were not released.
    frozen(ws, name="more", missed_too=True)
    with pytest.raises(EscapeProblem, match="'more'"):
        scored(ws, run_id, tmp_path)


def test_what_was_tampered_with_is_refused(ws: Workspace, tmp_path: Path) -> None:
    made = frozen(ws)
    run_id = run_of(ws, "anomaly").run.id
    path = ws.store.path(made.dataset_id, "dataset", f"challenge-{made.id}.json")
    original = path.read_text()
    path.write_text(original.replace('"expected": "flag"', '"expected": "quiet"'))
    with pytest.raises(DataProblem, match="challenge set 'rabbits' is missing or was changed"):
        scored(ws, run_id, tmp_path)
    path.unlink()
    with pytest.raises(DataProblem, match="missing or was changed"):
        wf.check_run(ws, run_id)
    path.write_text(original)
    bundle = wf.resolve_bundle(ws, run_id)
    model = next(p for p in bundle.folder.iterdir() if p.name.startswith("model."))
    model.write_bytes(model.read_bytes() + b"x")  # after it was opened
    with pytest.raises(DataProblem, match="of the bundle 'bundle' is missing or changed"):
        wf.gate(ws, bundle, "score")


def test_a_check_is_remembered_by_the_bytes_and_done_again_when_they_change(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen(ws)
    run_id = run_of(ws, "anomaly").run.id
    done: list[int] = []
    judge = challenge.judge_cases
    monkeypatch.setattr(challenge, "judge_cases", lambda *given: done.append(1) or judge(*given))
    for _ in range(3):
        assert not wf.check_run(ws, run_id)[0].failing
    assert len(done) == 1
    weakened(ws, run_id)
    assert wf.check_run(ws, run_id)[0].failing and len(done) == 2
    monkeypatch.setattr(challenge, "CHECK", 99)
    wf.check_run(ws, run_id)
    assert len(done) == 3


def test_a_training_on_the_same_dataset_is_checked(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen(ws)
    dataset_id = run_of(ws, "anomaly").run.dataset_id
    good = trained(ws, dataset_id, **{**ANOMALY, "name": "again"})
    assert any("are answered as they must be." in str(note) for note in good.run.notes)
    assert actions(ws, good.run.id) == ["started", "checked"]
    # A detector that has no chance: it learns from the sensor that never goes wrong.
    blind = trained(ws, dataset_id, **{**ANOMALY, "name": "blind", "ignore": ("p2",)})
    assert any("New data is not scored with this run" in str(note) for note in blind.run.notes)
    with pytest.raises(EscapeProblem, match="must be flagged"):
        wf.gate(ws, load_bundle(ws.store.path(blind.run.id, "bundle")), "score")
    assert blind.run.state == "succeeded"


def test_classes_are_cases_too(ws: Workspace) -> None:
    made = frozen(ws, "classification", most=4)
    results = run_of(ws, "classification")
    table, cases = wf.read_challenge(ws, made)
    assert [c.value for c in cases] == ["fail"] * 4 + ["pass"] * 4 and all(c.stop - c.start == 1 for c in cases)
    (check,) = wf.check_run(ws, results.run.id)
    assert not check.failing
    wrong = np.flatnonzero((results.cells(["prediction"])["prediction"] != results.cells(["truth"])["truth"]).to_numpy())
    if not len(wrong):
        pytest.skip("the model is right about every row")
    given = wf.ChallengeSettings(name="hard", source="rows", rows=str(int(wrong[0]) + 1))
    wf.add_challenge(ws, results, given)
    hard = wf.check_run(ws, results.run.id)[1]
    assert hard.blocks and str(hard.failing[0].said).startswith("called '") and len(table)


def test_events_with_a_verdict_rows_seeded_faults_and_a_file(ws: Workspace, tmp_path: Path) -> None:
    results = run_of(ws, "anomaly")
    with pytest.raises(NotEnoughData, match="no case to freeze"):
        frozen(ws, source="events")
    event = next(e for e in wf.anomaly_view(ws, results).events if e.first_row >= 1_390)
    wf.set_verdict(ws, results.run.id, event, "assignable_cause", cause="leak")
    made = frozen(ws, name="leaks", source="events", quiet=False)
    assert made.n_cases == 1 and made.source == "events"
    assert frozen(ws, name="chosen", source="rows", rows="1450-1460, 900-910", expect="flag").n_cases == 2
    seeded = frozen(ws, name="steps", source="seeded", sensor="p2", kind="step", size=6.0, most=5)
    with pytest.raises(StoreProblem, match="challenge set 'steps' already"):
        frozen(ws, name="steps", source="events", quiet=False)
    cases = wf.read_challenge(ws, seeded)[1]
    assert [c.expected for c in cases] == ["flag"] * 5 + ["quiet"] * 5 and str(cases[0].title).startswith(
        "Step change of 6 in p2, row "
    )
    table = anomaly_table(200, 150).assign(case=np.repeat([1, 2], 100), expected="")
    table.loc[60:80, "expected"] = "quiet"
    table.loc[150:, "expected"] = "flag"
    table.to_csv(tmp_path / "cases.csv", index=False)
    given = wf.ChallengeSettings(name="file", source="file")
    filed, _ = wf.add_challenge(ws, results, given, tmp_path / "cases.csv")
    assert [(c.expected, c.start, c.stop) for c in wf.read_challenge(ws, filed)[1]] == [("quiet", 60, 81), ("flag", 50, 100)]
    checks = {check.challenge.name + check.challenge.source: check for check in wf.check_run(ws, results.run.id)}
    assert not checks["leaksevents"].failing and not checks["stepsseeded"].failing and not checks["filefile"].failing
    assert [r.case.number for r in checks["chosenrows"].failing] == [2]  # rows 900 to 910 are normal


def test_a_set_of_one_run_does_not_speak_of_another_and_can_be_withdrawn(ws: Workspace) -> None:
    made = frozen(ws, run_only=True)
    first = run_of(ws, "anomaly").run
    other = trained(ws, first.dataset_id, **{**ANOMALY, "name": "other", "ignore": ("p2",)})
    assert wf.check_run(ws, other.run.id) == () and len(wf.check_run(ws, first.id)) == 1
    with pytest.raises(SettingProblem, match="without a name or a reason"):
        wf.withdraw_challenge(ws, made.id, by="Mei", reason="")
    wf.withdraw_challenge(ws, made.id, by="Mei", reason="labels were wrong")
    assert wf.check_run(ws, first.id) == () and wf.list_challenges(ws, first.dataset_id) == ()
    entry = next(e for e in ws.store.list_audit(first.dataset_id) if e.action == "withdrawn")
    assert (entry.name, entry.sha256, entry.details["reason"]) == ("rabbits", made.sha256, "labels were wrong")
    (gone,) = wf.withdrawn_challenges(ws, first.dataset_id)
    assert (gone.challenge.id, gone.by, gone.reason) == (made.id, "Mei", "labels were wrong")
    assert gone.when is not None and abs(gone.when - entry.created) < timedelta(seconds=5)
    settings = wf.ChallengeSettings(name=made.name, source="rows", rows="1400", expect="flag")
    again, _ = wf.add_challenge(ws, wf.open_results(ws, first.id), settings)
    assert again.name == made.name and wf.list_challenges(ws, first.dataset_id) == (again,), "its name is free again"


def test_sets_go_with_their_dataset(ws: Workspace) -> None:
    made = frozen(ws)
    wf.delete_with_everything(ws, made.dataset_id)
    assert wf.list_challenges(ws, made.dataset_id) == ()
    assert not list(ws.home.rglob(f"*{made.id}*"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": "rows", "rows": "5-2"}, "rows is '5-2'"),
        ({"source": "rows", "rows": "first"}, "rows is 'first'"),
        ({"source": "rows", "rows": "99999"}, "rows is '99999'"),
        ({"source": "rows", "rows": "5²"}, "rows is '5²'"),
        ({"source": "rows", "rows": "5", "expect": "odd"}, "expect is 'odd'"),
        ({"source": "seeded", "sensor": "p9"}, "sensor is 'p9'"),
        ({"source": "file"}, "No file was given"),
        ({"name": " "}, "has no name"),
    ],
)
def test_what_is_no_case_is_refused(ws: Workspace, given: dict[str, object], said: str) -> None:
    with pytest.raises(SettingProblem, match=said):
        frozen(ws, **given)


def test_the_report_says_what_is_found_and_how_cases_are_answered(ws: Workspace, tmp_path: Path) -> None:
    frozen(ws)
    results = run_of(ws, "anomaly")
    view = wf.seed_faults(ws, results, wf.SeedSettings(sensors=("p2",), sizes=(0.001, 6.0), length=15))
    weakened(ws, results.run.id)
    wf.release_run(ws, results.run.id, by="Mei", reason="trial")
    wf.make_report(ws, results.run.id, out=tmp_path / "report.html")
    said = (tmp_path / "report.html").read_text("utf-8")
    assert "1 of 11 cases is not answered as it must be; released" in said and "Mei, 20" in said and ": trial" in said
    assert str(view.headline) not in said  # the bundle is another one since: what was found then does not count
    shutil.rmtree(ws.home / "reports")
    other = trained(ws, results.run.dataset_id, **{**ANOMALY, "name": "again"})
    view = wf.seed_faults(ws, other, wf.SeedSettings(sensors=("p2",), sizes=(0.001, 6.0), length=15))
    wf.make_report(ws, other.run.id, out=tmp_path / "report.html")
    said = (tmp_path / "report.html").read_text("utf-8")
    assert str(view.headline) in said and "all 11 cases are answered as they must be" in said


def test_columns_of_ones_own_that_are_called_case_and_expected_survive(ws: Workspace, tmp_path: Path) -> None:
    """The dataset measures something that it calls `case` and `expected`; the answers then stand in other columns."""
    table = anomaly_table(1_600, 1_400).rename(columns={"p1": "case", "p2": "expected"})
    results = trained(ws, imported(ws, table, tmp_path), **ANOMALY)
    given, path = wf.ChallengeSettings(name="file", source="file"), tmp_path / "cases.csv"
    part = table.iloc[1_350:1_450]
    part.to_csv(path, index=False)
    with pytest.raises(DataProblem, match="lacks challenge_expected.*'challenge_expected' with flag, quiet or a class"):
        wf.add_challenge(ws, results, given, path)
    part.assign(challenge_case=7, challenge_expected=["" if row < 80 else "flag" for row in range(100)]).to_csv(
        path, index=False
    )
    made, _ = wf.add_challenge(ws, results, given, path)
    kept, (case,) = wf.read_challenge(ws, made)
    assert (case.start, case.stop, str(case.title)) == (80, 100, "case 7")
    assert kept["expected"].to_numpy() == pytest.approx(part["expected"]) and "challenge_case" not in kept
    assert kept["case"].to_numpy() == pytest.approx(part["case"])
    assert not wf.check_run(ws, results.run.id)[0].failing


def test_rows_without_an_answer_between_two_with_one_are_not_judged(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    answers = ["quiet" if row in (80, 84) else "" for row in range(100)]
    table = anomaly_table(1_600, 1_400).iloc[1_300:1_400].assign(case=1, expected=answers)
    table.loc[table.index[82], ["p1", "p2"]] = 1e6  # a known upset that is history
    table.to_csv(path, index=False)
    results = run_of(ws, "anomaly")
    made, _ = wf.add_challenge(ws, results, wf.ChallengeSettings(name="file", source="file"), path)
    _, (case,) = wf.read_challenge(ws, made)
    assert case.places.tolist() == [80, 84]


def test_more_rows_than_a_set_can_hold_are_refused_before_any_is_read(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.workflows.challenge_sets.MOST_ROWS", 400)
    monkeypatch.setattr("core.workflows.challenge_sets.take_rows", lambda *given: pytest.fail("rows were read"))
    with pytest.raises(SettingProblem, match=r"The cases have \d+ rows.*at most 400"):
        frozen(ws, "classification", source="rows", rows="301-304")
    monkeypatch.setattr("core.workflows.challenge_cases.Draft", lambda *given: pytest.fail("a case was made"))
    with pytest.raises(SettingProblem, match=r"The cases have 6 rows.*at most 4"):
        frozen(ws, "classification", source="rows", rows="301-306")


def test_a_file_without_an_answer_says_where_it_belongs(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    anomaly_table(50, 40).assign(expected="").to_csv(path, index=False)
    with pytest.raises(DataProblem, match="No row of 'cases.csv' has an answer in 'expected'"):
        wf.add_challenge(ws, run_of(ws, "anomaly"), wf.ChallengeSettings(name="file", source="file"), path)
    anomaly_table(50, 40).assign(expected=["quiet"] * 49 + [""]).to_csv(path, index=False)
    with pytest.raises(DataProblem, match="one value in 'case'"):
        wf.add_challenge(ws, run_of(ws, "anomaly"), wf.ChallengeSettings(name="file", source="file"), path)


def test_rows_of_two_groups_that_meet_are_two_cases_with_their_labels(ws: Workspace, tmp_path: Path) -> None:
    """The first group ends faulty and the second begins so."""
    first, second = anomaly_table(600, 560), anomaly_table(600, 560, seed=4)
    second = second.assign(label=(np.arange(600) < 40).astype(float), p2=second["p2"].to_numpy()[::-1])
    table = pd.concat([first.assign(line="a"), second.assign(line="b")], ignore_index=True)
    asked = {**ANOMALY, "group": "line", "split": {"method": "column", "column": "part"}, "options": {"window": 1}}
    parts = np.where(np.arange(1_200) % 600 < 300, "train", "test")
    parts[600:700], parts[400:450] = "test", "validation"
    results = trained(ws, imported(ws, table.assign(part=parts), tmp_path), **asked, ignore=("part",))
    made = wf.add_challenge(ws, results, wf.ChallengeSettings(name="x", source="labelled", quiet=False, missed_too=True))[0]
    assert [str(c.title) for c in wf.read_challenge(ws, made)[1]] == ["rows 561 to 600", "rows 601 to 640"]
