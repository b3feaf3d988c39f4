"""What every family of the catalogue promises, each promise once, over all families."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingProblem
from core.models import MODELS, Question, Shape, baseline_for, estimate, is_table, knows_its_cost, model_by_key, models_for
from core.models.estimate import reads_text, reads_windows
from core.models.spec import TASKS, NetworkSpec, Task
from core.settings import field_bounds
from core.training.data import ArraySource, TrainingData
from core.training.events import Event
from core.training.fit import Trained, fit_network
from core.training.layers import network_layers
from core.training.settings import FitSettings

KEYS = [
    "last_value",
    "season_ago",
    "linear",
    "ridge",
    "logistic",
    "random_forest",
    "gradient_boosting",
    "svm",
    "nearest_neighbours",
    "pca_t2_spe",
    "isolation_forest",
    "knn_distance",
    "kmeans_distance",
    "lof",
    "ecod",
    "copod",
    "one_class_svm",
    "matrix_profile",
    "combined",
    "minirocket",
    "dense",
    "tabular",
    "cnn",
    "lstm",
    "gru",
    "resnet",
    "tcn",
    "rnn",
    "bilstm",
    "bigru",
    "cnn_lstm",
    "transformer",
    "bag_of_words",
    "text_gru",
    "text_attention",
    "dense_autoencoder",
    "conv_autoencoder",
    "lstm_autoencoder",
    "vae",
    "lstm_forecaster",
    "cnn_forecaster",
]
NETWORKS = tuple(spec for spec in MODELS if spec.role == "network")
BASELINES = tuple(spec for spec in MODELS if spec.role == "baseline" and not reads_windows(spec))
SEQUENCES = tuple(spec for spec in MODELS if reads_windows(spec) and "anomaly" not in spec.tasks)
SMALL = {"units": 8, "filters": 8, "code": 3, "kernel": 3}
SHAPE = Shape(window_rows=6, n_features=3, n_outputs=2)
TOKENS, WORDS = 5, 40


def _shape(spec, rows: int, n_features: int, n_outputs: int) -> Shape:
    """The shape of a table for this family: one that reads free text has five token numbers in front of the features."""
    if not reads_text(spec):
        return Shape(rows, n_features, n_outputs)
    return Shape(rows, TOKENS + n_features, n_outputs, TOKENS, WORDS)


def _for(spec, source: ArraySource) -> ArraySource:
    """The same windows; for a family that reads free text with random remarks of two to five words in front, which say nothing."""
    if not reads_text(spec):
        return source
    rng = np.random.default_rng(len(source.windows))
    numbers = rng.integers(1, WORDS, size=(*source.windows.shape[:2], TOKENS))
    is_padding = np.arange(TOKENS) < rng.integers(0, TOKENS - 1, size=(*source.windows.shape[:2], 1))
    tokens = np.where(is_padding, 0, numbers).astype(np.float32)
    return ArraySource(np.concatenate([tokens, source.windows], axis=2), source.targets)


def _small(spec: NetworkSpec):
    """The family's settings, narrow so that a fit takes a second."""
    return spec.settings(**{name: value for name, value in SMALL.items() if name in spec.settings.model_fields})


def _synthetic(task: Task, n: int, seed: int = 0) -> ArraySource:
    """Windows whose target is a plain function of their last row; for an autoencoder, features that move together."""
    rng = np.random.default_rng(seed)
    windows = rng.normal(size=(n, SHAPE.window_rows, 1)) * np.array([1.0, -1.0, 0.5]) + 0.1 * rng.normal(
        size=(n, SHAPE.window_rows, 3)
    )
    windows = windows.astype(np.float32)
    if task == "anomaly":
        return ArraySource(windows)
    if task == "classification":
        return ArraySource(windows, (windows[:, -1, 0] > 0).astype(np.int32))
    return ArraySource(windows, np.stack([windows[:, -1, 0], windows[:, :, 1].mean(axis=1)], axis=1))


def _fit(spec: NetworkSpec, epochs: int, seed: int = 5) -> tuple[Trained, list[Event]]:
    events: list[Event] = []
    task = spec.tasks[0]
    data = TrainingData(_for(spec, _synthetic(task, 256)), _for(spec, _synthetic(task, 64, seed=1)))
    trained = fit_network(
        spec,
        _small(spec),
        _shape(spec, SHAPE.window_rows, SHAPE.n_features, SHAPE.n_outputs),
        task,
        data,
        FitSettings(epochs=epochs, batch_size=32, learning_rate=0.003),
        emit=events.append,
        stop_requested=lambda: False,
        checkpoints=None,
        seed=seed,
    )
    return trained, events


