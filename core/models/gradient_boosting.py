"""Gradient boosting with LightGBM: each small tree corrects what the trees before it left over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.models.estimate import FORECAST_ROWS
from core.models.folds import last_fold, random_folds
from core.models.openmp import load_lightgbm
from core.models.spec import Engine, Estimate, FittedArrays, Question, Role, Shape, Task
from core.models.tables import (
    balanced_weights,
    class_codes,
    class_count,
    n_statistics,
    require_rows,
    thinned_note,
    thinned_rows,
    values_of,
)
from core.models.tree_ensemble import Nodes, Step, ensemble_model, joined, leaf_weights, rounded_cuts, tree_nodes
from core.settings import Settings, setting

SMALLEST = 20
THREADS = 1  # with two, threads that wait for each other took ten times as long on a machine that does other work
TEXT_FILE = "model.txt"
CELLS_A_SECOND = 4e7
ROUND_STEPS = 3  # of these the number of rounds is found, in between it is drawn as a straight line


class GradientBoostingSettings(Settings):
    """Size, number and step of the trees."""

    rounds: int = setting(
        1000, title="Rounds", help="Trees (for each class) at most; the fit stops earlier by itself.", ge=1, le=20_000
    )
    learning_rate: float = setting(0.05, title="Learning rate", help="How much of each tree's correction is taken.", gt=0, le=1)
    leaves: int = setting(
        31, title="Leaves", help="Leaves of one tree, at most; more follow finer combinations.", ge=2, le=1024
    )
    leaf_rows: int = setting(
        20, title="Rows in a leaf", help="A tree makes no cut that leaves fewer training rows.", unit="rows", ge=1, le=10_000
    )
    row_share: float = setting(0.8, title="Share of rows", help="Training rows drawn for each tree.", gt=0, le=1)
    column_share: float = setting(0.8, title="Share of columns", help="Columns drawn for each tree.", gt=0, le=1)
    shrinkage: float = setting(1.0, title="Shrinkage", help="Penalty on the squared values of the leaves.", ge=0, le=1e6)
    patience: int = setting(
        50, title="Patience", help="Rounds without improvement on the rows held back before the fit stops.", ge=1, le=10_000
    )
    class_weights: bool = setting(False, title="Class weights", help="Let rare classes count as much as common ones.")


@dataclass(frozen=True, slots=True)
class GradientBoosting:
    """LightGBM on float32 values; replayed as ONNX, kept beside it in LightGBM's own text.

    The number of rounds is found on the last fifth of the training part (the latest rows, whole groups, or rows at
    random, as the split has them); then all training rows are fitted with that many.
    """

    key: str = "gradient_boosting"
    title: Message = msg("Gradient boosting")
    summary: Message = msg(
        "Often the best on tables: small trees, each correcting the ones before; finds by itself when to stop."
    )
    source: str = "Friedman (2001), Annals of Statistics 29(5); Ke et al. (2017), NeurIPS (LightGBM)"
    role: Role = "baseline"
    engine: Engine = "onnx"
    tasks: tuple[Task, ...] = ("regression", "classification", "rul", "forecast")
    windowed: bool = False
    settings: type[Settings] = GradientBoostingSettings
    smallest_rows: int = 1

    def fit_table(
        self,
        inputs: NDArray[np.float64],
        targets: NDArray[np.float64] | None,
        settings: GradientBoostingSettings,
        seed: int,
        question: Question,
    ) -> FittedArrays:
        """ONNX bytes for inputs (n, d), NaN allowed, and targets (n,), n ≥ 20: "windows" → "score" (n, 1) or (n, k).

        Raises:
            NotEnoughData: fewer than 20 rows, or one class only.
            TrainingProblem: LightGBM cannot be loaded on this machine.
        """
        require_rows(inputs, SMALLEST, self.title)
        if question.task == "forecast":
            return self._fit_steps(
                inputs, np.asarray(targets, dtype=np.float64).reshape(len(inputs), -1), settings, seed, question
            )
        wanted: NDArray[Any] = class_codes(targets) if question.is_classes else values_of(targets)
        n_outputs = class_count(wanted, question.n_classes) if question.is_classes else 1
        weights = balanced_weights(wanted) if question.is_classes and settings.class_weights else None
        values = inputs.astype(np.float32).astype(np.float64)
        parameters = _parameters(settings, seed, len(values), n_outputs)
        folds = question.folds
        if folds is None or len(np.unique(folds)) < 2:
            folds = random_folds(len(values), seed, wanted if question.is_classes else None)
        rounds = _rounds(parameters, settings, values, wanted, weights, last_fold(folds))
        booster = _boosted(parameters, rounds, values, wanted, weights)
        return FittedArrays(
            "onnx",
            {},
            booster_as_onnx(booster, values.shape[1], n_outputs),
            files={TEXT_FILE: booster.model_to_string().encode()},
            facts={"rounds": rounds},
        )

    def _fit_steps(
        self,
        inputs: NDArray[np.float64],
        targets: NDArray[np.float64],
        settings: GradientBoostingSettings,
        seed: int,
        question: Question,
    ) -> FittedArrays:
        """One booster for each of the (n, h) columns of targets, all in one ONNX: "windows" (n, d) → "score" (n, h)."""
        taken = thinned_rows(len(inputs), FORECAST_ROWS)
        values, wanted = inputs[taken].astype(np.float32).astype(np.float64), targets[taken]
        parameters = _parameters(settings, seed, len(values), 1)
        folds = question.folds
        held = last_fold(folds[taken] if folds is not None and len(np.unique(folds)) > 1 else random_folds(len(values), seed))
        n_steps = wanted.shape[1]
        tried = np.unique(np.linspace(0, n_steps - 1, ROUND_STEPS).astype(np.int64))
        found = [_rounds(parameters, settings, values, wanted[:, step], None, held) for step in tried]
        rounds = np.interp(np.arange(n_steps), tried, found).round().astype(int)
        boosters = [_boosted(parameters, int(rounds[i]), values, wanted[:, i], None) for i in range(n_steps)]
        trees = [(info, step) for step, booster in enumerate(boosters) for info in booster.dump_model()["tree_info"]]
        nodes = [_tree({**info, "tree_index": i}, step) for i, (info, step) in enumerate(trees)]
        onnx = ensemble_model(nodes, values.shape[1], n_steps, is_mean=False)
        notes = thinned_note(self.title, len(taken), len(inputs))
        return FittedArrays("onnx", {}, onnx, notes=notes, facts={"rounds": int(rounds.max())})

    def fit_estimate(self, settings: GradientBoostingSettings, shape: Shape, n_windows: int) -> Estimate:
        """Leaves of all rounds; time as if half of the rounds were needed, twice: to find their number, and to fit."""
        columns = n_statistics(shape)
        leaves = settings.rounds * min(settings.leaves, max(2, n_windows // settings.leaf_rows)) * max(1, shape.n_outputs)
        seconds = 0.5 + settings.rounds * max(1, shape.n_outputs) * (0.001 + n_windows * columns / CELLS_A_SECOND / 4)
        return Estimate(leaves, 200 * 2**20 + 25 * n_windows * columns + 600 * leaves, seconds)


def _parameters(settings: GradientBoostingSettings, seed: int, n: int, n_outputs: int) -> dict[str, Any]:
    """LightGBM's parameters. In a small table a leaf may have a tenth of the rows, else there would be no cut at all."""
    objective = {1: "regression", 2: "binary"}.get(n_outputs, "multiclass")
    return {
        "objective": objective,
        **({"num_class": n_outputs} if objective == "multiclass" else {}),
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": max(1, min(settings.leaf_rows, n // 10)),
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1 if settings.row_share < 1 else 0,
        "feature_fraction": settings.column_share,
        "lambda_l2": settings.shrinkage,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": THREADS,
        "feature_pre_filter": False,
        "verbosity": -1,
    }


