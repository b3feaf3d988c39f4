"""The last fit: the kept model sees training and validation part, and what was set on the validation part stays honest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.room import Room
from core.data.split import TEST, TRAIN, VALIDATION
from core.durable import sha256_of
from core.jobs.fitting import fit_baseline, fit_deep
from core.jobs.judged import Again, Judged, judge
from core.jobs.last_fit import Part, expected_seconds, last_fit
from core.jobs.unknowns import with_unknown
from core.serving import load_bundle
from core.serving.bundle import Bundle
from core.serving.raw import RawScores
from core.serving.scoring import raw_scores
from core.training.prepare import Prepared, prepare
from core.training.request import TrainRequest
from core.training.resolve import Resolved, resolve
from tests.synthetic import as_dataset, series_table


def never() -> bool:
    return False


def table_of(n: int = 200, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    y = 1 + 2 * x[:, 0] - x[:, 1] + rng.normal(scale=0.5, size=n)
    return pd.DataFrame(
        {"a": x[:, 0], "b": x[:, 1], "y": y, "part": np.repeat(["train", "validation", "test"], [n - 100, 50, 50])}
    )


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Resolved, Prepared, pd.DataFrame]]:
    def make(task: str, model: str, table: pd.DataFrame, **options: Any) -> tuple[Resolved, Prepared, pd.DataFrame]:
        ws = wf.open_workspace(tmp_path / "store")
        table.to_csv(tmp_path / "table.csv", index=False)
        dataset = wf.import_file(ws, tmp_path / "table.csv").dataset
        assert dataset is not None
        asked: dict[str, Any] = {"dataset_id": dataset.id, "dataset_version": dataset.version, "task": task, "model": model}
        split = {"method": "column", "column": "part"}
        asked |= {"target": "y", "ignore": ("part",), "split": split, "options": options}
        resolved = resolve(dataset, TrainRequest.read(asked))
        return resolved, prepare(resolved), pd.read_csv(tmp_path / "table.csv")

    return make


def fitted(resolved: Resolved, prepared: Prepared, folder: Path, seconds: float = 60.0) -> Judged:
    bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, folder)
    return judge(bundle, prepared, resolved, again=Again((Part(resolved, prepared),), seconds, never))


def least_squares(table: pd.DataFrame, parts: tuple[str, ...]) -> np.ndarray:
    """Predictions for all rows of a line fitted by NumPy on the rows of some parts."""
    x = np.column_stack([np.ones(len(table)), table["a"], table["b"]])
    rows = table["part"].isin(parts).to_numpy()
    return x @ np.linalg.lstsq(x[rows], table["y"].to_numpy()[rows], rcond=None)[0]


def test_new_rows_are_predicted_by_a_fit_on_both_parts_and_validation_rows_by_one_that_had_not_seen_them(
    made: Callable[..., tuple[Resolved, Prepared, pd.DataFrame]], tmp_path: Path
) -> None:
    resolved, prepared, table = made("regression", "linear", table_of())
    judged = fitted(resolved, prepared, tmp_path / "bundle")
    both, train = least_squares(table, ("train", "validation")), least_squares(table, ("train",))
    said = judged.scored(np.arange(len(table)))["prediction"].to_numpy()
    is_held = (table["part"] == "validation").to_numpy()
    np.testing.assert_allclose(said[~is_held], both[~is_held], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(said[is_held], train[is_held], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(load_bundle(tmp_path / "bundle").score(table)["prediction"], both, rtol=1e-4, atol=1e-5)
    assert abs(both - train).max() > 1e-2, "the two fits differ, so that the test can tell them apart"
    assert judged.note is not None and "150 rows" in str(judged.note)


def test_the_interval_is_that_of_the_fit_that_had_not_seen_the_validation_rows(
    made: Callable[..., tuple[Resolved, Prepared, pd.DataFrame]], tmp_path: Path
) -> None:
    """By hand: 50 held-out errors and a miss rate of 10 % give the ⌈51 · 0.9⌉ = 46th smallest."""
    resolved, prepared, table = made("regression", "linear", table_of())
    judged = fitted(resolved, prepared, tmp_path / "bundle")
    held = (table["part"] == "validation").to_numpy()
    errors = np.sort(np.abs(table["y"].to_numpy() - least_squares(table, ("train",)))[held])
    interval = judged.bundle.manifest.interval
    assert interval is not None and interval.half_width == pytest.approx(errors[45], rel=1e-4)


@pytest.mark.parametrize(("seconds", "options"), [(0.0, {}), (60.0, {"last_fit": False})])
def test_without_time_or_where_it_is_turned_off_the_first_fit_stays(
    made: Callable[..., tuple[Resolved, Prepared, pd.DataFrame]], tmp_path: Path, seconds: float, options: dict[str, Any]
) -> None:
    resolved, prepared, table = made("regression", "linear", table_of(), **options)
    judged = fitted(resolved, prepared, tmp_path / "bundle", seconds - 1 if seconds == 0 else seconds)
    assert judged.note is None
    said = judged.scored(np.arange(len(table)))["prediction"].to_numpy()
    np.testing.assert_allclose(said, least_squares(table, ("train",)), rtol=1e-4, atol=1e-5)


def test_a_class_that_only_the_validation_part_has_is_not_taught_as_another(
    made: Callable[..., tuple[Resolved, Prepared, pd.DataFrame]], tmp_path: Path
) -> None:
    table = table_of()
    table["y"] = np.where(table["a"] > 0, "good", "bad")
    table.loc[table.index[table["part"] == "validation"][:10], "y"] = "torn"
    resolved, prepared, _ = made("classification", "random_forest", table)
    judged = fitted(resolved, prepared, tmp_path / "bundle")
    assert judged.bundle.manifest.training["last_fit_rows"] == 100 + 50 - 10
    assert [c for c in judged.scored(np.arange(3)) if c.startswith("probability")] == ["probability_bad", "probability_good"]


def test_a_detector_keeps_the_scores_that_its_limit_was_set_on(
    made: Callable[..., tuple[Resolved, Prepared, pd.DataFrame]], tmp_path: Path
) -> None:
    table = table_of().assign(y=0)
    resolved, prepared, _ = made("anomaly", "isolation_forest", table)
    bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, tmp_path / "bundle")
    before = sha256_of(tmp_path / "bundle" / "model.onnx")
    judged = judge(bundle, prepared, resolved, again=Again((Part(resolved, prepared),), 60.0, never))
    assert judged.note is None and sha256_of(tmp_path / "bundle" / "model.onnx") == before


def test_what_a_network_takes_is_its_way_to_the_best_epoch_with_a_quarter_more_rows() -> None:
    told = {"seconds": 40.0, "epochs": 20, "rates": [0.1] * 8, "fit": {}}
    assert expected_seconds(told) == pytest.approx(40 / 20 * 8 * 1.25)
    assert expected_seconds({"seconds": 3.0}) == pytest.approx(3.75)


class Counting:
    """A predictor that says how many windows it was given."""

    def __init__(self, predictor: Any) -> None:
        self._predictor, self.n_windows = predictor, 0

    def predict(self, windows: np.ndarray) -> np.ndarray:
        self.n_windows += len(windows)
        return self._predictor.predict(windows)


def counted(bundle: Bundle) -> tuple[Bundle, Counting]:
    counting = Counting(bundle.predictor)
    bundle.__dict__["predictor"] = counting
    return bundle, counting


def assert_same_scores(found: RawScores, wanted: RawScores, rows: np.ndarray | slice = slice(None)) -> None:
    """To the last digit but those that a matrix product of another size may round otherwise."""
    np.testing.assert_allclose(found.outputs[rows], wanted.outputs[rows], rtol=1e-9)
    assert (found.distance is None) == (wanted.distance is None) and (found.one_step is None) == (wanted.one_step is None)
    if found.distance is not None and wanted.distance is not None:
        np.testing.assert_allclose(found.distance[rows], wanted.distance[rows], rtol=1e-9)


@pytest.mark.parametrize("seconds", [60.0, -1.0], ids=["fitted once more", "no time for it"])
def test_each_row_of_a_classification_is_scored_by_the_model_that_stands_for_it_and_only_by_that(
    made: Callable[..., tuple[Resolved, Prepared, pd.DataFrame]], tmp_path: Path, seconds: float
) -> None:
    """What the first and the last model say of the whole table, asked of their bundles, is the other way to the same scores."""
    table = table_of()
    table["y"] = np.where(table["y"] > 1, "good", "bad")
    resolved, prepared, _ = made("classification", "logistic", table, unknown_rate=0.1)
    folder = tmp_path / "bundle"
    bundle = fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, folder)
    bundle, first = counted(with_unknown(bundle, prepared, resolved))
    alone = judge(bundle, prepared, resolved)
    assert first.n_windows == 200, "without a last fit each row is scored once"
    judged = judge(bundle, prepared, resolved, again=Again((Part(resolved, prepared),), seconds, never))
    assert first.n_windows == 200 + 50, "before a last fit the validation rows only"
    assert alone.raw.distance is not None and (judged.note is None) == (seconds < 0)
    held, rest = prepared.split.rows(VALIDATION), np.flatnonzero(prepared.split.parts != VALIDATION)
    assert_same_scores(judged.raw, alone.raw, held)
    assert_same_scores(judged.raw, raw_scores(load_bundle(folder), prepared.rows, Room()), rest)
    assert judged.bundle.manifest.decision == alone.bundle.manifest.decision
    if seconds < 0:
        assert_same_scores(judged.raw, alone.raw)
        assert judged.metrics == alone.metrics


def test_bands_and_limit_of_a_forecast_are_those_of_a_first_fit_that_scored_every_row(tmp_path: Path) -> None:
    dataset = as_dataset(series_table(), tmp_path, when="time", line="group", y="target")
    asked = {"dataset_id": dataset.id, "dataset_version": 1, "task": "forecast", "model": "ridge"}
    resolved = resolve(dataset, TrainRequest.read(asked))
    prepared, folder = prepare(resolved), tmp_path / "bundle"
    bundle, first = counted(fit_baseline(resolved, prepared, resolved.spec, resolved.model_settings, folder))
    alone = judge(bundle, prepared, resolved)
    n_all = first.n_windows
    judged = judge(bundle, prepared, resolved, again=Again((Part(resolved, prepared),), 60.0, never))
    n_test = len(prepared.split.rows(TEST))
    assert 0 < n_test - 10 < 2 * n_all - first.n_windows, "what only the last model is asked is not scored before"
    assert judged.note is not None
    told, wanted = judged.bundle.manifest, alone.bundle.manifest
    assert told.bands == wanted.bands and len(told.bands) == 24
    assert told.residual_scale == pytest.approx(wanted.residual_scale, rel=1e-9)
    assert told.threshold == wanted.threshold and told.threshold is not None
    later = raw_scores(load_bundle(folder), prepared.rows, Room())
    held, rest = prepared.split.rows(VALIDATION), np.flatnonzero(prepared.split.parts != VALIDATION)
    assert_same_scores(judged.raw, alone.raw, held)
    assert_same_scores(judged.raw, later, rest)
    assert np.nanmax(np.abs(later.outputs[held] - alone.raw.outputs[held])) > 1e-4, "the two fits differ"
    assert judged.raw.one_step is not None
    kept, outputs = prepared.inputs.row_of_window, judged.raw.outputs
    of_line = prepared.keys["line"].to_numpy()[kept]
    for place in range(1, len(kept)):
        if of_line[place] == of_line[place - 1]:
            assert judged.raw.one_step[1][kept[place]] == outputs[kept[place - 1], 0]


@pytest.mark.slow
def test_a_network_makes_the_epochs_of_its_first_fit_again_on_more_rows_unless_it_goes_astray(
    made: Callable[..., tuple[Resolved, Prepared, pd.DataFrame]], tmp_path: Path
) -> None:
    resolved, prepared, table = made("regression", "dense", table_of(400), epochs=30, patience=30, learning_rate=0.01)
    folder = tmp_path / "bundle"
    first, fit = fit_deep(resolved, prepared, folder, emit=lambda event: None, stop_requested=never, checkpoints=None)
    told = first.manifest.training
    assert told["rates"] == [record["learning_rate"] for record in fit.history[: fit.best_epoch]]
    scores = load_bundle(folder).score(table)["prediction"].to_numpy()
    judged = judge(first, prepared, resolved, again=Again((Part(resolved, prepared),), 600.0, never))
    later = load_bundle(folder).score(table)["prediction"].to_numpy()
    said = judged.scored(np.arange(len(table)))["prediction"].to_numpy()
    rows = {part: prepared.split.rows(part) for part in (TRAIN, VALIDATION, TEST)}
    np.testing.assert_allclose(said[rows[VALIDATION]], scores[rows[VALIDATION]], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(said[rows[TEST]], later[rows[TEST]], rtol=1e-5, atol=1e-5)
    assert np.abs(later - scores).max() > 1e-3
    assert judged.bundle.manifest.training["epochs"] == fit.n_epochs, "what is told of the curve is told of the first fit"
    error = np.sqrt(np.mean((later - table["y"])[rows[TEST]] ** 2))
    assert error < 1.0, "it has learned: noise 0.5 on a spread of 2.3"

    astray = replace(judged.bundle, manifest=first.manifest.model_copy(update={"training": {**told, "loss": 1e-9}}))
    assert last_fit(astray, [Part(resolved, prepared)], seconds=600.0, stop_requested=never) is None
    assert last_fit(first, [Part(resolved, prepared)], seconds=600.0, stop_requested=lambda: True) is None
