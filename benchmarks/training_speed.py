"""Windows trained a second against PyTorch, and rows a second against PyOD's autoencoder. Part of `make bench-training`.

Same network, batch, data, optimiser and gradient limit, one thread each. Both sides are processes that train an epoch when
told to, in turn; what counts are processor seconds, which other work on the machine disturbs far less than the
clock. Andon's side is the whole fit as a run has it: events, weight averaging, checks for a stop. PyTorch and
PyOD's deep detectors are no part of Andon: ANDON_BENCH_PYTHON names a Python that has them (requirements-bench.txt).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import median, publish, table

ROUNDS = 3
CELLS = [(family, batch) for family in ("cnn", "lstm", "gru", "dense_autoencoder") for batch in (64, 256)]
WINDOWS, ROWS, FEATURES = 20_000, 50, 8
TABLE_ROWS, TABLE_FEATURES = 200_000, 30
ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)
ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Without arguments time everything; with "ours FAMILY BATCH FILE" be Andon's side; families alone time only these."""
    if arguments[:1] == ["ours"]:
        our_epochs(arguments[1], int(arguments[2]), arguments[3])
        return 0
    rows = []
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        for family, batch in CELLS:
            if arguments and family not in arguments:
                continue
            rows.append(_cell(family, batch, Path(folder)))
            print(rows[-1], file=sys.stderr, flush=True)
    head = ["network", "batch", "Andon", "the other", "ratio (median)", "range", "by the clock", "loss then, Andon / other"]
    note = (
        "Windows (autoencoder: rows) a processor second, median of alternating epochs on one thread; the other is PyTorch, "
        "for the autoencoder PyOD. By the clock: the same ratio in seconds, which other work on the machine blurs. The loss is that "
        f"of epoch {ROUNDS + 1}."
    )
    publish("training-speed", "make bench-training", f"{table(head, rows)}\n\n{note}")
    return 0


def data_of(family: str) -> tuple[np.ndarray, np.ndarray]:
    """Windows and a target that can be learned from the last ten rows; for the autoencoder rows of five hidden causes."""
    rng = np.random.default_rng(0)
    if family == "dense_autoencoder":
        causes = rng.normal(size=(TABLE_ROWS, 5)) @ rng.normal(size=(5, TABLE_FEATURES))
        rows = causes / causes.std() + 0.1 * rng.normal(size=causes.shape)
        return rows[:, None].astype(np.float32), np.zeros((TABLE_ROWS, 1), np.float32)
    windows = rng.normal(size=(WINDOWS, ROWS, FEATURES))
    target = 3 * np.tanh(windows[:, -10:, 0].mean(axis=1)) * windows[:, -1, 1]
    return windows.astype(np.float32), target[:, None].astype(np.float32)


def our_epochs(family: str, batch: int, file: str) -> None:
    """A fit of Andon that waits for a line before each epoch and then writes processor seconds, seconds and loss."""
    from core.models import Shape, model_by_key
    from core.training.data import ArraySource, TrainingData
    from core.training.events import Event
    from core.training.fit import fit_network
    from core.training.settings import FitSettings

    with np.load(file) as stored:
        windows, targets = stored["windows"], stored["targets"]
    spec = model_by_key(family)
    plain = {"layers": 1, "units": 64, "dropout": 0} if family in ("lstm", "gru") else {"dropout": 0}
    settings = spec.settings.read({k: v for k, v in plain.items() if k in spec.settings.model_fields})
    began = [0.0, 0.0]

    def wait() -> None:
        if not sys.stdin.readline():
            raise SystemExit(0)
        began[:] = time.process_time(), time.perf_counter()

    def told(event: Event) -> None:
        if event.kind == "epoch":
            spent = time.process_time() - began[0], time.perf_counter() - began[1]
            print(json.dumps([*spent, event.values["loss"]]), flush=True)
            wait()

    is_rebuilding = family == "dense_autoencoder"
    wait()
    fit_network(
        spec,  # type: ignore[arg-type]
        settings,
        Shape(*windows.shape[1:], 1),
        "anomaly" if is_rebuilding else "regression",
        TrainingData(ArraySource(windows, None if is_rebuilding else targets), None),
        FitSettings(batch_size=batch, epochs=1000, patience=1000, learning_rate=0.001, schedule="constant"),
        emit=told,
        stop_requested=lambda: False,
        checkpoints=None,
        seed=0,
    )


def _cell(family: str, batch: int, folder: Path) -> list[str]:
    """One line of the table: the first epoch of each side, which builds its graph, does not count."""
    windows, targets = data_of(family)
    file = folder / f"{family}.npz"
    np.savez(file, windows=windows, targets=targets)
    sides = [_ours(family, batch, file), _torch(family, batch, file)]
    told = [[_epoch(side) for side in sides] for _ in range(ROUNDS + 1)]
    for side in sides:
        side.stdin.close()
        side.kill()
        side.wait()
    spent = np.array(told)  # round, side, (processor seconds, seconds, loss)
    ratios, clock = (spent[1:, 1, i] / spent[1:, 0, i] for i in (0, 1))
    speeds = [f"{len(windows) / median(spent[1:, side, 0]):,.0f}" for side in (0, 1)]
    return [
        family.replace("_", " "),
        str(batch),
        *speeds,
        f"{median(ratios):.2f}",
        f"{ratios.min():.2f}–{ratios.max():.2f}",
        f"{median(clock):.2f}",
        f"{spent[-1, 0, 2]:.4f} / {spent[-1, 1, 2]:.4f}",
    ]


def _ours(family: str, batch: int, file: Path) -> Any:
    return _started([sys.executable, "-m", "benchmarks.training_speed", "ours", family, str(batch), str(file)])


def _torch(family: str, batch: int, file: Path) -> Any:
    python = os.environ.get("ANDON_BENCH_PYTHON", str(ROOT / ".venv-bench" / "bin" / "python"))
    if not Path(python).exists():
        raise SystemExit(f"There is no Python with PyTorch at {python}. Run `make bench-training`, or set ANDON_BENCH_PYTHON.")
    return _started([python, str(ROOT / "benchmarks" / "torch_side.py"), family, str(batch), str(file)])


def _started(command: list[str]) -> Any:
    environment = {**os.environ, **ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "2"}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=ROOT
    )


def _epoch(side: Any) -> list[float]:
    """Let one side train an epoch; its answer is the first line that is JSON."""
    side.stdin.write("\n")
    side.stdin.flush()
    for line in side.stdout:
        if line.startswith("["):
            return [float(v) for v in json.loads(line)]
    raise RuntimeError(f"{side.args} ended without an answer")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
