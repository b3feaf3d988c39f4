"""Tables: steel plates, AI4I, CWRU features, the four UCI regressions with their twenty splits, energy use of a steel works."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, mean_squared_error, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

from benchmarks.accuracy.cells import DataSet, Figures, minutes, trained
from core import workflows as wf
from core.data.split import TEST

CLASS_MODELS = ("auto", "logistic", "gradient_boosting", "random_forest", "svm", "dense", "tabular")
VALUE_MODELS = ("auto", "ridge", "gradient_boosting", "random_forest", "svm", "dense", "tabular")


def _with_parts(ws: wf.Workspace, frame: pd.DataFrame, parts: np.ndarray, name: str) -> Path:
    """The table with a column `part`, as a file of its own in the store's folder."""
    path = ws.home / f"{name}.csv"
    if not path.exists():
        frame.assign(part=parts).to_csv(path, index=False)
    return path


def _test_scores(ws: wf.Workspace, run: wf.Run) -> pd.DataFrame:
    scores = wf.open_results(ws, run.id).scores
    return scores[scores["part"] == TEST]


def _classes(scores: pd.DataFrame) -> Figures:
    true, called = scores["truth"].astype(str), scores["prediction"].astype(str)
    return {"accuracy": accuracy_score(true, called), "macro_f1": f1_score(true, called, average="macro")}


