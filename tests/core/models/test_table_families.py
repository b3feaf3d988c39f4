"""The shallow families of tables: what libraries say is what the bundle's arrays say, and curves are found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from core.errors import NotEnoughData, TrainingProblem
from core.models import MODELS, FittedArrays, Question, Shape, estimate, is_table, model_by_key
from core.models.folds import group_folds, last_fold, random_folds, time_folds
from core.models.openmp import load_lightgbm
from core.models.tables import thinned_rows
from core.models.tree_ensemble import rounded_cuts
from core.serving.predictors import make_predictor

TABLES = tuple(spec for spec in MODELS if is_table(spec) and spec.key != "logistic")  # a straight line: test_baselines.py
SMALL = {"trees": 40, "rounds": 150}
VALUE, TWO, THREE = Question("regression"), Question("classification", 2), Question("classification", 3)


def _table(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (n, 3), a target with a sine and a product, and classes in the corners of a chessboard (no line parts them)."""
    rows = np.random.default_rng(seed).uniform(-1, 1, size=(n, 3)) * [1.0, 1.0, 50.0]
    return rows, np.sin(4 * rows[:, 0]) + rows[:, 0] * rows[:, 1], (rows[:, 0] * rows[:, 1] > 0).astype(np.float64)


def _settings(spec, **values: object):
    return spec.settings(**{k: v for k, v in SMALL.items() if k in spec.settings.model_fields}, **values)


def _fit(key: str, rows: np.ndarray, targets: np.ndarray, question: Question, **values: object) -> FittedArrays:
    spec = model_by_key(key)
    return spec.fit_table(rows, targets, _settings(spec, **values), 3, question)


def _said(fitted: FittedArrays, rows: np.ndarray, folder: Path) -> np.ndarray:
    """What a predictor that only has the bundle's files says of rows (n, d)."""
    if fitted.onnx:
        (folder / "model.onnx").write_bytes(fitted.onnx)
    else:
        np.savez(folder / "model.npz", **fitted.arrays)
    return make_predictor(fitted.kind, folder).predict(rows[:, None, :].astype(np.float32))


@pytest.mark.parametrize("spec", TABLES, ids=lambda s: s.key)
def test_a_curve_that_no_line_follows_is_found(spec, tmp_path: Path) -> None:
    rows, values, classes = _table(400, 0)
    new, wanted, codes = _table(300, 1)
    ridge = model_by_key("ridge").fit(rows, values, model_by_key("ridge").settings(), 0).arrays
    straight = np.sqrt(np.mean((new @ ridge["weights"] + ridge["bias"] - wanted[:, None]) ** 2))
    given = _said(_fit(spec.key, rows, values, VALUE), new, tmp_path)
    assert given.shape == (300, 1)
    assert np.sqrt(np.mean((given[:, 0] - wanted) ** 2)) < 0.5 * straight
    likely = _said(_fit(spec.key, rows, classes, TWO), new, tmp_path)
    assert np.mean(likely.argmax(axis=1) == codes) > 0.85  # logistic regression guesses: 0.5
    assert np.allclose(likely.sum(axis=1), 1, atol=1e-6) and (likely >= 0).all()


@pytest.mark.parametrize("spec", TABLES, ids=lambda s: s.key)
def test_the_same_seed_gives_the_same_model_and_the_inputs_stay_as_they_were(spec) -> None:
    rows, values, _ = _table(80, 0)
    before = rows.copy()
    first, second = (_fit(spec.key, rows, values, VALUE) for _ in range(2))
    assert np.array_equal(rows, before)
    assert first.onnx == second.onnx and first.files == second.files
    assert bool(first.arrays) != bool(first.onnx)
    assert all(np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays)


@pytest.mark.parametrize("spec", TABLES, ids=lambda s: s.key)
def test_a_class_without_rows_has_no_probability_and_the_others_sum_to_one(spec, tmp_path: Path) -> None:
    rows, _, classes = _table(120, 0)
    codes = np.where(rows[:, 2] > 20, 3.0, 2 * classes)  # 0, 2 and 3; 1 and 4 never
    likely = _said(_fit(spec.key, rows, codes, Question("classification", 5)), rows, tmp_path)
    assert likely.shape == (120, 5)
    assert likely.sum(axis=1) == pytest.approx(np.ones(120), abs=1e-6)
    assert likely[:, [1, 4]].max() < 1e-6
    assert np.mean(likely.argmax(axis=1) == codes) > 0.8


@pytest.mark.parametrize("spec", TABLES, ids=lambda s: s.key)
def test_too_few_rows_and_one_class_are_refused_in_a_sentence(spec) -> None:
    with pytest.raises(NotEnoughData, match=r"has 3 usable rows.*at least \d+ are needed"):
        _fit(spec.key, np.zeros((3, 2)), np.zeros(3), VALUE)
    with pytest.raises(NotEnoughData, match="only one class"):
        _fit(spec.key, _table(40, 0)[0], np.ones(40), TWO)


