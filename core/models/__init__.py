"""The catalogue of model families, in menu order: baselines first, then networks, then autoencoders."""

from __future__ import annotations

from typing import Any

from core.errors import unknown_choice
from core.models import (
    bag_of_words,
    bigru,
    bilstm,
    cnn,
    cnn_forecaster,
    cnn_lstm,
    combined,
    conv_autoencoder,
    copod,
    dense,
    dense_autoencoder,
    earlier,
    ecod,
    gradient_boosting,
    gru,
    isolation_forest,
    kmeans_distance,
    knn_distance,
    linear,
    lof,
    logistic,
    lstm,
    lstm_autoencoder,
    lstm_forecaster,
    matrix_profile,
    minirocket,
    nearest_neighbours,
    one_class_svm,
    pca,
    random_forest,
    resnet,
    ridge,
    rnn,
    svm,
    tabular,
    tcn,
    text_attention,
    text_gru,
    transformer,
    vae,
)
from core.models.estimate import estimate, estimate_forecast, is_table, knows_its_cost, reads_text
from core.models.spec import (
    TASKS,
    BaselineSpec,
    Estimate,
    FittedArrays,
    NetworkSpec,
    Question,
    SequenceSpec,
    Shape,
    TableSpec,
    Task,
)
from core.models.special import AUTO, AUTO_KEY, ENSEMBLE, ENSEMBLE_KEY
from core.models.window_statistics import statistic_names, window_statistics

ModelSpec = NetworkSpec | BaselineSpec | TableSpec | SequenceSpec

MODELS: tuple[ModelSpec, ...] = (
    earlier.LAST_VALUE,
    earlier.SEASON_AGO,
    linear.SPEC,
    ridge.SPEC,
    logistic.SPEC,
    random_forest.SPEC,
    gradient_boosting.SPEC,
    svm.SPEC,
    nearest_neighbours.SPEC,
    pca.SPEC,
    isolation_forest.SPEC,
    knn_distance.SPEC,
    kmeans_distance.SPEC,
    lof.SPEC,
    ecod.SPEC,
    copod.SPEC,
    one_class_svm.SPEC,
    matrix_profile.SPEC,
    combined.SPEC,
    minirocket.SPEC,
    dense.SPEC,
    tabular.SPEC,
    cnn.SPEC,
    lstm.SPEC,
    gru.SPEC,
    resnet.SPEC,
    tcn.SPEC,
    rnn.SPEC,
    bilstm.SPEC,
    bigru.SPEC,
    cnn_lstm.SPEC,
    transformer.SPEC,
    bag_of_words.SPEC,
    text_gru.SPEC,
    text_attention.SPEC,
    dense_autoencoder.SPEC,
    conv_autoencoder.SPEC,
    lstm_autoencoder.SPEC,
    vae.SPEC,
    lstm_forecaster.SPEC,
    cnn_forecaster.SPEC,
)
_BY_KEY: dict[str, ModelSpec] = {spec.key: spec for spec in MODELS}
if len(_BY_KEY) != len(MODELS):
    raise RuntimeError("Two model families have the same key.")

_SPECIAL: dict[str, Any] = {spec.key: spec for spec in (AUTO, ENSEMBLE)}

_BASELINES: dict[str, tuple[str, ...]] = {
    "regression": ("ridge",),
    "rul": ("ridge",),
    "classification": ("logistic",),
    "anomaly": ("pca_t2_spe", "isolation_forest"),
    "forecast": ("season_ago", "last_value"),
}


def model_by_key(key: str) -> ModelSpec:
    """The family with this key, or what stands under "auto" and "ensemble".

    Raises:
        SettingProblem: there is none; the error names the closest.
    """
    if key in _SPECIAL:
        found: ModelSpec = _SPECIAL[key]
        return found
    if key not in _BY_KEY:
        raise unknown_choice("model", key, _BY_KEY)
    return _BY_KEY[key]


def models_for(task: str) -> tuple[ModelSpec, ...]:
    """The families that can do a task, in menu order.

    Raises:
        SettingProblem: no such task.
    """
    if task not in TASKS:
        raise unknown_choice("task", task, TASKS)
    return tuple(spec for spec in MODELS if task in spec.tasks)


def baseline_for(task: str, *, has_text: bool = False) -> tuple[str, ...]:
    """Keys of the baselines that stand beside every network of a task, the first being the one that is compared.

    Where free text is read (`has_text`), the first reads it too: a network is not to win by what only it was shown.

    Raises:
        SettingProblem: no such task.
    """
    if task not in _BASELINES:
        raise unknown_choice("task", task, TASKS)
    texts = [spec.key for spec in MODELS if has_text and reads_text(spec) and spec.role == "baseline" and task in spec.tasks]
    return (*texts, *_BASELINES[task])


__all__ = [
    "AUTO_KEY",
    "ENSEMBLE_KEY",
    "MODELS",
    "BaselineSpec",
    "Estimate",
    "FittedArrays",
    "ModelSpec",
    "NetworkSpec",
    "Question",
    "SequenceSpec",
    "Shape",
    "TableSpec",
    "Task",
    "baseline_for",
    "estimate",
    "estimate_forecast",
    "is_table",
    "knows_its_cost",
    "model_by_key",
    "models_for",
    "reads_text",
    "statistic_names",
    "window_statistics",
]
