"""Which sensor is to blame: seeded faults among correlated sensors, and the guilty sensors of SMD's labelled anomalies.

    python -m benchmarks.causes            both
    python -m benchmarks.causes seeded     25 correlated sensors, one fault each, at the size that is detected 80 % of the time
    python -m benchmarks.causes smd        machines 2-1, 2-7 and 1-7: train file normal, test file judged

SMD: each labelled anomaly names its guilty sensors (`interpretation_label`, counted from 1). For each the sensors are ranked by the
shares that an event of the Anomalies screen has, over all rows of the anomaly, whether detected or not, and by what the score loses
when a sensor is repaired. hit@n: a guilty one is among the first n. HitRate@100 % (Su et al. 2019, OmniAnomaly, KDD, section 5.3):
of an anomaly with k guilty sensors the first k are taken; the share of the guilty among them, averaged. Chance: a random order.
"""

from __future__ import annotations

import sys
from math import comb
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.common import publish, table
from core import workflows as wf
from core.anomalies.events import sensor_shares
from core.explain.occlusion import column_effects, shares_of
from core.models import model_by_key
from core.serving.explained import Output
from core.training.request import TrainRequest
from core.workflows.explaining import evenly
from tests.pages.finished_runs import work_off
from tests.seeded_faults import SENSORS, named

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "smd_dev"
MACHINES = ("2-1", "2-7", "1-7")
SHALLOW = ("pca_t2_spe", "combined", "lof", "one_class_svm", "isolation_forest")
NETWORKS = ("dense_autoencoder", "conv_autoencoder", "vae")
SEEDED = (*SHALLOW[:4], *NETWORKS)  # an isolation forest has no size of a single sensor that it detects 80 % of the time
REPAIRED_ROWS = 16
Ranked = list[NDArray[np.int64]]


def guilty(machine: str) -> list[tuple[int, int, frozenset[int]]]:
    """First row, last row and guilty sensors (from 0) of each labelled anomaly of a machine's test file."""
    found = []
    for line in (DATA / "interpretation_label" / f"machine-{machine}.txt").read_text().split():
        rows, _, sensors = line.partition(":")
        first, last = map(int, rows.split("-"))
        found.append((first, last, frozenset(int(s) - 1 for s in sensors.split(","))))
    return found


def chances(sets: list[frozenset[int]], n_sensors: int) -> tuple[float, float, float]:
    """hit@1, hit@3 and HitRate@100 % of a random order."""
    k = [len(s) for s in sets]
    at_3 = [1 - comb(n_sensors - one, 3) / comb(n_sensors, 3) for one in k]
    share = float(np.mean([one / n_sensors for one in k]))
    return share, float(np.mean(at_3)), share


def rates(sets: list[frozenset[int]], ranked: Ranked) -> tuple[float, float, float]:
    """hit@1, hit@3 and HitRate@100 % of orders of sensors, one an anomaly."""
    hits = [[bool(s & set(order[:n].tolist())) for s, order in zip(sets, ranked, strict=True)] for n in (1, 3)]
    whole = [len(s & set(order[: len(s)].tolist())) / len(s) for s, order in zip(sets, ranked, strict=True)]
    return float(np.mean(hits[0])), float(np.mean(hits[1])), float(np.mean(whole))