def _boosted(
    parameters: dict[str, Any],
    rounds: int,
    values: NDArray[np.float64],
    wanted: NDArray[Any],
    weights: NDArray[np.float64] | None,
) -> Any:
    library = load_lightgbm()
    return library.train(parameters, library.Dataset(values, wanted, weight=weights), num_boost_round=rounds)


def _rounds(
    parameters: dict[str, Any],
    settings: GradientBoostingSettings,
    values: NDArray[np.float64],
    wanted: NDArray[Any],
    weights: NDArray[np.float64] | None,
    held: NDArray[np.bool_],
) -> int:
    """The number of rounds with the smallest loss on the rows held back, at least one."""
    library = load_lightgbm()
    parts = [
        library.Dataset(values[rows], wanted[rows], weight=None if weights is None else weights[rows]) for rows in (~held, held)
    ]
    stop = library.early_stopping(settings.patience, verbose=False)
    booster = library.train(parameters, parts[0], settings.rounds, valid_sets=[parts[1]], callbacks=[stop])
    return max(1, booster.best_iteration)


def booster_as_onnx(booster: Any, n_features: int, n_outputs: int) -> bytes:
    """A LightGBM model on float32 values as ONNX: value (n, 1), or probabilities (n, k) for k ≥ 2.

    Two classes are one sum and its sigmoid; more are one sum a class and their softmax.
    """
    n_sums = n_outputs if n_outputs > 2 else 1
    trees = [_tree(info, i % n_sums) for i, info in enumerate(booster.dump_model()["tree_info"])]
    steps: list[Step] = []
    constants: dict[str, float] = {}
    if n_outputs == 2:
        steps = [
            Step("Sigmoid", ("sum",), "second"),
            Step("Sub", ("one", "second"), "first"),
            Step("Concat", ("first", "second"), "score", {"axis": 1}),
        ]
        constants = {"one": 1.0}
    elif n_outputs > 2:
        steps = [Step("Softmax", ("sum",), "score", {"axis": 1})]
    return ensemble_model(trees, n_features, n_sums, is_mean=False, steps=steps, constants=constants, n_outputs=n_outputs)


def _tree(info: dict[str, Any], target: int) -> Nodes:
    """One tree of `dump_model()`. An empty cell goes where LightGBM sends it: its default side, or where a zero goes."""
    waiting = [info["tree_structure"]]
    rows: list[tuple[bool, int, float, int, int, int]] = []
    leaves: list[tuple[int, float]] = []
    n_nodes = 1
    while waiting:  # breadth first: children are numbered when their parent is met, and met in that order
        node, number = waiting.pop(0), len(rows)
        if "split_feature" not in node:
            rows.append((True, 0, 0.0, 0, 0, 0))
            leaves.append((number, node["leaf_value"]))
            continue
        empty = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        rows.append((False, node["split_feature"], node["threshold"], n_nodes, n_nodes + 1, int(empty)))
        n_nodes += 2
        waiting += [node["left_child"], node["right_child"]]
    is_leaf, features, cuts, yes, no, empty_yes = (np.array(column) for column in zip(*rows, strict=True))
    number = int(info["tree_index"])
    nodes = tree_nodes(number, is_leaf, features, rounded_cuts(cuts.astype(np.float64)), yes, no)
    places, values = (np.array(column) for column in zip(*leaves, strict=True))
    ends = leaf_weights(number, places, np.full(len(places), target), values.astype(np.float64))
    return joined({**nodes, "nodes_missing_value_tracks_true": empty_yes}, ends)


SPEC = GradientBoosting()