def steel_plates(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    split = {"method": "random", "validation_fraction": 0.16, "test_fraction": 0.2}
    run = trained(
        ws, folder / "steel_plates_faults.csv", task="classification", target="fault", model=model, split=split, seed=seed
    )
    return _classes(_test_scores(ws, run))


def ai4i(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """One of five stratified folds; without the columns that give the answer away and the two ids."""
    frame = pd.read_csv(folder / "ai4i2020.csv", encoding="utf-8-sig")
    target = "Machine failure"
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(frame, frame[target])
    test = [rows for _, rows in folds][int(case)]
    parts = np.where(np.isin(np.arange(len(frame)), test), "test", "train")
    kept = frame.drop(columns=["UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"])
    path = _with_parts(ws, kept, parts, f"ai4i-fold-{case}")
    split = {"method": "column", "column": "part"}
    run = trained(ws, path, task="classification", target=target, ignore=("part",), model=model, split=split, seed=seed)
    scores = _test_scores(ws, run)
    true = scores["truth"].astype(float).to_numpy() > 0
    chance = scores[[c for c in scores if c.startswith("probability_1")][0]].to_numpy()
    called = scores["prediction"].astype(float).to_numpy() > 0
    return {
        "macro_f1": f1_score(true, called, average="macro"),
        "f1": f1_score(true, called),
        "auc": roc_auc_score(true, chance),
        "average_precision": average_precision_score(true, chance),
    }


def cwru(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    frame = pd.read_csv(folder / f"{case}.csv")
    _, test = train_test_split(np.arange(len(frame)), test_size=750, stratify=frame["fault"], random_state=1234)
    parts = np.where(np.isin(np.arange(len(frame)), test), "test", "train")
    path = _with_parts(ws, frame, parts, f"cwru-{case}")
    split = {"method": "column", "column": "part"}
    run = trained(ws, path, task="classification", target="fault", ignore=("part",), model=model, split=split, seed=seed)
    return _classes(_test_scores(ws, run))


def uci(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """One of the twenty given splits of one of the four sets: "concrete-3"."""
    name, _, number = case.rpartition("-")
    frame = pd.read_csv(folder / f"{name}.csv")
    with gzip.open(folder / f"{name}_splits20.csv.gz") as file:
        splits = pd.read_csv(io.BytesIO(file.read()))
    path = _with_parts(ws, frame, splits[f"split{number}"].to_numpy(), f"uci-{case}")
    split = {"method": "column", "column": "part"}
    target = str(frame.columns[-1])
    asked = {"target": target, "ignore": ("part",), "split": split, "budget_minutes": minutes(0.4)}
    run = trained(ws, path, task="regression", model=model, seed=seed, **asked)
    return {"rmse": _rmse(_test_scores(ws, run))}


def steel_energy(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """At random as the peers do, and by time as a plant would."""
    split = {"method": case, "test_fraction": 0.2}
    run = trained(
        ws,
        folder / "Steel_industry_data.csv",
        task="regression",
        target="Usage_kWh",
        time="date",
        model=model,
        split=split,
        seed=seed,
    )
    return {f"rmse_{case}": _rmse(_test_scores(ws, run))}


def _rmse(scores: pd.DataFrame) -> float:
    return float(np.sqrt(mean_squared_error(scores["truth"], scores["prediction"])))


def _uci_set(name: str, published: dict[str, float]) -> DataSet:
    return DataSet(
        key=f"uci-{name}",
        folder="uci_regression_dev",
        title=f"UCI {name}",
        protocol="The twenty given 90/10 splits, each once; RMSE on the test rows.",
        figures=("rmse",),
        models=("auto", "ridge", "gradient_boosting"),
        published=tuple((who, {"rmse": value}, "SOURCE.md") for who, value in published.items()),
        measure=uci,
        cases=tuple(f"{name}-{i}" for i in range(20)),
        seeds=(7,),
    )


SETS = (
    DataSet(
        key="steel_plates",
        folder="steel_plates",
        title="Steel plates faults",
        protocol="A random, stratified 64/16/20 split a seed; seven classes; accuracy and macro-F1 on the test rows.",
        figures=("accuracy", "macro_f1"),
        models=CLASS_MODELS,
        published=tuple(
            (who, {"accuracy": value}, "TALENT")
            for who, value in {
                "XGBoost": 0.7971,
                "CatBoost": 0.7911,
                "RealMLP": 0.7753,
                "MLP": 0.7517,
                "LogReg": 0.7429,
            }.items()
        ),
        measure=steel_plates,
    ),
    DataSet(
        key="ai4i2020",
        folder="ai4i2020",
        title="AI4I 2020",
        protocol="Five stratified folds without the columns that define the label; figures of the test fold.",
        figures=("macro_f1", "f1", "auc", "average_precision"),
        models=CLASS_MODELS,
        published=(
            ("XGBoost", {"macro_f1": 0.895}, "J. Fuzzy Systems & Control 4(1), 2026"),
            ("CatBoost + SMOTE-ENN", {"f1": 0.69, "auc": 0.98}, "ijsrtjournal"),
        ),
        measure=ai4i,
        cases=("0", "1", "2", "3", "4"),
        seeds=(7,),
    ),
    DataSet(
        key="cwru-time",
        folder="cwru_features",
        title="CWRU bearing, time features",
        protocol="750 stratified test segments (random state 1234); ten classes. Segments of one bearing lie in both parts.",
        figures=("accuracy", "macro_f1"),
        models=CLASS_MODELS,
        published=(("SVM", {"accuracy": 0.965}, "cbm_codes_open"),),
        measure=cwru,
        cases=("feature_time_48k_2048_load_1",),
    ),
    DataSet(
        key="cwru-wavelet",
        folder="cwru_features",
        title="CWRU bearing, wavelet energies",
        protocol="As above.",
        figures=("accuracy", "macro_f1"),
        models=CLASS_MODELS,
        published=(
            ("SVM", {"accuracy": 0.993}, "cbm_codes_open"),
            ("boosting", {"accuracy": 0.99}, "cbm_codes_open"),
            ("logistic regression", {"accuracy": 0.985}, "cbm_codes_open"),
        ),
        measure=cwru,
        cases=("feature_wav_energy8_48k_2048_load_1",),
    ),
    _uci_set("concrete", {"MC dropout": 4.83, "histogram boosting": 4.42, "standard dropout net": 5.45}),
    _uci_set("power-plant", {"MC dropout": 4.01, "histogram boosting": 3.41, "standard dropout net": 4.18}),
    _uci_set("wine-quality-red", {"MC dropout": 0.62, "histogram boosting": 0.587, "standard dropout net": 0.66}),
    _uci_set("energy", {"MC dropout": 0.54, "histogram boosting": 0.549, "standard dropout net": 0.97}),
    DataSet(
        key="steel_energy",
        folder="steel_energy",
        title="Steel works, energy use",
        protocol="RMSE in kWh on a random fifth, as the peers do, and on the last fifth in time, as a plant would. CO2 and reactive "
        "power follow from the target.",
        figures=("rmse_random", "rmse_time"),
        models=VALUE_MODELS,
        published=tuple(
            (who, {"rmse_random": value}, "TALENT")
            for who, value in {
                "TabR": 0.315,
                "FT-T": 0.509,
                "CatBoost": 0.760,
                "MLP": 0.795,
                "random forest": 1.361,
                "linear": 4.82,
            }.items()
        ),
        measure=steel_energy,
        cases=("random", "time"),
    ),
)