def smd_ranks(ws: wf.Workspace, folder: Path, machine: str, model: str) -> tuple[Ranked, Ranked, int]:
    """For each labelled anomaly the order of sensors by share and by repair; and how many anomalies were detected."""
    parts = [pd.read_csv(DATA / f"machine-{machine}_{part}.csv.gz") for part in ("train", "test")]
    n_train = len(parts[0])
    path = folder / f"{machine}.csv"
    if not path.exists():
        pd.concat(parts).assign(label=lambda t: t["label"].fillna(0)).to_csv(path, index=False)
    dataset = wf.same_original(ws, wf.hash_of_all([path])) or wf.import_file(ws, path).dataset
    assert dataset is not None
    request = TrainRequest.read(
        {
            "dataset_id": dataset.id,
            "dataset_version": 1,
            "task": "anomaly",
            "target": "label",
            "model": model,
            "split": {"method": "first", "first": n_train},
            "budget_minutes": 4,
        }
    )
    run = wf.start_training(ws, request)
    work_off(ws.store)
    results = wf.open_results(ws, run.id)
    names = [str(name) for name in parts[0].columns if name != "label"]
    explainer = wf.open_explainer(ws, results)
    by_share, by_repair, detected = [], [], 0
    for first, last, _ in guilty(machine):
        rows = np.arange(n_train + first, n_train + last + 1)
        contributions = results.contributions
        shares = (
            {}
            if contributions is None
            else {s.column: s.share for s in sensor_shares(contributions[rows], results.sensor_names)}
        )
        by_share.append(_order(names, shares))
        scores = np.nan_to_num(results.judged[rows], nan=-np.inf)
        detected += bool((scores > wf.resolve_bundle(ws, run.id).threshold.value).any())
        worst = rows[np.argsort(-scores, kind="stable")[: max(REPAIRED_ROWS, len(rows) // 4)]]
        windows = explainer.windows(evenly(np.sort(worst), REPAIRED_ROWS))
        effects = column_effects(Output(explainer.bundle), windows, explainer.columns, explainer.conditional)
        repaired = dict(zip([c.name for c in explainer.columns], shares_of(effects), strict=True))
        by_repair.append(_order(names, repaired))
    return by_share, by_repair, detected


def _order(names: list[str], shares: dict[str, float]) -> NDArray[np.int64]:
    """Numbers of sensors, largest share first; those that the model does not read come last."""
    return np.argsort([-shares.get(name, -1.0) for name in names], kind="stable")


def smd() -> str:
    """The table of SMD."""
    sets = [s for machine in MACHINES for _, _, s in guilty(machine)]
    rows = []
    with TemporaryDirectory() as home:
        ws = wf.open_workspace(Path(home) / "home")
        for model in (*SHALLOW, *NETWORKS):
            share: Ranked = []
            repair: Ranked = []
            caught = 0
            for machine in MACHINES:
                a, b, detected = smd_ranks(ws, Path(home), machine, model)
                share, repair, caught = share + a, repair + b, caught + detected
            cells = [f"{value:.2f}" for value in (*rates(sets, share), *rates(sets, repair))]
            rows.append([str(model_by_key(model).title), f"{caught} of {len(sets)}", *cells])
            print(rows[-1], flush=True)
    chance = [f"{value:.2f}" for value in chances(sets, 38)]
    rows.append(["a random order", "", *chance, *chance])
    head = ["model", "detected", "hit@1", "hit@3", "HitRate@100 %", "repair hit@1", "repair hit@3", "repair HitRate@100 %"]
    mean = np.mean([len(s) for s in sets])
    return f"{len(sets)} labelled anomalies of three machines, 38 sensors, {mean:.1f} of them guilty in the mean.\n\n" + table(
        head, rows
    )


def seeded() -> str:
    """The table of seeded faults."""
    rows = []
    for model in SEEDED:
        with TemporaryDirectory() as home:
            ws = wf.open_workspace(Path(home) / "home")
            found = named(ws, Path(home), model, work_off, **({"preset": "quick"} if model in NETWORKS else {}))
        cells = [
            f"{found.size:.2f}",
            f"{100 * found.detected:.0f} %",
            f"{100 * found.hit_1:.1f} %",
            f"{100 * found.hit_3:.1f} %",
        ]
        rows.append([str(model_by_key(model).title), *cells])
        print(rows[-1], flush=True)
    rows.append(["a random order", "", "", f"{100 / SENSORS:.0f} %", f"{300 / SENSORS:.0f} %"])
    return table(["model", "size (standard deviations)", "detected", "true sensor first", "in the first three"], rows)


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["seeded", "smd"]
    for name in wanted:
        publish(f"causes-{name}", f"python -m benchmarks.causes {name}", {"seeded": seeded, "smd": smd}[name]())
