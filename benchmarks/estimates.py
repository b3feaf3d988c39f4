"""What a training was said to need before its start, against what it took. `make bench-estimate`.

Each cell is a made-up table, a family and a window: the plan's memory and seconds an epoch beside the largest resident memory of
a process of its own that prepares, fits and exports, and the processor seconds of its last epoch on one thread (other
work on the machine would blur the clock). The promise is a factor of two.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import publish, table
from benchmarks.training_speed import ONE_THREAD

EPOCHS = 2
FACTOR = 2.0


@dataclass(frozen=True)
class Cell:
    """A family on a table of rows × columns with a window and a batch."""

    family: str
    rows: int
    columns: int
    window: int
    batch: int

    @property
    def task(self) -> str:
        return "anomaly" if self.family.endswith("autoencoder") else "regression"


CELLS = (
    Cell("dense", 200_000, 20, 1, 256),
    Cell("cnn", 10_000, 8, 30, 64),
    Cell("cnn", 60_000, 20, 60, 256),
    Cell("lstm", 10_000, 8, 30, 64),
    Cell("lstm", 30_000, 20, 60, 256),
    Cell("gru", 10_000, 8, 60, 128),
    Cell("bilstm", 10_000, 8, 30, 128),
    Cell("rnn", 10_000, 8, 30, 128),
    Cell("resnet", 5_000, 8, 30, 128),
    Cell("tcn", 5_000, 8, 30, 128),
    Cell("transformer", 5_000, 8, 60, 128),
    Cell("cnn_lstm", 10_000, 8, 60, 128),
    Cell("dense_autoencoder", 100_000, 20, 24, 256),
    Cell("conv_autoencoder", 10_000, 8, 24, 128),
    Cell("lstm_autoencoder", 10_000, 8, 24, 128),
)


def main(arguments: list[str]) -> int:
    """Without arguments measure every cell; with "cell FOLDER DATASET JSON" be one; families alone measure only these."""
    if arguments[:1] == ["cell"]:
        print(json.dumps(_measured(Path(arguments[1]), arguments[2], Cell(**json.loads(arguments[3])))))
        return 0
    rows, worst = [], 1.0
    for cell in CELLS:
        if arguments and cell.family not in arguments:
            continue
        row, off = _row(cell)
        rows.append(row)
        worst = max(worst, off)
        print(row, file=sys.stderr, flush=True)
    head = ["family", "rows × columns", "window, batch", "memory, said / taken", "ratio", "epoch, said / taken", "ratio"]
    within = sum(all(1 / FACTOR <= float(row[i]) <= FACTOR for i in (4, 6)) for row in rows)
    text = f"{table(head, rows)}\n\nWithin a factor of two in both: {within} of {len(rows)}; the worst is off by {worst:.2f}."
    publish("estimates", "make bench-estimate", text)
    return 0


def _row(cell: Cell) -> tuple[list[str], float]:
    """One line of the table, and the larger of the two factors that it is off by."""
    from core import workflows as wf

    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        ws = wf.open_workspace(Path(folder) / "home")
        dataset = _imported(ws, Path(folder), cell)
        plan = wf.plan_training(ws, _request(dataset, cell))
        if plan.estimate is None:
            raise RuntimeError(f"{cell.family} has no estimate")
        command = [sys.executable, "-m", "benchmarks.estimates", "cell", folder, dataset, json.dumps(cell.__dict__)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD}, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    taken = json.loads(done.stdout.splitlines()[-1])
    ratios = plan.estimate.memory_bytes / taken["bytes"], plan.estimate.epoch_seconds / taken["seconds"]
    row = [
        cell.family,
        f"{cell.rows:,} × {cell.columns}",
        f"{cell.window}, {cell.batch}",
        f"{plan.estimate.memory_bytes / 1e6:,.0f} / {taken['bytes'] / 1e6:,.0f} MB",
        f"{ratios[0]:.2f}",
        f"{plan.estimate.epoch_seconds:.2f} / {taken['seconds']:.2f} s",
        f"{ratios[1]:.2f}",
    ]
    return row, max(max(r, 1 / r) for r in ratios)


def _imported(ws: Any, folder: Path, cell: Cell) -> str:
    import numpy as np
    import pandas as pd

    from core import workflows as wf

    rng = np.random.default_rng(0)
    sensors = rng.normal(size=(cell.rows, cell.columns))
    made = pd.DataFrame(sensors, columns=[f"s{i}" for i in range(cell.columns)]).round(4)
    made.insert(0, "when", np.arange(float(cell.rows)))
    if cell.task == "regression":
        made["result"] = (sensors[:, 0] - sensors[:, 1]).round(4)
    made.to_csv(folder / "table.csv", index=False)
    dataset = wf.import_file(ws, folder / "table.csv").dataset
    if dataset is None:
        raise RuntimeError("the table was not read in one way only")
    return str(dataset.id)


def _request(dataset_id: str, cell: Cell) -> Any:
    from core.training.request import TrainRequest

    return TrainRequest(
        dataset_id=dataset_id,
        dataset_version=1,
        task=cell.task,  # type: ignore[arg-type]
        model=cell.family,
        target="result" if cell.task == "regression" else None,
        time="when",
        options={"epochs": EPOCHS, "patience": EPOCHS, "batch_size": cell.batch, "window": cell.window},
    )


def _measured(folder: Path, dataset_id: str, cell: Cell) -> dict[str, float]:
    """Bytes at the peak of this process, and processor seconds of the last epoch; the first builds the graph."""
    from core import workflows as wf
    from core.jobs.fitting import fit_deep
    from core.jobs.judged import judge
    from core.training.events import Event
    from core.training.prepare import prepare
    from core.training.resolve import resolve

    ws = wf.open_workspace(folder / "home")
    dataset = wf.open_dataset(ws, dataset_id)
    resolved = resolve(dataset, _request(dataset_id, cell))
    prepared = prepare(resolved)
    ends: list[float] = []

    def told(event: Event) -> None:
        if event.kind == "epoch":
            ends.append(time.process_time())

    bundle, _ = fit_deep(
        resolved, prepared, folder / "bundle", emit=told, stop_requested=lambda: False, checkpoints=folder / "checkpoints"
    )
    judge(bundle, prepared, resolved)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"bytes": float(peak), "seconds": ends[-1] - ends[-2]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