def test_the_catalogue_has_the_documented_keys_in_menu_order() -> None:
    assert [spec.key for spec in MODELS] == KEYS


def test_an_unknown_key_names_the_closest() -> None:
    with pytest.raises(SettingProblem, match=r"'lsmt'.*linear, ridge.*Did you mean 'lstm'"):
        model_by_key("lsmt")


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(SettingProblem, match="regression, classification, anomaly, rul, forecast"):
        models_for("forecasting")
    with pytest.raises(SettingProblem, match="Did you mean 'anomaly'"):
        baseline_for("anomal")


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_network_and_a_baseline_that_can_do_it(task: Task) -> None:
    keys = {spec.key for spec in models_for(task)}
    assert set(baseline_for(task)) <= keys
    assert any(spec.role == "network" for spec in models_for(task))
    assert all(model_by_key(key).role == "baseline" for key in baseline_for(task))


@pytest.mark.parametrize("spec", MODELS, ids=lambda s: s.key)
def test_every_field_has_title_help_and_a_default_within_its_bounds(spec) -> None:
    defaults = spec.settings()
    for name, field in spec.settings.model_fields.items():
        assert field.title and field.description, name
        low, high = field_bounds(field)
        value = getattr(defaults, name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert (low is None or value >= low) and (high is None or value <= high)


@pytest.mark.parametrize("spec", MODELS, ids=lambda s: s.key)
def test_an_estimate_is_positive_and_grows_with_the_data(spec) -> None:
    small = estimate(spec, spec.settings(), _shape(spec, 30, 10, 1), 1_000)
    large = estimate(spec, spec.settings(), _shape(spec, 30, 10, 1), 100_000)
    assert 0 < small.epoch_seconds < large.epoch_seconds
    assert 0 < small.memory_bytes < large.memory_bytes
    # What a shallow family keeps may grow with its rows; a network and a line are as large as they are.
    assert 0 < small.n_parameters <= large.n_parameters
    assert small.n_parameters == large.n_parameters or knows_its_cost(spec)


@pytest.mark.parametrize("spec", MODELS, ids=lambda s: s.key)
def test_ten_million_rows_of_twenty_columns_are_expected_to_fit(spec) -> None:
    # Networks stream their windows and shallow families take evenly spread rows: 2 GB is what such a training may take.
    assert estimate(spec, spec.settings(), _shape(spec, 30, 20, 1), 8_000_000, 256).memory_bytes < 3e9


@pytest.mark.parametrize(
    "module", sorted({type(spec).__module__ for spec in MODELS}) + ["core.training.fit", "core.training.export"]
)
def test_importing_a_family_is_possible_on_its_own(module: str) -> None:
    assert importlib.import_module(module)


def test_importing_the_catalogue_and_the_fit_loads_no_heavy_library() -> None:
    code = (
        "import sys, core.models, core.training.fit, core.training.export, core.training.presets, core.training.diagnosis\n"
        "print([m for m in ('tensorflow', 'keras', 'sklearn', 'scipy', 'onnx', 'lightgbm', 'tf2onnx', 'skl2onnx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("spec", NETWORKS, ids=lambda s: s.key)
@pytest.mark.parametrize("rows", ["smallest", 33])
def test_a_network_builds_with_the_counted_weights_and_the_promised_output(spec, rows) -> None:
    shape = _shape(spec, spec.smallest_rows if rows == "smallest" else rows, n_features=2, n_outputs=3)
    settings, task = _small(spec), spec.tasks[-1]
    model = spec.build(settings, shape, task)
    expected = (None, shape.window_rows, 2) if task == "anomaly" else (None, 3)
    assert model.output_shape == expected
    assert model.input_shape == (None, shape.window_rows, shape.n_features)
    assert model.count_params() == spec.count_parameters(settings, shape)
    told = network_layers(model)
    assert told["weights"] == sum(layer["weights"] for layer in told["layers"]) == model.count_params()
    names = [layer["name"] for layer in told["layers"]]
    assert all(set(layer["inputs"]) <= set(names) for layer in told["layers"])
    assert sum(not layer["inputs"] for layer in told["layers"]) == 1  # the window


@pytest.mark.slow
@pytest.mark.parametrize("spec", NETWORKS, ids=lambda s: s.key)
def test_default_settings_count_the_weights_that_keras_counts(spec) -> None:
    shape = _shape(spec, 30, 17, 1)
    assert spec.build(spec.settings(), shape, spec.tasks[0]).count_params() == spec.count_parameters(spec.settings(), shape)


@pytest.mark.slow
@pytest.mark.parametrize("spec", NETWORKS, ids=lambda s: s.key)
def test_two_epochs_lower_the_loss_and_both_files_of_the_model_give_the_same_output(spec, tmp_path: Path) -> None:
    import keras
    import onnxruntime

    from core.training.export import export_onnx

    trained, events = _fit(spec, epochs=2)
    losses = [record["loss"] for record in trained.history]
    assert losses[1] < losses[0]
    assert [e.values["epoch"] for e in events if e.kind == "epoch"] == [1, 2]

    export_onnx(trained.model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["windows"]
    assert len(session.get_outputs()) == 1
    windows = _for(spec, _synthetic(spec.tasks[0], 37, seed=2)).windows
    wanted = trained.model.predict_on_batch(windows)
    for count in (1, 37):
        given = session.run(None, {"windows": windows[:count]})[0]
        assert given.shape == wanted[:count].shape
        assert np.abs(given - wanted[:count]).max() <= 1e-5 * np.abs(wanted).max()
    trained.model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert np.array_equal(again.predict_on_batch(windows), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("spec", [model_by_key("dense"), model_by_key("lstm")], ids=lambda s: s.key)
def test_same_seed_gives_the_same_first_loss_and_another_seed_another(spec) -> None:
    first, second, other = _fit(spec, 1)[0], _fit(spec, 1)[0], _fit(spec, 1, seed=6)[0]
    assert first.history[0]["loss"] == second.history[0]["loss"]
    assert first.history[0]["loss"] != other.history[0]["loss"]


@pytest.mark.slow
def test_a_classification_network_gives_probabilities() -> None:
    spec = model_by_key("cnn")
    model = spec.build(_small(spec), Shape(6, 3, 3), "classification")
    given = model.predict_on_batch(_synthetic("anomaly", 10).windows)
    assert np.allclose(given.sum(axis=1), 1.0, atol=1e-6)
    assert (given >= 0).all()


@pytest.mark.parametrize("spec", BASELINES, ids=lambda s: s.key)
def test_a_baseline_fits_the_same_arrays_twice_and_leaves_its_inputs_alone(spec) -> None:
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(60, 4)) + 5
    targets = (inputs[:, 0] > 5).astype(np.float64) if "classification" in spec.tasks else inputs @ np.arange(4.0)
    before = inputs.copy()
    if is_table(spec):
        question = Question(spec.tasks[0])
        first, second = (spec.fit_table(inputs, targets, spec.settings(), 1, question) for _ in range(2))
    else:
        first, second = (spec.fit(inputs, targets, spec.settings(), seed=1) for _ in range(2))
    assert np.array_equal(inputs, before)
    assert first.kind == second.kind
    assert bool(first.arrays) != bool(first.onnx)
    assert first.onnx == second.onnx
    assert all(np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays)
    assert all(array.dtype == np.float64 for array in first.arrays.values())


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("spec", SEQUENCES, ids=lambda s: s.key)
def test_a_family_of_windows_fits_the_same_arrays_twice_and_leaves_its_windows_alone(spec, task: Task) -> None:
    shape = _shape(spec, spec.smallest_rows, n_features=3, n_outputs=3 if task == "classification" else 1)
    plain = np.random.default_rng(3).normal(size=(60, shape.window_rows, 3)).astype(np.float32)
    windows = _for(spec, ArraySource(plain)).windows
    targets = np.arange(60.0) % 2 if task == "classification" else plain[:, -1, 0].astype(np.float64)
    before = windows.copy()
    first, second = (spec.fit_windows(windows, targets, spec.settings(), shape, task, seed=1) for _ in range(2))
    assert np.array_equal(windows, before)
    assert first.kind == second.kind
    assert first.arrays.keys() == second.arrays.keys()
    assert all(np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays)
    assert all(array.dtype == np.float64 for array in first.arrays.values())
    assert first.arrays["weights"].shape[1] == shape.n_outputs, "a class without rows has its column too"
