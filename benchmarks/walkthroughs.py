"""The walkthroughs of docs/walkthroughs.md on real data, measured: `python -m benchmarks.walkthroughs [skab|ai4i|cmapss|judging]`.

Everything goes through `core.workflows`, as the pages and the command line do. SKAB: one model a run (file), the first
400 rows train, figures pooled over the test rows of all 34 files, never point-adjusted.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.cells import trained
from core import cli
from core import workflows as wf
from core.data.split import TEST, SplitSettings
from core.evaluation import Metric, binary_flag_metrics
from core.jobs import Supervisor

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def main(arguments: Sequence[str]) -> int:
    """Run the walkthroughs named, or all."""
    chosen = {"skab": skab, "ai4i": ai4i, "cmapss": cmapss, "judging": judging}
    if not DATA.is_dir():
        print("The real data sets (../shared/data) are not on this machine.")
        return 2
    with tempfile.TemporaryDirectory(prefix="andon-walk-") as folder:
        ws = wf.open_workspace(Path(folder))
        supervisor = Supervisor(ws.store)
        supervisor.start()
        try:
            for name in arguments or chosen:
                began = time.monotonic()
                print(f"## {name}")
                chosen[name](ws)
                print(f"{time.monotonic() - began:.0f} s\n", flush=True)
        finally:
            supervisor.stop()
    return 0


def skab(ws: wf.Workspace) -> None:
    """Pooled F1, FAR and MAR of the default anomaly model and of both baselines."""
    pooled: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for path in sorted((DATA / "skab").glob("*/[0-9]*.csv")):
        run = trained(
            ws,
            path,
            task="anomaly",
            target="anomaly",
            time="datetime",
            ignore=("changepoint",),
            split=SplitSettings(method="first", first=400).model_dump(),
        )
        results = wf.open_results(ws, run.id)
        tables = {run.model: results.scores, run.baseline: results.baseline_scores}
        for key in run.other_baselines:
            tables[key] = pd.read_parquet(results.folder / f"{key}_scores.parquet")
        rows = results.scores["part"].to_numpy() == TEST
        truth = results.scores["truth"].to_numpy()[rows].astype(float) > 0
        for key, table in tables.items():
            pooled.setdefault(key, []).append((truth, table["flag"].to_numpy()[rows]))
        print(
            f"{path.parent.name}/{path.name}: f1 {run.metrics['f1'].value}, far {run.metrics['far'].value}",
            file=sys.stderr,
            flush=True,
        )
    for key, pairs in pooled.items():
        truth, flags = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        show(key, binary_flag_metrics(truth, flags, n_boot=0), f"{len(truth)} rows of {len(pairs)} files")


def failures(ws: wf.Workspace, model: str) -> wf.Run:
    """A classification of AI4I without the columns that give the answer away."""
    return trained(
        ws,
        DATA / "ai4i2020" / "ai4i2020.csv",
        task="classification",
        target="Machine failure",
        model=model,
        ignore=("UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"),
    )


def ai4i(ws: wf.Workspace) -> None:
    """The default classification."""
    run = failures(ws, "dense")
    show(run.model, run.metrics.values())
    show(run.baseline, run.baseline_metrics.values())


def cmapss(ws: wf.Workspace) -> None:
    """FD001: trained on the training engines, judged on the last cycle of the test engines, life not capped there."""
    folder = DATA / "cmapss_fd001"
    for model in ("lstm", "ridge"):
        run = trained(
            ws, folder / "train_FD001.csv.gz", task="rul", group="unit", time="cycle", model=model, options={"cap": 125.0}
        )
        out = ws.home / "scores.csv"
        wf.score_file(wf.resolve_bundle(ws, run.id), folder / "test_FD001.csv.gz", out)
        show(run.model, wf.evaluate_file(out, folder / "RUL_FD001.csv", "RUL"), "last cycle of 100 test engines")


def judging(ws: wf.Workspace) -> None:
    """The walk through Predictions and Anomalies: what each of its commands says."""
    os.environ["ANDON_HOME"] = str(ws.home)
    classes = failures(ws, "gradient_boosting")
    zones = trained(
        ws,
        DATA / "uci_regression_dev" / "concrete.csv",
        task="regression",
        target="strength_MPa",
        model="gradient_boosting",
    )
    valve = {
        "task": "anomaly",
        "target": "anomaly",
        "time": "datetime",
        "ignore": ("changepoint",),
        "split": SplitSettings(method="first", first=400).model_dump(),
    }
    events = trained(ws, DATA / "skab" / "valve1" / "0.csv", model="pca_t2_spe", **valve)
    said = (
        f"limit --run {classes.id} --set missed=50 --set rejected=1",
        f"limit --run {classes.id} --set rule=caught --set least_caught=0.9",
        f"worst --run {classes.id}",
        f"explain {classes.id} --row 69",
        f"labels {classes.id}",
        f"challenge add {classes.id} --name known-failures --from labelled",
        f"challenge check {classes.id}",
        f"zones --run {zones.id} --set lower=30",
        f"events {events.id}",
        f"explain {events.id} --event 1",
        f"verdict {events.id} 1 closed --cause valve-closed --fix valve-opened --to Ann",
        f"verdict {events.id} 6 false_alarm --comment start-of-the-next-run",
        f"verdict {events.id} 3 contained",
        f"false-alarms {events.id}",
        f"fault-classes {events.id}",
        f"alarm-budget --run {events.id} --set per_week=20000",
        f"seed-faults {events.id}",
    )
    for line in said:
        _say(line)
    for more in ({"options": {"window": 8}}, {"model": "knn_distance"}):
        again = trained(ws, DATA / "skab" / "valve1" / "0.csv", **{"model": "pca_t2_spe", **valve, **more})
        _say(f"verdicts {again.id}")


def _say(line: str) -> None:
    print(f"\n$ andon {line}", flush=True)
    cli.main(line.split())


def show(name: str, metrics: Sequence[Metric] | object, note: str = "") -> None:
    """One line of figures."""
    figures = ", ".join(f"{m.key} {m.value:.4g}" for m in metrics if m.value is not None)  # type: ignore[attr-defined]
    print(f"{name}: {figures}" + (f" ({note})" if note else ""), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