@pytest.mark.parametrize("spec", TABLES, ids=lambda s: s.key)
def test_a_constant_column_that_moves_later_changes_nothing(spec, tmp_path: Path) -> None:
    rows, values, _ = _table(60, 0)
    still = np.column_stack([rows, np.full(60, 7.0)])
    fitted = _fit(spec.key, still, values, VALUE)
    moved = still.copy()
    moved[:, 3] += 1000.0
    assert np.array_equal(_said(fitted, moved, tmp_path), _said(fitted, still, tmp_path))


@pytest.mark.parametrize("spec", TABLES, ids=lambda s: s.key)
def test_an_estimate_grows_with_the_data_and_asks_nothing_of_it(spec) -> None:
    small, large = (estimate(spec, spec.settings(), Shape(1, 10, 1), n) for n in (300, 3000))
    assert 0 < small.epoch_seconds < large.epoch_seconds < 600
    assert 0 < small.memory_bytes < large.memory_bytes


def test_the_forest_says_what_scikit_learn_says(tmp_path: Path) -> None:
    rows, values, classes = _table(300, 0)
    new = _table(200, 1)[0].astype(np.float32)
    common = {"n_estimators": 40, "min_samples_leaf": 3, "random_state": 3}
    wanted = RandomForestRegressor(max_features=1 / 3, max_samples=300, **common).fit(rows.astype(np.float32), values)
    assert _said(_fit("random_forest", rows, values, VALUE), new, tmp_path)[:, 0] == pytest.approx(
        wanted.predict(new), abs=1e-5
    )
    told = RandomForestClassifier(max_samples=300, class_weight="balanced", **common).fit(rows.astype(np.float32), classes)
    likely = _said(_fit("random_forest", rows, classes, TWO, class_weights=True), new, tmp_path)
    assert np.abs(likely - told.predict_proba(new)).max() < 1e-5


def test_cuts_are_rounded_down_to_float32() -> None:
    cuts = np.array([0.1, 0.3, -0.1, 1.0])
    rounded = rounded_cuts(cuts).astype(np.float64)
    assert (rounded <= cuts).all()
    assert (np.nextafter(rounded_cuts(cuts), np.float32(np.inf)).astype(np.float64) > cuts).all()


@pytest.mark.parametrize("question", [VALUE, TWO, THREE], ids=["value", "two", "three"])
def test_boosting_says_what_its_text_says_in_lightgbm_and_takes_empty_cells(question: Question, tmp_path: Path) -> None:
    rows, values, classes = _table(300, 0)
    rows[::7, 0] = np.nan
    targets = values if question is VALUE else classes if question is TWO else np.where(rows[:, 2] > 20, 2.0, classes)
    targets = np.where(np.isfinite(targets), targets, 0.0)
    fitted = _fit("gradient_boosting", rows, targets, question)
    new = _table(200, 1)[0].astype(np.float32)
    new[::3, 0], new[::5, 1] = np.nan, np.nan
    wanted = load_lightgbm().Booster(model_str=fitted.files["model.txt"].decode()).predict(new.astype(np.float64))
    wanted = np.column_stack([1 - wanted, wanted]) if question is TWO else wanted.reshape(200, -1)
    assert np.abs(_said(fitted, new, tmp_path) - wanted).max() < 1e-5


def test_boosting_stops_by_the_part_that_it_holds_back() -> None:
    """Of four parts three are a sine and the last is noise: told so, it stops early; held back at random, it goes on."""
    rows, values, _ = _table(400, 0)
    late = np.arange(400) >= 300
    values = np.where(late, np.random.default_rng(0).normal(size=400), values)
    by_time, at_random = (
        _fit("gradient_boosting", rows, values, Question("regression", folds=folds)).facts["rounds"]
        for folds in (np.where(late, 1, 0), None)
    )
    assert by_time < at_random / 2


def test_boosting_without_any_openmp_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    from core.models import openmp

    real = builtins.__import__

    def refuse(name: str, *more: object, **named: object) -> object:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")
        return real(name, *more, **named)

    def nowhere() -> Path:
        raise FileNotFoundError(openmp.NAME)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setattr(openmp, "bundled", nowhere)
    rows, values, _ = _table(40, 0)
    with pytest.raises(TrainingProblem, match=r"LightGBM cannot be loaded: libgomp\.so\.1\..*apt-get install libgomp1"):
        _fit("gradient_boosting", rows, values, VALUE)


