"""Anomaly detectors: server telemetry (SMD), the Numenta benchmark's single series (NAB), and tables of ADBench."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.accuracy.cells import DataSet, Figures, trained
from benchmarks.accuracy.nab_score import ScoredFile, nab_scores, probation
from core import workflows as wf
from core.data.split import TEST
from core.evaluation import binary_flag_metrics, event_recall, usual_period, vus_pr

SMD_TRAINING = {"2-1": 5923, "2-7": 564, "1-7": 737}
"""Training rows at the start of each machine's test file, as the published protocol names them (`tr` in its file names)."""
MODELS = (
    "auto",
    "pca_t2_spe",
    "isolation_forest",
    "knn_distance",
    "kmeans_distance",
    "lof",
    "ecod",
    "copod",
    "one_class_svm",
    "combined",
    "dense_autoencoder",
    "vae",
)
SERIES_MODELS = (*MODELS, "matrix_profile", "conv_autoencoder", "lstm_autoencoder", "lstm_forecaster", "cnn_forecaster")


def smd(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """Protocol A: the first rows of a machine's test file train without labels; the whole file is scored and judged."""
    path = folder / f"machine-{case}_test.csv.gz"
    split = {"method": "first", "first": SMD_TRAINING[case]}
    run = trained(ws, path, task="anomaly", target="label", model=model, split=split, seed=seed)
    scores = wf.open_results(ws, run.id).scores
    bad, score = scores["truth"].astype(float).to_numpy() > 0, scores["score"].to_numpy(dtype=np.float64)
    flag = scores["flag"].fillna(False).to_numpy(dtype=bool)
    first_sensor = pd.read_csv(path, usecols=[0]).iloc[:, 0]
    found = {m.key: m.value for m in binary_flag_metrics(bad, flag, n_boot=0)}
    return {
        "vus_pr": vus_pr(bad, score, widest=usual_period(first_sensor)).value or 0.0,
        "average_precision": float(average_precision_score(bad, score)),
        "roc_auc": float(roc_auc_score(bad, score)),
        "event_recall": event_recall(bad, flag).value or 0.0,
        "far": 100 * (found["far"] or 0.0),
    }


def adbench(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """Protocol 1: the first half of the normal rows train, in their order; the other half and all anomalies test."""
    stored = np.load(folder / f"{case}.npz", allow_pickle=False)
    bad = stored["y"].astype(int)
    normal = np.flatnonzero(bad == 0)
    parts = np.full(len(bad), "test")
    parts[normal[: len(normal) // 2]] = "train"
    path = ws.home / f"adbench-{case}.csv"
    if not path.exists():
        table = pd.DataFrame(stored["X"], columns=[f"x{i:02d}" for i in range(stored["X"].shape[1])])
        table.assign(label=bad, part=np.where(parts == "test", "test", "train")).to_csv(path, index=False)
    split = {"method": "column", "column": "part"}
    run = trained(ws, path, task="anomaly", target="label", ignore=("part",), model=model, split=split, seed=seed)
    scores = wf.open_results(ws, run.id).scores
    scores = scores[scores["part"] == TEST]
    return {f"auc_{case[3:]}": 100 * float(roc_auc_score(scores["truth"].astype(float) > 0, scores["score"]))}


def adbench_means(cells: Sequence[Figures]) -> Figures:
    """Each set's figure, and the mean over the sets where all are there."""
    found = {name: value for cell in cells for name, value in cell.items()}
    return {**found, "auc": float(np.mean(list(found.values())))} if len(found) == len(ADBENCH) else found


def nab(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """All files: each file's first 15 % (at most 750 rows) train without labels, then row after row is scored.

    The model stays as it is after the first part: it does not learn on, as most of the published detectors do. A score is
    divided by the file's own decision limit, so that one threshold fits all files, and reported when it is higher than
    all in a stretch before it that is as long as the first part, so that one event is one alarm: both look back only.
    """
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text())
    files = [_nab_file(ws, folder / "data" / f"{name}.gz", found, model, seed) for name, found in windows.items()]
    return {f"nab_{name}": value for name, value in nab_scores(files).items()}


def _nab_file(ws: wf.Workspace, path: Path, windows: list[list[str]], model: str, seed: int) -> ScoredFile:
    with gzip.open(path, "rt") as file:
        times = pd.to_datetime([row["timestamp"] for row in csv.DictReader(file)])
    places = tuple((int(times.get_loc(pd.Timestamp(a))), int(times.get_loc(pd.Timestamp(b)))) for a, b in windows)
    split = {"method": "first", "first": probation(len(times))}
    try:
        run = trained(ws, path, task="anomaly", time="timestamp", model=model, split=split, seed=seed)
    except RuntimeError as error:
        if "constant" not in str(error):
            raise
        return ScoredFile(np.zeros(len(times)), places)  # a flat line has nothing to learn from; nothing is reported
    results = wf.open_results(ws, run.id)
    limit = wf.resolve_bundle(ws, run.id).threshold.value
    score = np.nan_to_num(results.scores["score"].to_numpy(dtype=np.float64)) / max(limit, 1e-12)
    return ScoredFile(first_alarms(score, probation(len(times))), places)


def first_alarms(scores: NDArray[np.float64], n_before: int) -> NDArray[np.float64]:
    """A score where it is above the `n_before` scores before it, else 0."""
    padded = np.concatenate([np.full(n_before, -np.inf), scores])
    before = np.lib.stride_tricks.sliding_window_view(padded[:-1], n_before).max(axis=1)
    return np.where(scores > before, scores, 0.0)


ADBENCH = ("12_fault", "14_glass", "19_landsat", "23_mammography", "32_shuttle", "38_thyroid")
SETS = (
    DataSet(
        key="smd_dev",
        folder="smd_dev",
        title="SMD, three machines",
        protocol="TSB-AD-M: the first rows of a test file train, unlabelled; VUS-PR over the whole file with the period of the "
        "first sensor as the widest border, no threshold, no point adjustment. FAR in % and events caught at the run's own limit.",
        figures=("vus_pr", "average_precision", "roc_auc", "event_recall", "far"),
        models=SERIES_MODELS,
        published=(
            ("best method of each machine", {"vus_pr": 0.661}, "TSB-AD: TranAD .505, PCA .778, MCD .700"),
            ("PCA", {"vus_pr": 0.496}, "TSB-AD .253 / .778 / .458"),
            ("autoencoder", {"vus_pr": 0.376}, "TSB-AD .350 / .092 / .685"),
            ("CNN", {"vus_pr": 0.330}, "TSB-AD .335 / .518 / .138"),
            ("k-means", {"vus_pr": 0.324}, "TSB-AD .452 / .125 / .396"),
            ("isolation forest", {"vus_pr": 0.321}, "TSB-AD .209 / .517 / .237"),
            ("LSTM forecaster", {"vus_pr": 0.219}, "TSB-AD .366 / .171 / .120"),
        ),
        measure=smd,
        cases=tuple(SMD_TRAINING),
        seeds=(7,),
        digits={"far": 1},
    ),
    DataSet(
        key="adbench_dev",
        folder="adbench_dev",
        title="ADBench, six tables",
        protocol="The first half of the normal rows, unshuffled, train (a fifth of them held back for the decision limit), the others "
        "and all anomalies test; ROC AUC × 100. The published figures train on all of that half.",
        figures=("auc", *(f"auc_{name[3:]}" for name in ADBENCH)),
        models=MODELS,
        published=tuple(
            (who, dict(zip(("auc", *(f"auc_{name[3:]}" for name in ADBENCH)), values, strict=True)), "DTE, table 1")
            for who, values in {
                "nearest neighbours": (84.2, 58.73, 92.04, 68.25, 87.58, 99.91, 98.68),
                "DTE-NP": (83.8, 58.64, 89.64, 68.20, 87.62, 99.93, 98.63),
                "isolation forest": (80.4, 55.86, 81.09, 58.80, 88.02, 99.65, 98.96),
                "PCA": (76.8, 55.87, 73.44, 43.90, 89.93, 99.36, 98.55),
                "ECOD": (75.2, 50.37, 71.14, 42.01, 90.67, 99.33, 97.55),
                "VAE": (78.4, 55.87, 72.55, 54.22, 89.58, 99.35, 98.55),
            }.items()
        ),
        measure=adbench,
        cases=ADBENCH,
        seeds=(7,),
        summary=adbench_means,
        digits={"auc": 1, **{f"auc_{name[3:]}": 1 for name in ADBENCH}},
    ),
    DataSet(
        key="nab",
        folder="nab",
        title="NAB, 58 series",
        protocol="The first 15 % of a file, at most 750 rows, train, unlabelled; the rest is scored row by row, looking back only, by a "
        "model that does not learn on. A row is reported when its score is above all in a stretch of that length before it. NAB score.",
        figures=("nab_standard", "nab_low_fp", "nab_low_fn"),
        models=("auto", "pca_t2_spe", "knn_distance", "combined", "matrix_profile", "isolation_forest"),
        published=tuple(
            (who, dict(zip(("nab_standard", "nab_low_fp", "nab_low_fn"), values, strict=True)), "NAB")
            for who, values in {
                "ARTime": (74.9, 65.2, 80.4),
                "Numenta HTM": (70.1, 63.1, 74.3),
                "KNN-CAD": (58.0, 43.4, 64.8),
                "random cut forest": (51.7, 38.4, 59.7),
                "windowed Gaussian": (39.6, 20.9, 47.4),
            }.items()
        ),
        measure=nab,
        seeds=(7,),
        digits={"nab_standard": 1, "nab_low_fp": 1, "nab_low_fn": 1},
    ),
)
