"""Bundles score the same anywhere, and a changed or foreign file is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.clean import Recipe
from core.data.room import Room
from core.data.rows import FrameRows
from core.errors import DataProblem
from core.jobs.fitting import fit_baseline
from core.jobs.judged import Judged, judge
from core.models import model_by_key
from core.serving import Bundle, load_bundle
from core.serving.bundle import pack_bundle
from core.training.prepare import Prepared, prepare
from core.training.request import TrainRequest
from core.training.resolve import Resolved, resolve
from core.workflows.class_rows import class_rule
from tests.synthetic import anomaly_table, as_dataset, class_table, regression_table


def trained(
    table: pd.DataFrame,
    folder: Path,
    task: str,
    model: str,
    recipe: Recipe | None = None,
    options: dict[str, object] | None = None,
    **roles: str,
) -> tuple[Bundle, Resolved, Prepared]:
    """A judged baseline on a synthetic table, as its bundle."""
    found, resolved, prepared = judged(table, folder, task, model, recipe, options, **roles)
    return found.bundle, resolved, prepared


def judged(
    table: pd.DataFrame,
    folder: Path,
    task: str,
    model: str,
    recipe: Recipe | None = None,
    options: dict[str, object] | None = None,
    **roles: str,
) -> tuple[Judged, Resolved, Prepared]:
    """The same with its figures."""
    folder.mkdir(exist_ok=True)
    dataset = as_dataset(table, folder, **roles)
    chosen = (recipe or Recipe()).model_dump(mode="json")
    request = TrainRequest(
        dataset_id=dataset.id, dataset_version=1, task=task, model=model, recipe=chosen, options=options or {}
    )
    resolved = resolve(dataset, request)
    prepared = prepare(resolved)
    spec = model_by_key(model)
    return (
        judge(fit_baseline(resolved, prepared, spec, spec.settings(), folder / "bundle"), prepared, resolved),
        resolved,
        prepared,
    )


@pytest.fixture
def regression(tmp_path: Path) -> Bundle:
    return trained(regression_table(), tmp_path, "regression", "ridge", y="target", when="time")[0]


def test_a_line_is_found_and_its_interval_holds(regression: Bundle) -> None:
    table = regression_table(seed=11)
    scored = regression.score(table)
    error = scored["prediction"] - table["y"]
    assert np.sqrt((error**2).mean()) == pytest.approx(0.1, abs=0.02)  # the noise that the table was made with
    inside = (table["y"] >= scored["lower"]) & (table["y"] <= scored["upper"])
    assert 0.82 <= inside.mean() <= 0.97  # promised: 0.9


def test_output_rows_follow_the_input_whatever_its_order(regression: Bundle) -> None:
    table = regression_table(seed=11)
    shuffled = table.sample(frac=1, random_state=1)
    ordered, mixed = regression.score(table)["prediction"], regression.score(shuffled)["prediction"]
    np.testing.assert_allclose(mixed.to_numpy(), ordered.to_numpy()[shuffled.index])


def test_extra_and_reordered_columns_do_not_matter(regression: Bundle) -> None:
    table = regression_table(seed=11)
    other = table.assign(more=1.0)[["more", *reversed(list(table.columns))]]
    np.testing.assert_array_equal(regression.score(table)["prediction"], regression.score(other)["prediction"])


def test_missing_columns_are_refused_by_name(regression: Bundle) -> None:
    with pytest.raises(DataProblem, match="The table lacks b"):
        regression.score(regression_table().drop(columns="b"))


def test_texts_for_numbers_are_refused_with_an_example(regression: Bundle) -> None:
    with pytest.raises(DataProblem, match="Column 'a' holds texts such as '1,5'"):
        regression.score(regression_table().assign(a="1,5"))


def test_a_filled_cell_is_marked(regression: Bundle) -> None:
    table = regression_table(seed=11)
    table.loc[3, "a"] = np.nan
    scored = regression.score(table)
    assert scored["why_not"].iloc[3] == "empty cell filled"
    assert (scored["why_not"].drop(3) == "").all()


def test_a_packed_bundle_scores_the_same(regression: Bundle, tmp_path: Path) -> None:
    pack_bundle(regression.folder, tmp_path / "b.zip")
    table = regression_table(seed=11)
    pd.testing.assert_frame_equal(load_bundle(tmp_path / "b.zip").score(table), regression.score(table))


@pytest.mark.parametrize(("task", "target"), [("regression", "y"), ("classification", "result")])
def test_minirocket_is_replayed_from_its_arrays(tmp_path: Path, task: str, target: str) -> None:
    """The steepest rise of the last rows decides, which one row does not show; the packed file must know what was fitted."""
    rng = np.random.default_rng(6)
    rows = pd.DataFrame({"a": rng.normal(size=500), "b": rng.normal(size=500)})
    rows["y"] = rows["a"].diff().rolling(9, min_periods=1).max().fillna(0.0)
    rows["result"] = np.where(rows["y"] > rows["y"].median(), "high", "low")
    rows = rows[["a", "b", target]].assign(when=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(500), unit="min"))
    bundle = trained(rows, tmp_path, task, "minirocket", options={"window": 12}, when="time", **{target: "target"})[0]
    scored = bundle.score(rows)
    pack_bundle(bundle.folder, tmp_path / "b.zip")
    pd.testing.assert_frame_equal(load_bundle(tmp_path / "b.zip").score(rows), scored)
    later = slice(400, None)  # the test part
    if task == "regression":
        assert np.corrcoef(scored["prediction"][later], rows["y"][later])[0, 1] > 0.6
    else:
        assert roc_auc_score(rows["result"][later] == "high", scored["probability_high"][later]) > 0.75


def test_a_changed_file_is_refused(regression: Bundle) -> None:
    path = regression.folder / "model.npz"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DataProblem, match=r"model\.npz of the bundle 'bundle' is missing or changed"):
        load_bundle(regression.folder)


def test_a_newer_format_is_refused(regression: Bundle) -> None:
    path = regression.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))
    with pytest.raises(DataProblem, match="its format version is 99"):
        load_bundle(regression.folder)


def test_an_unknown_manifest_key_is_refused(regression: Bundle) -> None:
    path = regression.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "loader": "x"}))
    with pytest.raises(DataProblem, match="is not an Andon bundle"):
        load_bundle(regression.folder)


def test_a_zip_with_a_path_out_of_it_is_refused(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../evil.txt", "x")
    with pytest.raises(DataProblem, match="it contains"):
        load_bundle(tmp_path / "evil.zip")
    assert not (tmp_path.parent / "evil.txt").exists()


def test_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\x80\x04pickle")
    with pytest.raises(DataProblem, match="it is neither a folder nor a zip file"):
        load_bundle(tmp_path / "x.bin")


def test_classes_have_probabilities_that_sum_to_one(tmp_path: Path) -> None:
    bundle, _, _ = trained(class_table(), tmp_path, "classification", "logistic", result="target")
    scored = bundle.score(class_table(seed=8))
    np.testing.assert_allclose(scored[["probability_fail", "probability_pass"]].sum(axis=1), 1)
    assert bundle.manifest.positive == "fail"  # the rarer one
    flagged = scored["probability_fail"] > bundle.manifest.decision
    assert ((scored["prediction"] == "fail") == flagged).all()
    assert (scored["prediction"] == class_table(seed=8)["result"]).mean() > 0.95


def test_of_three_classes_the_rarest_is_to_be_caught_and_the_most_probable_one_is_called(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    names = np.array(["crack", "dent", "ok"])[rng.permutation(np.repeat([0, 1, 2], [90, 40, 170]))]
    table = pd.DataFrame({"a": (names == "crack") + rng.normal(0, 0.5, 300), "b": (names == "dent") + rng.normal(0, 0.5, 300)})
    found, _, _ = judged(table.assign(result=names), tmp_path, "classification", "logistic", result="target")
    bundle, figures = found.bundle, {metric.key: metric.value for metric in found.metrics}
    assert bundle.manifest.positive == "dent" and bundle.manifest.decision is None
    rule = class_rule(bundle.manifest)
    assert (rule.positive, rule.place, rule.is_stored) == ("dent", None, True)
    scored = bundle.score(table)
    probabilities = scored[[f"probability_{c}" for c in ("crack", "dent", "ok")]].to_numpy()
    assert (scored["prediction"] == np.array(["crack", "dent", "ok"])[probabilities.argmax(axis=1)]).all()
    assert figures["f1"] is None, "no cut decides, so that no class has figures of its own"
    assert figures["macro_f1"] is not None
    stored = bundle.manifest.model_copy(update={"positive": None})
    assert class_rule(stored).positive == "ok", "a run of an earlier version keeps the last class"
    assert class_rule(bundle.manifest, "crack").positive == "crack"


def test_of_two_classes_with_as_many_rows_the_later_is_to_be_caught(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    names = np.tile(["bad", "good"], 100)
    table = pd.DataFrame({"a": (names == "bad") + rng.normal(0, 0.5, 200), "part": np.arange(200), "result": names})
    bundle, _, prepared = trained(table, tmp_path, "classification", "logistic", result="target", part="time")
    train = table["result"].iloc[prepared.split.rows(0)].value_counts()
    assert train["bad"] == train["good"]
    assert bundle.manifest.positive == "good"


@pytest.mark.parametrize("model", ["pca_t2_spe", "isolation_forest"])
def test_a_fault_scores_higher_than_normal_rows(tmp_path: Path, model: str) -> None:
    bundle, _, _ = trained(anomaly_table(), tmp_path, "anomaly", model, when="time", label="target")
    scored = bundle.score(anomaly_table(seed=9))
    fault = np.arange(60, 600) >= 480
    assert roc_auc_score(fault, scored["score"].iloc[60:]) > 0.8
    padded = scored["why_not"] == "padded window"
    assert (scored["flag"] == ((scored["score"] > bundle.threshold.value) & ~padded)).all()
    assert np.isfinite(scored["score"][padded]).all()
    assert (scored["why_not"].iloc[:23] == "padded window").all()


def test_texts_that_look_like_numbers_in_a_new_file_are_still_the_texts_of_the_training_part(tmp_path: Path) -> None:
    # Lines "1", "2" and "X": a file with rows of the first two alone is read as numbers.
    rng = np.random.default_rng(0)
    line = rng.choice(["1", "2", "X"], 300)
    table = pd.DataFrame({"a": rng.normal(size=300), "line": line})
    table["y"] = table["a"] + 10 * (line == "1") + 20 * (line == "2") + rng.normal(0, 0.1, 300)
    bundle = trained(table, tmp_path, "regression", "ridge", y="target")[0]
    known = table[table["line"] != "X"]
    as_numbers = known.assign(line=known["line"].astype(float))
    pd.testing.assert_frame_equal(bundle.score(as_numbers), bundle.score(known))
    assert as_numbers["line"].dtype == float, "the table that came in is not changed"


def test_an_encrypted_zip_is_refused_and_not_a_fault(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("manifest.json", "{}")
    content = bytearray((tmp_path / "b.zip").read_bytes())
    content[6] |= 1  # the flag "encrypted", in the file's own header and in the directory at the end
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(DataProblem, match="neither a folder nor a zip file"):
        load_bundle(tmp_path / "b.zip")


def test_rows_labelled_as_a_real_event_carry_the_label_into_the_scores(tmp_path: Path) -> None:
    table = regression_table()
    name = next(c for c in table.columns if c not in ("y", "when"))
    steps = [{"key": "mad_outliers", "columns": [name], "settings": {"action": "real_event", "limit": 20.0}}]
    recipe = Recipe.read({"steps": steps})
    bundle = trained(table, tmp_path, "regression", "ridge", recipe, y="target", when="time")[0]
    new = regression_table(seed=11)
    new.loc[new.index[5], name] = 1e4
    scored = load_bundle(bundle.folder).score(new)
    assert np.flatnonzero(scored["real_event"]).tolist() == [5]
    assert np.isfinite(scored["prediction"]).all()
    plain = trained(table, tmp_path / "plain", "regression", "ridge", y="target", when="time")[0]
    assert "real_event" not in plain.score(new)


def test_every_method_of_the_catalogue_travels_in_a_bundle(tmp_path: Path) -> None:
    """One recipe with fills, outliers by rows, transforms: scored from the written bundle as by the one in memory."""
    table = regression_table()
    numbers = [c for c in table.columns if c not in ("y", "when")]
    table.loc[table.index[::17], numbers[0]] = np.nan
    keys = (
        "hampel_outliers",
        "missing_indicator",
        "iterative_fill",
        "knn_fill",
        "lof_outliers",
        "ecod_outliers",
        "yeo_johnson",
    )
    recipe = Recipe.read({"steps": [{"key": key} for key in keys]})
    bundle, _, prepared = trained(table, tmp_path, "regression", "ridge", recipe, y="target", when="time")
    scored = load_bundle(bundle.folder).score(table)
    again = prepared.pipeline.inputs(FrameRows(table), Room())
    loaded = load_bundle(bundle.folder).pipeline.inputs(FrameRows(table), Room())
    np.testing.assert_array_equal(loaded.windows.values, again.windows.values)
    assert len(scored) == len(table)


def test_repeated_rare_classes_make_the_rare_class_likelier_and_change_no_row(tmp_path: Path) -> None:
    """On noise the best probability is the share of the class: 0.1 as it stands, one half once it is repeated."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=900), "result": np.where(rng.random(900) < 0.1, "fail", "pass")})
    plain, _, first = trained(table, tmp_path / "a", "classification", "logistic", result="target")
    options: dict[str, object] = {"oversample": True}
    balanced, _, second = trained(table, tmp_path / "b", "classification", "logistic", None, options, result="target")
    np.testing.assert_array_equal(first.train, second.train)
    np.testing.assert_array_equal(first.validation, second.validation)
    shares = [bundle.score(table)["probability_fail"].mean() for bundle in (plain, balanced)]
    assert shares == pytest.approx([0.1, 0.5], abs=0.04)
    assert len(balanced.score(table)) == len(table)
