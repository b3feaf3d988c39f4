"""Every view of a run with many scored rows: seconds to open it, and to answer a click. `make bench-judging`.

A made-up line (`MADE`) is imported and three runs are trained on it, classes, values and anomalies, by shallow families; what is measured is
the judging. A view is opened in a process whose libraries are read and which knows nothing of the run; a click moves what the view
lets move (limit, threshold, row, column), the figures drawn again. ANDON_JUDGING_FOLDER keeps the store, so that a second call only
measures; numbers as arguments are rows (default 200,000 and 1,000,000).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import publish, table

SIZES = (200_000, 1_000_000)
CLICKS = 20
SENSORS = 8
MADE = "time, machine, shift, remark-free text, 8 sensors, a thickness that follows from three of them, and 2 % defects"
QUESTIONS: dict[str, dict[str, Any]] = {
    "classification": {"target": "verdict", "ignore": ("thickness",), "model": "logistic"},
    "regression": {"target": "thickness", "ignore": ("verdict",), "model": "ridge"},
    "anomaly": {"ignore": ("thickness", "verdict"), "model": "pca_t2_spe"},
}


def main(arguments: Sequence[str]) -> int:
    """Measure all views of all sizes; with "--view NAME HOME" be the process that measures one."""
    if arguments[:1] == ["--view"]:
        print(json.dumps(_measure(arguments[1], Path(arguments[2]))))
        return 0
    sizes = [int(a) for a in arguments if a.isdecimal()] or list(SIZES)
    wanted = [a for a in arguments if a in VIEWS] or list(VIEWS)
    found: dict[tuple[int, str], dict[str, float]] = {}
    with _folder() as folder:
        for n in sizes:
            home = folder / str(n)
            make(home, n)
            for view in wanted:
                found[n, view] = _in_a_process(view, home)
                print(n, view, found[n, view], file=sys.stderr, flush=True)
    head = ["view", *(f"{n:,} rows: open, s" for n in sizes), *(f"{n:,} rows: click, median and p95, ms" for n in sizes)]
    rows = [[view, *(_open(found[n, view]) for n in sizes), *(_click(found[n, view]) for n in sizes)] for view in wanted]
    publish("judging", "make bench-judging", f"Seconds of the clock, in brackets of one processor.\n\n{table(head, rows)}")
    return 0


def _open(found: dict[str, float]) -> str:
    return f"{found['open']:.2f} ({found['open_busy']:.2f})"


def _click(found: dict[str, float]) -> str:
    times = [1000 * found[name] for name in ("click", "p95", "busy", "busy_p95")]
    return "{:.0f}, {:.0f} ({:.0f}, {:.0f})".format(*times)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    kept = os.environ.get("ANDON_JUDGING_FOLDER")
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="andon-judging-") as folder:
        yield Path(folder)


def line(n: int, seed: int = 7) -> pd.DataFrame:
    """The table (n, 4 + SENSORS + 2): a minute a row, eight machines in turn by the hour."""
    rng = np.random.default_rng(seed)
    row = np.arange(n)
    when = np.datetime64("2020-01-01T00:00:00") + row.astype("timedelta64[m]")
    sensors = {f"sensor_{k}": 50 + 5 * k + rng.normal(0, 1 + 0.1 * k, n).astype(np.float32) for k in range(SENSORS)}
    machine = (row // 60) % 8
    thickness = 5 + 0.2 * sensors["sensor_0"] - 0.1 * sensors["sensor_1"] + 0.05 * sensors["sensor_2"] + rng.normal(0, 0.2, n)
    odds = 0.9 * (sensors["sensor_3"] - 65) + 0.4 * (machine == 3) - 4.6 + rng.normal(0, 0.5, n)
    return pd.DataFrame(
        {
            "when": when,
            "machine": np.char.add("press-", (machine + 1).astype(str)),
            "shift": np.array(["night", "early", "late"])[(row // 480) % 3],
            **sensors,
            "thickness": thickness.round(4),
            "verdict": np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), "defect", "ok"),
        }
    )


def make(home: Path, n: int) -> None:
    """The store with its three runs, where it is not there yet."""
    from core import workflows as wf
    from core.jobs import Supervisor, wait_for_job
    from core.training.request import TrainRequest

    if (home / "made").exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    ws = wf.open_workspace(home)
    path = home / "line.csv"
    line(n).to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    path.unlink()
    if dataset is None:
        raise RuntimeError("the made-up line was not read in one way only")
    supervisor = Supervisor(ws.store)
    supervisor.start()
    try:
        for task, asked in QUESTIONS.items():
            given = {
                "dataset_id": dataset.id,
                "dataset_version": dataset.version,
                "time": "when",
                "task": task,
                "budget_minutes": 30.0,
            }
            run = wf.start_training(ws, TrainRequest.read({**given, "split": {"method": "time"}, **asked, "name": task}))
            wait_for_job(ws.store, run.job_id)
            ended = wf.get_run(ws, run.id)
            if not ended.has_results:
                raise RuntimeError(f"{task}: {ended.state}: {ended.problem}")
    finally:
        supervisor.stop()
    (home / "made").touch()


def _in_a_process(view: str, home: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.judging", "--view", view, str(home)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # as the server runs, see core/serve.py
    )
    if done.returncode:
        raise SystemExit(f"{view}: {done.stderr[-800:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _measure(view: str, home: Path) -> dict[str, float]:
    from core import charts, jobs  # noqa: F401  Libraries are read before the clock starts.
    from core import workflows as wf

    task, begun = VIEWS[view]
    ws = wf.open_workspace(home)
    run = next(r for r in wf.list_runs(ws) if r.task == task and r.has_results)
    began, busy = time.perf_counter(), time.process_time()
    click = begun(ws, wf.open_results(ws, run.id))
    opened, opened_busy = time.perf_counter() - began, time.process_time() - busy
    taken, worked = [], []
    for i in range(CLICKS):
        began, busy = time.perf_counter(), time.process_time()
        click(i)
        taken.append(time.perf_counter() - began)
        worked.append(time.process_time() - busy)
    found = {"open": opened, "open_busy": opened_busy, "click": float(np.median(taken)), "p95": float(np.quantile(taken, 0.95))}
    return {**found, "busy": float(np.median(worked)), "busy_p95": float(np.quantile(worked, 0.95))}


Click = Callable[[int], None]


def _classes(ws: Any, results: Any) -> Click:
    from core import charts
    from core import workflows as wf

    def look(limit: float | None) -> None:
        view = wf.classification_view(results, "test", None, limit)
        charts.roc(curve=(view.roc.x, view.roc.y), operating_point=view.operating_point).to_json()
        charts.precision_recall(curve=(view.pr.x, view.pr.y), operating_point=view.pr_point).to_json()
        charts.confusion_matrix(counts=view.confusion, classes=view.classes).to_json()

    look(None)
    return lambda i: look(0.02 + 0.02 * i)


def _class_curves(ws: Any, results: Any) -> Click:
    """The rule that chooses a limit, errors and lift, and the probability over time."""
    from core import charts
    from core import workflows as wf
    from core.evaluation.curves import det_curve, lift_curve

    def look(i: int) -> None:
        limit = wf.limit_view(results, wf.LimitSettings(missed=2.0 + i)).limit
        view = wf.classification_view(results, "test", None, limit)
        if i % 2:
            moved = det_curve(view.roc)
            charts.det(curve=(moved.x, moved.y)).to_json()
            moved = lift_curve(view.roc, 0.02)
            charts.lift(curve=(moved.x, moved.y)).to_json()
        else:
            line = wf.class_timeline(results, "test", None, limit)
            charts.score_timeline(scores=line.chance, limit=line.limit, x=line.times, flagged=line.flags).to_json()

    look(0)
    return look


def _calibration(ws: Any, results: Any) -> Click:
    from core import workflows as wf

    def look(i: int) -> None:
        wf.calibration_view(results, ("defect", "ok")[i % 2])

    look(0)
    return look


def _strata(ws: Any, results: Any) -> Click:
    from core import workflows as wf

    def look(i: int) -> None:
        wf.worst_strata(results, wf.StrataErrorSettings(stretches=5 + i))

    look(0)
    return look


def _zones(ws: Any, results: Any) -> Click:
    from core import charts
    from core import workflows as wf

    def look(i: int) -> None:
        view = wf.zone_view(results, wf.ZoneSettings(lower=12.0, upper=13.5 + 0.01 * i))
        ends = (view.zones.accept.lower, view.zones.accept.upper)
        given = {"prediction": view.prediction, "truth": view.truth, "places": view.places, "limits": ends, "accept": ends}
        charts.zone_chart(**given, reject=(view.zones.reject.lower, view.zones.reject.upper), name="thickness").to_json()

    look(0)
    return look


def _values(ws: Any, results: Any) -> Click:
    from core import charts
    from core import workflows as wf

    def look(i: int) -> None:
        view = wf.regression_view(results, "test")
        if i % 2:
            charts.parity(truth=view.truth, prediction=view.prediction, name="thickness", rows=view.rows).to_json()
        else:
            charts.residuals_over_time(residuals=view.residuals, name="thickness", x=view.times, rows=view.rows).to_json()

    look(0)
    return look


def _events(ws: Any, results: Any) -> Click:
    from core import charts
    from core import workflows as wf

    own = wf.anomaly_view(ws, results).threshold.value

    def look(threshold: float) -> None:
        view = wf.anomaly_view(ws, results, threshold)
        charts.score_timeline(scores=view.scores, limit=threshold, x=view.times, rows=view.rows, flagged=view.flags).to_json()
        if view.later:
            wf.event_detail(results, view.later[0])

    look(own)
    return lambda i: look(own * (1 + 0.02 * i))


def _score_chart(ws: Any, results: Any) -> Click:
    from core import workflows as wf

    settings = wf.ScoreChartSettings()
    wf.score_chart_view(results, settings)
    return lambda i: None if wf.score_chart_view(results, settings) else None


def _budget(ws: Any, results: Any) -> Click:
    from core import workflows as wf

    def look(i: int) -> None:
        wf.alarm_budget_view(results, wf.AlarmBudgetSettings(rate=0.001 * (i + 1)))

    look(0)
    return look


VIEWS: dict[str, tuple[str, Callable[[Any, Any], Click]]] = {
    "classes": ("classification", _classes),
    "limit by a rule, errors, over time": ("classification", _class_curves),
    "calibration": ("classification", _calibration),
    "where it errs": ("regression", _strata),
    "accept or measure": ("regression", _zones),
    "values": ("regression", _values),
    "events": ("anomaly", _events),
    "chart of scores": ("anomaly", _score_chart),
    "alarm budget": ("anomaly", _budget),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
