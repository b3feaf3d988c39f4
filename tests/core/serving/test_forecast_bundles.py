"""A forecast from table to bundle: nothing of the future is learned from, parts share no value, and a file's next values come out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.split import GAP, TEST, TRAIN, VALIDATION, SplitSettings
from core.errors import DataProblem, NotEnoughData, SettingProblem
from core.jobs.fitting import fit_baseline
from core.jobs.forecast_judging import steps_json
from core.jobs.judged import Judged, judge
from core.jobs.sources import encoded_targets, network_shape, source_of
from core.models import model_by_key
from core.serving import load_bundle
from core.serving.forecasts import prediction_names
from core.training.forecast_length import rows_needed
from core.training.prepare import Prepared, prepare
from core.training.request import TrainRequest
from core.training.resolve import Resolved, resolve
from tests.synthetic import as_dataset, series_table

ROLES = {"when": "time", "line": "group", "y": "target"}


def ready(table: pd.DataFrame, folder: Path, model: str = "ridge", roles: dict[str, str] = ROLES, **request: object):  # type: ignore[no-untyped-def]
    folder.mkdir(exist_ok=True)
    dataset = as_dataset(table, folder, **roles)
    made = TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, "task": "forecast", "model": model, **request})
    resolved = resolve(dataset, made)
    return resolved, prepare(resolved)


def judged(table: pd.DataFrame, folder: Path, model: str = "ridge", **more: object) -> tuple[Judged, Resolved, Prepared]:
    resolved, prepared = ready(table, folder, model, **more)
    bundle = fit_baseline(resolved, prepared, model_by_key(model), resolved.model_settings, folder / "bundle")
    return judge(bundle, prepared, resolved), resolved, prepared


def test_season_width_and_parts_are_settled_before_anything_is_fitted(tmp_path: Path) -> None:
    resolved, prepared = ready(series_table(), tmp_path)
    assert resolved.past is not None and (resolved.past.season, resolved.past.step, resolved.past.horizon) == (24, 3600.0, 24)
    assert resolved.width == 30 and resolved.gap_rows == 0 and resolved.split.method == "time"
    assert not (prepared.split.parts == GAP).any()
    assert network_shape(prepared).n_outputs == 24 and network_shape(prepared).n_features == 3  # y, x, y one season ago


def test_a_training_window_and_what_it_is_asked_for_lie_in_the_training_part(tmp_path: Path) -> None:
    table = series_table()
    _, prepared = ready(table, tmp_path)
    ahead = prepared.following
    assert ahead is not None
    kept = prepared.inputs.row_of_window
    for part, places in ((TRAIN, prepared.train), (VALIDATION, prepared.validation)):
        for place in (places[0], places[-1]):
            rows = kept[place : place + 25]
            assert (prepared.split.parts[rows] == part).all() and table["line"].iloc[rows].nunique() == 1
            np.testing.assert_array_equal(ahead.batch(np.array([place]))[0], table["y"].to_numpy()[rows[1:]])
    # the row after the last training window of a line would be asked for a value of the validation part
    last = prepared.train[np.searchsorted(prepared.train, len(kept) // 2) - 1]
    assert prepared.split.parts[kept[last + 25]] == VALIDATION


def test_what_is_asked_for_is_the_difference_from_the_anchor_in_units_of_its_size(tmp_path: Path) -> None:
    table = series_table()
    _, prepared = ready(table, tmp_path)
    target, places = prepared.target, prepared.train[:50]
    wanted = encoded_targets(prepared, places)
    kept, y = prepared.inputs.row_of_window, table["y"].to_numpy()
    for place, row in zip(places[:3], wanted, strict=False):
        truth = y[kept[place + 1 : place + 25]] - y[kept[place]]
        np.testing.assert_allclose(row * target.scale, truth, atol=1e-4)  # type: ignore[union-attr]
    all_of_it = encoded_targets(prepared, prepared.train)
    assert float(np.sqrt(np.mean(all_of_it**2))) == pytest.approx(1.0, abs=0.05)
    windows, batch, _ = source_of(prepared, prepared.train).batch(np.arange(50))
    np.testing.assert_array_equal(batch, wanted)
    assert windows.shape == (50, 30, 3)


def test_later_rows_change_nothing_of_a_model_and_of_earlier_forecasts(tmp_path: Path) -> None:
    table = series_table()
    first, _, prepared = judged(table, tmp_path / "a")
    test = prepared.split.rows(TEST)
    changed = table.copy()
    changed.loc[test, ["x", "y"]] = np.random.default_rng(0).normal(50, 20, (len(test), 2))
    second, _, _ = judged(changed, tmp_path / "b")
    for name in ("weights", "bias"):
        with np.load(tmp_path / "a/bundle/model.npz") as a, np.load(tmp_path / "b/bundle/model.npz") as b:
            np.testing.assert_array_equal(a[name], b[name])
    before = prepared.split.rows(VALIDATION)
    np.testing.assert_array_equal(first.raw.outputs[before], second.raw.outputs[before])
    assert first.bundle.manifest.bands == second.bundle.manifest.bands
    assert first.bundle.manifest.threshold == second.bundle.manifest.threshold


def test_the_noise_is_what_is_left_of_the_error_and_earlier_values_are_beaten(tmp_path: Path) -> None:
    table = series_table()
    ridge, _, prepared = judged(table, tmp_path / "r")
    figures = {m.key: m for m in ridge.metrics}
    assert figures["mae"].value == pytest.approx(0.3 * np.sqrt(2 / np.pi), rel=0.25)  # E|noise|, and what the fit adds
    season = {m.key: m for m in judged(table, tmp_path / "s", "season_ago")[0].metrics}
    assert season["mae"].value == pytest.approx(0.3 * np.sqrt(2) * np.sqrt(2 / np.pi), rel=0.1)  # two noises
    assert season["mase"].value == pytest.approx(1.0, abs=0.1)
    last = {m.key: m for m in judged(table, tmp_path / "l", "last_value")[0].metrics}
    assert last["skill"].value == 0.0
    steps = steps_json(ridge.scored(prepared.split.rows(TEST)), prepared.split.rows(TEST), prepared, ridge.bundle.manifest)
    assert [s["step"] for s in steps] == list(range(1, 25))
    assert 0.8 < figures["coverage"].value < 0.97 and len(ridge.bundle.manifest.bands) == 24  # type: ignore[operator]


def test_the_band_of_a_step_is_the_conformal_quantile_of_its_residuals(tmp_path: Path) -> None:
    table = series_table()
    made, _, prepared = judged(table, tmp_path)
    kept, y, n = prepared.inputs.row_of_window, table["y"].to_numpy(), len(prepared.validation)
    for step in (1, 24):
        errors = [abs(y[kept[p + step]] - made.raw.outputs[kept[p]][step - 1]) for p in prepared.validation]
        wanted = np.sort(errors)[int(np.ceil((n + 1) * 0.9)) - 1]
        assert made.bundle.manifest.bands[step - 1].half_width == pytest.approx(wanted)


def test_a_file_gives_the_next_values_of_each_group_with_their_times(tmp_path: Path) -> None:
    table = series_table()
    made, _, _ = judged(table, tmp_path)
    bundle = load_bundle(tmp_path / "bundle")
    new = series_table(620, seed=8).iloc[: 2 * 600]
    shuffled = new.sample(frac=1, random_state=1)
    shuffled.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "next.csv"
    scored = wf.score_file(bundle, tmp_path / "new.csv", out)
    found = pd.read_csv(out, parse_dates=["when"])
    assert scored.rows == len(found) == 48
    assert list(found.columns) == ["line", "when", "step", "prediction", "lower", "upper", "why_not"]
    assert bundle.manifest.score_columns == tuple(found.columns)
    line = found[found["line"] == "b"]
    assert line["step"].tolist() == list(range(1, 25))
    assert line["when"].tolist() == list(pd.date_range(new["when"].max() + pd.Timedelta(hours=1), periods=24, freq="h"))
    came = series_table(624, seed=8).query("line == 'b'").tail(24)["y"].to_numpy()
    assert np.abs(15 + 4 * np.sin(2 * np.pi * np.arange(600, 624) / 24) - line["prediction"]).max() < 0.6
    assert len(came) == 24 and made.bundle.manifest.task == "forecast"


def test_the_next_values_are_judged_by_a_file_that_came_later(tmp_path: Path) -> None:
    whole = series_table(524)
    judged(whole.iloc[:1000], tmp_path)
    whole.iloc[:1000].to_csv(tmp_path / "known.csv", index=False)
    whole.iloc[1000:].to_csv(tmp_path / "came.csv", index=False)
    wf.score_file(load_bundle(tmp_path / "bundle"), tmp_path / "known.csv", tmp_path / "next.csv")
    figures = {m.key: m for m in wf.evaluate_file(tmp_path / "next.csv", tmp_path / "came.csv", "y")}
    assert figures["mae"].n == 48 and figures["mae"].value < 0.5  # type: ignore[operator]


def test_without_group_and_time_rows_are_counted(tmp_path: Path) -> None:
    table = series_table(400, ("a",))[["x", "y"]]
    made, resolved, _ = judged(table, tmp_path, roles={"y": "target"}, options={"horizon": 5})
    assert resolved.split.method == "time" and resolved.past is not None and resolved.past.step is None
    table.to_csv(tmp_path / "new.csv", index=False)
    wf.score_file(made.bundle, tmp_path / "new.csv", tmp_path / "next.csv")
    found = pd.read_csv(tmp_path / "next.csv")
    assert list(found.columns) == ["step", "prediction", "lower", "upper", "why_not"] and len(found) == 5
    assert made.bundle.manifest.score_columns == tuple(found.columns)


def test_a_series_alone_is_forecast_from_its_own_past(tmp_path: Path) -> None:
    table = series_table(400, ("a",))[["when", "y"]]
    made, _, _ = judged(table, tmp_path, roles={"when": "time", "y": "target"})
    assert {m.key: m for m in made.metrics}["skill"].value > 0.8  # type: ignore[operator]


def test_empty_cells_repeat_the_value_before_and_are_no_truth(tmp_path: Path) -> None:
    table = series_table(500, ("a",)).drop(columns="line")
    table.loc[table.index[100:103], "y"] = np.nan
    _, prepared = ready(table, tmp_path, roles={"when": "time", "y": "target"})
    own = prepared.inputs.windows.values[99:104, 0]
    assert own[0] == own[1] == own[2] == own[3] != own[4]
    assert not set(range(76, 103)) & set(prepared.train.tolist())  # rows whose next 24 values hold an empty one, or empty


def test_a_gap_ends_a_series(tmp_path: Path) -> None:
    table = series_table(500, ("a",)).drop(columns="line")
    table.loc[200:, "when"] += pd.Timedelta(days=2)
    _, prepared = ready(table, tmp_path, roles={"when": "time", "y": "target"})
    assert prepared.following is not None
    assert np.isnan(prepared.following.batch(np.array([190]))[0]).tolist() == [False] * 9 + [True] * 15
    assert prepared.inputs.padded[200:229].all() and not prepared.inputs.padded[229]


def test_a_residual_one_step_ahead_is_a_score_and_a_spike_is_flagged(tmp_path: Path) -> None:
    table = series_table(500, ("a",)).drop(columns="line")
    table.loc[470, "y"] += 6
    made, _, prepared = judged(table, tmp_path, roles={"when": "time", "y": "target"})
    scored = made.scored(slice(None))
    expected = made.raw.outputs[469][0]
    assert scored["expected"][470] == pytest.approx(expected) and np.isnan(scored["expected"][0])
    scale = made.bundle.manifest.residual_scale
    assert scored["score"][470] == pytest.approx(abs(table["y"][470] - expected) / scale)
    train = prepared.inputs.row_of_window[prepared.train]
    assert np.sqrt(np.mean(scored["score"].to_numpy()[train] ** 2)) == pytest.approx(1.0, abs=1e-6)
    assert bool(scored["flag"][470]) and scored["flag"].sum() <= 12


def test_a_bundle_says_the_same_after_a_move(tmp_path: Path) -> None:
    table = series_table()
    made, _, _ = judged(table, tmp_path)
    again = load_bundle(tmp_path / "bundle")
    names = list(prediction_names(24))
    np.testing.assert_array_equal(again.score(table)[names], made.bundle.score(table)[names])
    manifest = json.loads((tmp_path / "bundle/manifest.json").read_text(encoding="utf-8"))
    assert manifest["target"]["horizon"] == 24 and manifest["pipeline"]["own_past"]["season"] == 24


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"target": None}, {}, "No target column is chosen"),
        ({"target": "line"}, {}, "holds texts such as 'a'"),
        ({"split": {"method": "random"}}, {}, "at random"),
        ({}, {"window": 12}, "needs at least 24"),
        ({}, {"horizon": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_a_sentence(
    tmp_path: Path, changes: dict[str, object], options: dict[str, object], message: str
) -> None:
    roles = {"when": "time", "line": "sensor"} if "target" in changes else ROLES
    with pytest.raises((DataProblem, SettingProblem), match=message):
        ready(series_table(), tmp_path, roles=roles, options=options, **changes)


def test_too_few_rows_for_the_rows_ahead_are_refused(tmp_path: Path) -> None:
    # 15 % of 337 rows are 51 to validate, one more than 50 ahead; of 60 rows they are 9, which leave 8 ahead.
    with pytest.raises(NotEnoughData) as refused:
        ready(series_table(60, ("a",)), tmp_path, options={"horizon": 50})
    assert str(refused.value) == (
        "The training part has 0 rows after which the next 50 values (the horizon) are known. "
        "Expected a series of at least 337 rows without a gap; the longest has 60. "
        "Bring more rows, or set the horizon to at most 8."
    )
    ready(series_table(60, ("a",)), tmp_path, options={"horizon": 8})


def test_the_rows_that_a_horizon_needs_are_enough_and_one_less_is_not(tmp_path: Path) -> None:
    assert rows_needed(24, SplitSettings()) == 164  # 15 % of 164 are 25 rows: one of them has 24 behind it
    ready(series_table(164, ("a",)), tmp_path, options={"horizon": 24})
    with pytest.raises(NotEnoughData, match=r"validation part has 0 rows .* next 24 values .* at least 164 rows .* has 163"):
        ready(series_table(163, ("a",)), tmp_path, options={"horizon": 24})
    # Two series: each has to be long enough, for both are cut at the same times.
    with pytest.raises(NotEnoughData, match="at least 164 rows without a gap; the longest has 150"):
        ready(series_table(150), tmp_path, options={"horizon": 24})


def test_a_series_of_a_few_rows_is_refused_with_its_horizon(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match=r"next 24 values .* at least 164 rows .* has 8. Bring more rows, or choose"):
        ready(series_table(8, ("a",)), tmp_path, options={"horizon": 24})


def test_a_part_of_another_split_says_how_many_rows_it_lacks(tmp_path: Path) -> None:
    table = series_table(300, ("a",))
    table["use"] = np.where(np.arange(300) < 200, "train", np.where(np.arange(300) < 220, "validation", "test"))
    with pytest.raises(NotEnoughData, match=r"validation part has 0 rows .* at least 25 rows of one series in this part"):
        ready(table, tmp_path, split={"method": "column", "column": "use"}, options={"horizon": 24})


def test_a_constant_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="constant or empty"):
        ready(series_table().assign(y=3.0), tmp_path)
