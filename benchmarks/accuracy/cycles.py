"""Cycles of a machine as windows: four diagnoses of a hydraulic test rig, each from sixty seconds of eight sensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.accuracy.cells import DataSet, Figures, trained
from core import workflows as wf
from core.data.split import TEST

SENSORS = ("CE", "CP", "SE", "TS1", "TS2", "TS3", "TS4", "VS1")
SECONDS, FOLDS, BLOCK = 60, 5, 45
TARGETS = {
    "cooler": "cooler_condition",
    "valve": "valve_condition",
    "pump": "pump_leakage",
    "accumulator": "accumulator_bar",
    "stable": "stable_flag",
}


def hydraulic(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """One diagnosis, one fold: "valve-random-0" or "valve-block-0". The label stands on the last second of a cycle, so that there
    is one window a cycle, and it is the whole of it."""
    name, split, fold = case.split("-")
    path = ws.home / f"hydraulic-{case}.csv"
    if not path.exists():
        _table(folder, TARGETS[name], split, int(fold)).to_csv(path, index=False)
    run = trained(
        ws,
        path,
        task="classification",
        target="condition",
        group="cycle",
        time="second",
        ignore=("part",),
        model=model,
        options={"window": SECONDS},
        split={"method": "column", "column": "part"},
        seed=seed,
    )
    scores = wf.open_results(ws, run.id).scores
    scores = scores[(scores["part"] == TEST) & scores["truth"].notna()]
    true, called = scores["truth"].astype(str), scores["prediction"].astype(str)
    return {f"{name}_{split}": accuracy_score(true, called), f"f1_{split}": f1_score(true, called, average="macro")}


def _table(folder: Path, target: str, split: str, fold: int) -> pd.DataFrame:
    """A row a second of each cycle, with its part and, on the last second, the condition as a word."""
    profile = pd.read_csv(folder / "profile.csv")
    n = len(profile)
    columns = {s: pd.read_csv(folder / f"{s}.csv.gz").drop(columns="cycle").to_numpy().ravel() for s in SENSORS}
    condition = np.full((n, SECONDS), None, dtype=object)
    condition[:, -1] = [f"{target} {value}" for value in profile[target]]
    test = _test_cycles(profile[target].to_numpy(), split, fold)
    return pd.DataFrame(
        {
            "cycle": np.repeat([f"C{c:04d}" for c in profile["cycle"]], SECONDS),
            "second": np.tile(np.arange(SECONDS), n),
            **columns,
            "part": np.repeat(np.where(test, "test", "train"), SECONDS),
            "condition": condition.ravel(),
        }
    )


def _test_cycles(labels: np.ndarray, split: str, fold: int) -> np.ndarray:
    """The cycles of a fold: stratified and shuffled, or whole blocks of 45 neighbours dealt to the folds."""
    if split == "random":
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels)
        return np.isin(np.arange(len(labels)), [rows for _, rows in folds][fold])
    block = np.arange(len(labels)) // BLOCK
    dealt = np.random.default_rng(0).permutation(int(block.max()) + 1) % FOLDS
    return dealt[block] == fold


def by_split(cells: Sequence[Figures]) -> Figures:
    """The mean accuracy of each diagnosis over its folds."""
    names = {name for cell in cells for name in cell if not name.startswith("f1_")}
    return {name: float(np.mean([cell[name] for cell in cells if name in cell])) for name in names}


SETS = (
    DataSet(
        key="hydraulic_1hz",
        folder="hydraulic_1hz",
        title="Hydraulic test rig, 1 Hz sensors",
        protocol="Accuracy of each diagnosis from the 60 seconds of a cycle, eight sensors; five stratified folds of cycles at random, as the "
        "peers do, and five folds of whole blocks of 45 neighbouring cycles, whose conditions the others may not show.",
        figures=tuple(f"{target}_{split}" for split in ("random", "block") for target in TARGETS),
        models=("auto", "random_forest", "gradient_boosting", "minirocket", "cnn", "lstm"),
        published=(
            (
                "random forest on 1 Hz features",
                {
                    "cooler_random": 0.999,
                    "valve_random": 0.905,
                    "pump_random": 0.997,
                    "accumulator_random": 0.970,
                    "stable_random": 0.975,
                },
                "SOURCE.md, random folds",
            ),
            ("MiniRocket + logistic, all 17 sensors", {"stable_random": 0.975}, "Gonzo, 80/20"),
        ),
        measure=hydraulic,
        cases=tuple(f"{t}-{s}-{f}" for f in range(FOLDS) for s in ("random", "block") for t in TARGETS),
        seeds=(7,),
        summary=by_split,
    ),
)
