"""Training as a job, with live events in the store and checkpoints, against bare `keras.fit`. `make bench-training`.

The same windows, batch, epochs, optimiser, clipping and seed; each in a process of its own, in turn. Seconds are those of the fit
alone: for the job `Trained.seconds`, which includes its events and checkpoints, for Keras the call of `fit`. The machine's
other work falls on both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import median, publish, table

PAIRS = 3
FAMILIES = ("lstm", "cnn")
EPOCHS = {"lstm": 12, "cnn": 40}
N_UNITS, LIFE = 110, 190


def main(arguments: list[str]) -> int:
    """Without arguments time everything; with "keras FAMILY" be the bare run."""
    if arguments[:1] == ["keras"]:
        print(json.dumps({"seconds": keras_seconds(arguments[1])}))
        return 0
    rows = []
    for family in FAMILIES:
        ours, bare = [], []
        for _ in range(PAIRS):
            ours.append(job_seconds(family))
            bare.append(_bare(family))
        ratios = [a / b for a, b in zip(ours, bare, strict=True)]
        rows.append(
            [
                family,
                f"{median(ours):.1f} s",
                f"{median(bare):.1f} s",
                f"{median(ratios):.2f}",
                f"{min(ratios):.2f}–{max(ratios):.2f}",
            ]
        )
        print(rows[-1], file=sys.stderr, flush=True)
    head = ["family", "job with live events and checkpoints", "bare keras.fit", "ratio (median)", "range"]
    publish("training", "make bench-training", table(head, rows))
    return 0


def _table():  # type: ignore[no-untyped-def]
    """A fleet of 110 machines that wear out over 190 cycles, 14 sensors."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    cycle = np.tile(np.arange(1, LIFE + 1), N_UNITS)
    wear = (cycle / LIFE) ** 2
    sensors = {f"s{i}": wear * rng.normal() + rng.normal(0, 0.3, cycle.size) for i in range(14)}
    return pd.DataFrame({"unit": np.repeat(np.arange(N_UNITS), LIFE).astype(float), "cycle": cycle.astype(float), **sensors})


def _request(dataset_id: str, family: str):  # type: ignore[no-untyped-def]
    from core.training.request import TrainRequest

    epochs = EPOCHS[family]
    return TrainRequest(
        dataset_id=dataset_id,
        dataset_version=1,
        task="rul",
        model=family,
        group="unit",
        time="cycle",
        options={"epochs": epochs, "patience": epochs, "batch_size": 128, "window": 30, "schedule": "constant"},
        budget_minutes=30,
    )


def job_seconds(family: str) -> float:
    """Seconds of the fit within a real job of a fresh store."""
    from core import workflows as wf
    from core.jobs import wait_for_job

    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        ws = wf.open_workspace(Path(folder) / "home")
        dataset = _imported(ws, Path(folder))
        run = wf.start_training(ws, _request(dataset, family))
        wait_for_job(ws.store, run.job_id)
        return float(wf.open_results(ws, run.id).manifest.training["seconds"])


def _imported(ws, folder: Path) -> str:  # type: ignore[no-untyped-def]
    from core import workflows as wf

    _table().to_csv(folder / "fleet.csv", index=False)
    dataset = wf.import_file(ws, folder / "fleet.csv").dataset
    if dataset is None:
        raise RuntimeError("the fleet was not read in one way only")
    return dataset.id


def _bare(family: str) -> float:
    environment = {**os.environ, **worker_threads()}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", "keras", family],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def worker_threads() -> dict[str, str]:
    """The thread settings that a worker gets, so that both sides have the same."""
    from core import workflows as wf
    from core.jobs.processes import worker_environment

    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        environment = worker_environment(wf.open_workspace(Path(folder) / "home").store)
    return {k: v for k, v in environment.items() if k.startswith(("TF_", "OMP_", "OPENBLAS_"))}


def keras_seconds(family: str) -> float:
    """Seconds of `keras.fit` on the very windows that the job trains on."""
    import keras

    from core import workflows as wf
    from core.jobs.sources import encoded_targets, network_shape
    from core.training.prepare import prepare
    from core.training.resolve import resolve

    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        ws = wf.open_workspace(Path(folder) / "home")
        dataset = wf.open_dataset(ws, _imported(ws, Path(folder)))
        resolved = resolve(dataset, _request(dataset.id, family))
        prepared = prepare(resolved)
    keras.utils.set_random_seed(7)
    model = resolved.spec.build(resolved.model_settings, network_shape(prepared), "rul")
    fit = resolved.fit
    model.compile(keras.optimizers.Adam(fit.learning_rate, global_clipnorm=fit.clip_norm), loss="mse", metrics=["mae"])
    parts = [(prepared.inputs.windows.batch(p), encoded_targets(prepared, p)) for p in (prepared.train, prepared.validation)]
    began = time.perf_counter()
    model.fit(*parts[0], validation_data=parts[1], epochs=fit.epochs, batch_size=fit.batch_size, verbose=0)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
