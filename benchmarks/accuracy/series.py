"""Series: remaining life of turbofan engines, and anomalies of a water-pump test bed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.cells import DataSet, Figures, minutes, trained
from core import workflows as wf
from core.data.split import TEST


def cmapss(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """The last cycle of each test engine, with the usual time for a training."""
    return _last_cycles(ws, folder, model, seed, minutes(5.0))


def cmapss_minutes(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """The same with as many minutes as the case says, all told: what is reached in how much time."""
    return {f"rmse_{case}_min": _last_cycles(ws, folder, model, seed, float(case))["rmse"]}


def _last_cycles(ws: wf.Workspace, folder: Path, model: str, seed: int, budget_minutes: float) -> Figures:
    """Trained on the training engines, judged on the last cycle of the 100 test engines, whose life is not capped.

    The test engines are in a file of their own, so that none of the training engines is held back as a test part.
    """
    run = trained(
        ws,
        folder / "train_FD001.csv.gz",
        task="rul",
        group="unit",
        time="cycle",
        model=model,
        options={"cap": 125.0},
        budget_minutes=budget_minutes,
        split={"method": "group", "test_fraction": 0.0},
        seed=seed,
    )
    out = ws.home / "scores.csv"
    wf.score_file(wf.resolve_bundle(ws, run.id), folder / "test_FD001.csv.gz", out)
    found = {m.key: m.value for m in wf.evaluate_file(out, folder / "RUL_FD001.csv", "RUL")}
    return {key: float(value) for key, value in found.items() if value is not None}


def skab(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """Counts of one run: the first 400 rows train, the rest is judged."""
    run = trained(
        ws,
        folder / case,
        task="anomaly",
        target="anomaly",
        time="datetime",
        ignore=("changepoint",),
        model=model,
        split={"method": "first", "first": 400},
        seed=seed,
    )
    scores = wf.open_results(ws, run.id).scores
    scores = scores[scores["part"] == TEST]
    true, flag = scores["truth"].astype(float).to_numpy() > 0, scores["flag"].fillna(False).to_numpy(dtype=bool)
    return {
        "tp": float((true & flag).sum()),
        "fp": float((~true & flag).sum()),
        "fn": float((true & ~flag).sum()),
        "tn": float((~true & ~flag).sum()),
    }


def pooled(cells: Sequence[Figures]) -> Figures:
    """F1, false-alarm rate and missing-alarm rate over the rows of all files."""
    tp, fp, fn, tn = (sum(c[name] for c in cells) for name in ("tp", "fp", "fn", "tn"))
    return {
        "f1": 2 * tp / max(1.0, 2 * tp + fp + fn),
        "far": 100 * fp / max(1.0, fp + tn),
        "mar": 100 * fn / max(1.0, fn + tp),
        "files": float(len(cells)),
    }


_SKAB_NUMBERS = {"valve1": range(16), "valve2": range(4), "other": range(1, 15)}
SKAB_FILES = tuple(f"{group}/{n}.csv" for group, numbers in _SKAB_NUMBERS.items() for n in numbers)
SETS = (
    DataSet(
        key="cmapss_fd001",
        folder="cmapss_fd001",
        title="C-MAPSS FD001",
        protocol="Trained on the training engines with life capped at 125; the last cycle of each test engine, not capped.",
        figures=("rmse", "phm08"),
        models=(
            "auto",
            "ridge",
            "gradient_boosting",
            "random_forest",
            "lstm",
            "gru",
            "cnn",
            "tcn",
            "transformer",
            "minirocket",
        ),
        published=(
            ("GRU + attention", {"rmse": 14.21, "phm08": 300}, "rul_codes_open, last window"),
            ("LSTM", {"rmse": 15.13, "phm08": 448}, "rul_codes_open, last window"),
            ("CNN", {"rmse": 16.29, "phm08": 460}, "rul_codes_open, last window"),
            ("MTSTAN", {"rmse": 10.97, "phm08": 175}, "literature table of FFVE"),
        ),
        measure=cmapss,
        digits={"rmse": 2, "phm08": 0},
    ),
    DataSet(
        key="cmapss_minutes",
        folder="cmapss_fd001",
        title="C-MAPSS FD001, RMSE by minutes given",
        protocol="As above, with the time budget of a training set to 1, 2 and 5 minutes; one seed.",
        figures=("rmse_1_min", "rmse_2_min", "rmse_5_min"),
        models=("auto", "gradient_boosting", "lstm", "cnn"),
        published=(),
        measure=cmapss_minutes,
        cases=("1", "2", "5"),
        seeds=(7,),
        digits=dict.fromkeys(("rmse_1_min", "rmse_2_min", "rmse_5_min"), 2),
    ),
    DataSet(
        key="skab",
        folder="skab",
        title="SKAB",
        protocol="34 runs, the first 400 rows of each train; figures pooled over the other rows of all runs, never point-adjusted.",
        figures=("f1", "far", "mar"),
        models=("auto", "pca_t2_spe", "isolation_forest", "conv_autoencoder", "lstm_autoencoder"),
        published=(
            ("Conv-AE", {"f1": 0.78, "far": 13.6, "mar": 28.0}, "SKAB"),
            ("T2 + Q", {"f1": 0.76}, "SKAB"),
            ("LSTM-AE", {"f1": 0.74}, "SKAB"),
            ("isolation forest", {"f1": 0.29}, "SKAB"),
        ),
        measure=skab,
        cases=SKAB_FILES,
        seeds=(7,),
        summary=pooled,
        digits={"far": 1, "mar": 1},
    ),
)
