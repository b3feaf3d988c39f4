"""What must not be kept is nowhere in the store: not in the table, not in the source, not in findings, not in the database."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from core import workflows as wf
from core.errors import DataProblem, SettingProblem, StoreProblem
from tests.pages import finished_runs

SECRET, NUMBER = "Wilhelmina Quandt", "730919"
ROWS = "operator;badge;pressure;note\n" + "".join(
    f"{SECRET if i % 3 else 'Otto'};{NUMBER if i % 2 else 12};{i / 10};{'ok' if i % 5 else ''}\n" for i in range(60)
)


@pytest.fixture
def ws(home: Path) -> wf.Workspace:
    return wf.open_workspace(home)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shift.csv"
    path.write_text(ROWS + f"{SECRET};1;2;3;4;5\n", encoding="utf-8")  # a ragged line, which is rejected
    return path


def everything(folder: Path) -> bytes:
    """All bytes below the store, unpacked."""
    found = b""
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            found += gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
            if path.suffix == ".parquet":
                found += pq.read_table(path).to_pandas().to_csv().encode()
    return found


def test_without_a_choice_the_name_is_kept_which_the_other_tests_rely_on(ws: wf.Workspace, file: Path, home: Path) -> None:
    wf.import_file(ws, file)
    assert SECRET.encode() in everything(home)
    assert NUMBER.encode() in everything(home)


def test_hashed_and_dropped_columns_are_nowhere_in_the_store(ws: wf.Workspace, file: Path, home: Path) -> None:
    imported = wf.import_file(ws, file, privacy={"operator": "hash", "badge": "drop"})
    dataset = imported.dataset
    assert dataset is not None
    ws.store.engine.dispose()
    kept = everything(home)
    assert SECRET.encode() not in kept
    assert NUMBER.encode() not in kept
    assert [c.name for c in dataset.columns] == ["operator", "pressure", "note"]
    assert imported.lines.rejected == 1
    assert imported.rejected == () == wf.rejected_rows(ws, dataset.id)
    assert not ws.store.path(dataset.id, "source").exists()
    assert any(f.code == "privacy" for f in wf.dataset_findings(ws, dataset.id))


def test_a_hash_is_the_hmac_of_the_text_and_equal_cells_stay_equal(ws: wf.Workspace, file: Path, home: Path) -> None:
    dataset = wf.import_file(ws, file, privacy={"operator": "hash", "badge": "hash"}).dataset
    assert dataset is not None
    key = (home / "hashing.key").read_bytes()
    assert len(key) == 32
    assert (home / "hashing.key").stat().st_mode & 0o777 == 0o600
    table = dataset.table(["operator", "badge", "note"])

    def hashed(text: str) -> str:
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]

    assert table["operator"].tolist() == [hashed(SECRET if i % 3 else "Otto") for i in range(60)]
    assert table["badge"].tolist() == [hashed(NUMBER if i % 2 else "12") for i in range(60)], "a number by its shortest text"
    again = wf.import_file(ws, file, privacy={"operator": "hash"}).dataset
    assert again is not None
    assert again.table(["operator"])["operator"].tolist() == table["operator"].tolist()
    assert (dataset.column("badge").kind, dataset.column("operator").kind) == ("text", "text")


def test_empty_cells_stay_empty(ws: wf.Workspace, file: Path) -> None:
    dataset = wf.import_file(ws, file, privacy={"note": "hash"}).dataset
    assert dataset is not None
    assert dataset.table(["note"])["note"].isna().tolist() == [i % 5 == 0 for i in range(60)]


def test_a_wrong_choice_keeps_nothing(ws: wf.Workspace, file: Path, home: Path) -> None:
    with pytest.raises(DataProblem, match="There is no column 'operater'"):
        wf.import_file(ws, file, privacy={"operater": "hash"})
    with pytest.raises(SettingProblem, match="Every column is to be dropped"):
        wf.import_file(ws, file, privacy=dict.fromkeys(["operator", "badge", "pressure", "note"], "drop"))
    assert not wf.list_datasets(ws)
    assert not [p for p in (home / "data").rglob("*") if p.is_file()]


def test_the_audit_trail_tells_and_cannot_be_changed(ws: wf.Workspace, file: Path, home: Path) -> None:
    dataset = wf.import_file(ws, file, name="shift", privacy={"operator": "hash", "badge": "drop"}).dataset
    assert dataset is not None
    wf.change_columns(ws, dataset.id, dataset.columns)
    wf.delete_dataset(ws, dataset.id)
    found = wf.list_audit(ws, dataset.id)
    assert [(e.action, e.kind, e.name, e.owner) for e in reversed(found)] == [
        ("imported", "dataset", "shift", "local"),
        ("changed", "dataset", "shift", "local"),
        ("deleted", "dataset", "shift", "local"),
    ]
    assert found[-1].details == {"rows": 60, "hashed": ["operator"], "dropped": ["badge"]}
    assert {e.sha256 for e in found} == {dataset.sha256}
    for change in ("UPDATE audit SET name = ''", "DELETE FROM audit"):
        with pytest.raises(DatabaseError, match="append-only"), ws.store.engine.begin() as connection:
            connection.execute(text(change))
    assert wf.list_audit(ws, dataset.id) == found


@pytest.mark.slow
def test_a_dataset_goes_with_everything_made_from_it(home: Path) -> None:
    home.mkdir()
    finished_runs.build(home)
    ws = wf.open_workspace(home)
    run = next(r for r in wf.list_runs(ws) if r.task == "anomaly")
    dataset, others = run.dataset_id, {r.id for r in wf.list_runs(ws) if r.dataset_id != run.dataset_id}
    report = wf.make_report(ws, run.id)
    thrown = wf.make_report(ws, run.id)
    wf.delete_report(ws, thrown.id)
    name = wf.open_dataset(ws, dataset).name
    made = wf.made_from_dataset(ws, dataset)
    assert run.id in {id for id, _ in made.runs}
    assert {report.id, thrown.id} <= {id for id, _ in made.reports}
    assert made.n_bytes > 0
    wf.delete_with_everything(ws, dataset)
    ids = [dataset, *(i for i, _ in made.runs), *(i for i, _ in made.reports), *made.jobs]
    left = [str(p) for p in home.rglob("*") if any(id in str(p) for id in ids)]
    assert not left
    assert {r.id for r in wf.list_runs(ws)} == others, "what was made from other datasets stays"
    assert not [r for r in wf.list_reports(ws) if r.run_id == run.id]
    with pytest.raises(StoreProblem, match="There is no dataset"):
        wf.open_dataset(ws, dataset)
    (entry, *_) = wf.list_audit(ws, dataset)
    assert (entry.action, entry.name) == ("deleted_with_all", name)
    assert entry.details["runs"] == len(made.runs)
    ws.store.engine.dispose()
    rows = sqlite3.connect(home / "andon.db")
    columns = rows.execute("SELECT columns, source_name FROM dataset_versions WHERE dataset_id = ?", [dataset]).fetchall()
    assert set(columns) == {("[]", "")}
    rows.close()


def test_a_dataset_that_a_job_uses_is_not_deleted(ws: wf.Workspace, file: Path) -> None:
    dataset = wf.import_file(ws, file).dataset
    assert dataset is not None
    ws.store.submit_job("selftest", lane="short", params={"dataset": dataset.id}, token="x")
    with pytest.raises(StoreProblem, match="used by a job"):
        wf.delete_with_everything(ws, dataset.id)
    assert wf.open_dataset(ws, dataset.id).table().shape[0] == 60