@pytest.mark.skipif(sys.platform != "linux", reason="only the Linux wheel takes libgomp from the system")
def test_boosting_without_the_systems_openmp_library_takes_that_of_scikit_learn(tmp_path: Path) -> None:
    """LightGBM's library is made to ask for a name that no system has, which is what one without libgomp looks like to it."""
    code = """
import ctypes, sys
from pathlib import Path
import numpy as np
from core.models import Question, model_by_key, openmp
folder, load = Path(sys.argv[1]), ctypes.cdll.LoadLibrary
def other(path):
    if "lightgbm" not in path:
        return load(path)
    copy = folder / "lib_other.so"
    copy.write_bytes(Path(path).read_bytes().replace(b"libgomp.so.1\\0", b"libgomp.so.7\\0"))
    return load(str(copy))
ctypes.cdll.LoadLibrary = other
try:
    import lightgbm
except OSError as error:
    print(error)
openmp.NAME = "libgomp.so.7"
rows = np.random.default_rng(0).normal(size=(60, 2))
spec = model_by_key("gradient_boosting")
print(len(spec.fit_table(rows, rows[:, 0], spec.settings(rounds=5), 0, Question("regression")).onnx) > 0)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=100, check=True)
    said = done.stdout.splitlines()
    assert said[0].startswith("libgomp.so.7: cannot open shared object file")
    assert said[1] == "True"


def test_support_vectors_say_what_scikit_learn_says(tmp_path: Path) -> None:
    rows, values, classes = _table(200, 0)
    new = _table(150, 1)[0].astype(np.float32)
    scaler = StandardScaler().fit(rows)
    scaled, later = scaler.transform(rows), scaler.transform(new)
    centre, spread = values.mean(), values.std()
    wanted = SVR(C=10, gamma=1 / 3, epsilon=0.1).fit(scaled, (values - centre) / spread).predict(later) * spread + centre
    assert _said(_fit("svm", rows, values, VALUE, penalty=10.0, reach=1 / 3), new, tmp_path)[:, 0] == pytest.approx(
        wanted, abs=1e-5
    )
    likely = _said(_fit("svm", rows, classes, TWO, penalty=10.0, reach=1 / 3), new, tmp_path)
    score = SVC(C=10, gamma=1 / 3).fit(scaled, classes).decision_function(later)
    assert np.array_equal(np.argsort(likely[:, 1], kind="stable"), np.argsort(score, kind="stable"))


def test_probabilities_of_support_vectors_are_those_of_rows_not_seen(tmp_path: Path) -> None:
    """Classes drawn by a coin: a machine that knows its rows by heart would be sure of them."""
    rows = np.random.default_rng(0).normal(size=(300, 3))
    codes = np.random.default_rng(1).integers(0, 2, 300).astype(np.float64)
    likely = _said(_fit("svm", rows, codes, TWO, penalty=100.0), rows, tmp_path)
    assert likely[np.arange(300), codes.astype(int)].mean() < 0.6


@pytest.mark.parametrize("weighting", ["distance", "same"])
def test_neighbours_say_what_scikit_learn_says(weighting: str, tmp_path: Path) -> None:
    rows, values, classes = _table(200, 0)
    rows = rows.astype(np.float32).astype(np.float64)
    new = np.vstack([_table(150, 1)[0], rows[:20]]).astype(np.float32)  # some rows are known already: distance 0
    scaler = StandardScaler().fit(rows)
    chosen = {"n_neighbors": 4, "weights": weighting.replace("same", "uniform")}
    scaled, later = scaler.transform(rows), scaler.transform(new.astype(np.float64))
    given = _said(_fit("nearest_neighbours", rows, values, VALUE, neighbours=4, weighting=weighting), new, tmp_path)
    assert given[:, 0] == pytest.approx(KNeighborsRegressor(**chosen).fit(scaled, values).predict(later), abs=1e-5)
    likely = _said(_fit("nearest_neighbours", rows, classes, TWO, neighbours=4, weighting=weighting), new, tmp_path)
    assert np.abs(likely - KNeighborsClassifier(**chosen).fit(scaled, classes).predict_proba(later)).max() < 1e-5


def test_more_rows_than_allowed_are_thinned_evenly_and_said() -> None:
    rows, values, _ = _table(260, 0)
    for key in ("svm", "nearest_neighbours"):
        fitted = _fit(key, rows, values, VALUE, most_rows=100)
        assert [str(note).split(": ")[1] for note in fitted.notes] == [
            "100 of 260 training rows, evenly spread, were used; more take too long."
        ]
        assert not _fit(key, rows[:100], values[:100], VALUE).notes


def test_thinning_keeps_rare_classes_in_their_share() -> None:
    codes = np.zeros(1000, dtype=np.int64)
    codes[[3, 500, 501]] = 1
    kept = thinned_rows(1000, 100, codes)
    assert np.bincount(codes[kept]).tolist() == [100, 1]
    assert (np.diff(kept) > 0).all()


def test_parts_are_stretches_of_time_whole_groups_or_spread_over_classes() -> None:
    moments = np.array([5, 1, 4, 2, 3, 3, 3, 9, 8, 7])
    folds = time_folds(moments)
    assert folds.tolist() == [3, 0, 2, 0, 1, 1, 1, 4, 4, 3]
    assert last_fold(folds).tolist() == [False] * 7 + [True, True, False]
    groups = np.repeat(np.arange(7), [10, 1, 2, 3, 4, 5, 5])
    parts = group_folds(groups, 0)
    assert all(len(np.unique(parts[groups == g])) == 1 for g in range(7))
    assert sorted(np.unique(parts)) == [0, 1, 2, 3, 4]
    assert group_folds(np.zeros(5, dtype=np.int64), 0) is None
    codes = np.repeat([0, 1], [90, 10])
    spread = random_folds(100, 0, codes)
    assert np.bincount(spread[codes == 1]).tolist() == [2, 2, 2, 2, 2]
