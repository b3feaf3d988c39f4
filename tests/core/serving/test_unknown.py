"""None of the known classes: the promise to ordinary rows holds, a new kind of row is caught, a rare class is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.serving.unknown import MOST_ROWS, KnownRows, known_rows, unknown_limit
from core.store import open_store
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off


def clusters(n: int, seed: int, centres: tuple[tuple[float, float], ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % len(centres)
    return np.array(centres)[codes] + rng.normal(scale=0.5, size=(n, 2)), codes


def windows(rows: np.ndarray) -> np.ndarray:
    return rows[:, None, :].astype(np.float32)


CENTRES = ((0.0, 0.0), (8.0, 0.0))


def test_the_distance_is_that_of_the_three_nearest_over_the_root_of_the_reach() -> None:
    nothing = np.zeros(1)
    known = KnownRows(
        nothing, np.ones(1), nothing, np.ones(1), np.arcsinh(np.array([[0.0], [1.0], [2.0], [9.0]])), np.full(4, 4.0)
    )
    at = np.arcsinh(np.array([1.0, 2.0, 9.0, 4.0]))  # 0 is the fourth nearest of 4
    wanted = np.abs(at[:3] - at[3]).mean() / 2.0
    np.testing.assert_allclose(known.distance(windows(np.array([[4.0]]))), [wanted], rtol=1e-6)


def test_ordinary_rows_are_rarely_called_unknown_and_rows_between_the_classes_always() -> None:
    shares, caught = [], []
    for seed in range(30):
        train, codes = clusters(400, seed, CENTRES)
        known = known_rows(train, codes)
        limit = unknown_limit(known.distance(windows(clusters(200, 1_000 + seed, CENTRES)[0])), 0.05)
        assert limit is not None
        shares.append((known.distance(windows(clusters(400, 2_000 + seed, CENTRES)[0])) > limit).mean())
        between = np.random.default_rng(seed).normal(scale=0.3, size=(50, 2)) + [4.0, 0.0]
        caught.append((known.distance(windows(between)) > limit).mean())
    # Split conformal: the expectation is at most 0.05; 30 runs of 400 rows leave a standard error of about 0.003.
    assert np.mean(shares) <= 0.06
    assert np.mean(caught) == 1.0


def test_a_rare_class_stays_known_however_many_rows_the_others_have() -> None:
    common, _ = clusters(30_000, 1, ((0.0, 0.0),))
    rare, _ = clusters(40, 2, ((30.0, 30.0),))
    known = known_rows(np.vstack([common, rare]), np.repeat([0, 1], [30_000, 40]))
    assert len(known.rows) == MOST_ROWS
    far = (known.rows > known.rows.mean(axis=0) + 2).all(axis=1)
    assert far.sum() == 40


def test_a_column_that_never_moved_counts_once_it_moves() -> None:
    train, codes = clusters(200, 3, CENTRES)
    still = np.column_stack([train, np.full(200, 50.0)])
    known = known_rows(still, codes)
    usual, moved = still[:5].copy(), still[:5].copy()
    moved[:, 2] = 60.0
    assert (known.distance(windows(moved)) > 3 * known.distance(windows(usual)).max()).all()


def test_too_few_held_out_rows_promise_nothing() -> None:
    assert unknown_limit(np.arange(98.0), 0.01) is None
    assert unknown_limit(np.arange(99.0), 0.01) == 98.0


def test_arrays_come_back_as_they_went() -> None:
    known = known_rows(*clusters(60, 4, CENTRES))
    again = KnownRows.from_arrays(known.to_arrays())
    rows = windows(clusters(20, 5, CENTRES)[0])
    np.testing.assert_array_equal(known.distance(rows), again.distance(rows))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(open_store(tmp_path / "store"))


def trained(ws: Workspace, folder: Path, **options: object) -> str:
    rows, codes = clusters(900, 6, CENTRES)
    table = pd.DataFrame({"a": rows[:, 0], "b": rows[:, 1], "kind": np.array(["left", "right"])[codes]}).round(4)
    table.to_csv(folder / "known.csv", index=False)
    dataset = wf.import_file(ws, folder / "known.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "classification", "target": "kind", "model": "logistic"}
    run = wf.start_training(ws, TrainRequest.read({**request, "options": options}))
    work_off(ws.store)
    assert wf.get_run(ws, run.id).state == "succeeded"
    return run.id


def test_a_run_tells_new_rows_of_a_new_kind_in_its_scores_its_notes_and_its_filter(
    workspace: Workspace, tmp_path: Path
) -> None:
    run_id = trained(workspace, tmp_path)
    bundle = wf.resolve_bundle(workspace, run_id)
    new = pd.DataFrame({"a": [0.0, 8.0, 4.0, 400.0], "b": [0.0, 0.2, 0.0, -70.0]})
    new.to_csv(tmp_path / "new.csv", index=False)
    scored = wf.score_file(bundle, tmp_path / "new.csv", tmp_path / "scores.csv")
    told = pd.read_csv(tmp_path / "scores.csv")["none_of_known"].tolist()
    assert told == [False, False, True, True]
    assert any("2 of 4 rows are unlike every class" in str(note) for note in scored.warnings)
    results = wf.open_results(workspace, run_id)
    unknown = wf.matching_rows(results, kind="unknown")
    assert wf.count_unknown(results) == len(unknown)
    assert wf.count_unknown(results, "test") == len(wf.matching_rows(results, part="test", kind="unknown"))
    assert len(unknown) == int(results.scores["none_of_known"].sum()) < 0.05 * results.n_rows
    share = results.run.metrics["unknown_fraction"]
    assert share.value is not None and share.value <= 0.05


def test_a_rate_of_zero_turns_it_off(workspace: Workspace, tmp_path: Path) -> None:
    run_id = trained(workspace, tmp_path, unknown_rate=0.0)
    bundle = wf.resolve_bundle(workspace, run_id)
    assert bundle.manifest.unknown is None and "none_of_known" not in bundle.score(pd.DataFrame({"a": [0.0], "b": [0.0]}))
    assert len(wf.matching_rows(wf.open_results(workspace, run_id), kind="unknown")) == 0
