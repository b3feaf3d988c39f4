"""10^5, 10^6 and 10^7 rows × 20 columns through every stage: seconds and the largest memory of any process. `make bench-scale`.

Each stage runs in a process of its own, which the memory is read from; training runs in its worker as always. The file
is made for the purpose and deleted after. Arguments: sizes (`100000`) and stages (`import`) to do only these; results of
earlier calls are kept in the folder that ANDON_SCALE_FOLDER names, which is then not deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import publish, table
from benchmarks.peak import measured
from benchmarks.plant import TARGET, write_plant

SIZES = (100_000, 1_000_000, 10_000_000)
BYTES_A_ROW = 1_500  # the file, its compressed copy, what an import stages, features and results, side by side
MOST_POINTS = 5_000
FIXED = ("preview", "network")  # their work does not grow with the table
WINDOW = 30
RECIPE = {
    "steps": [
        {"key": "iqr_outliers", "settings": {"action": "set_missing"}},
        {"key": "linear_fill", "settings": {"max_gap": 10}},
        {"key": "median_fill"},
    ]
}


def main(arguments: Sequence[str]) -> int:
    """Do the stages of each size; with "--stage NAME FOLDER" be one of them."""
    if arguments[:1] == ["--stage"]:
        print(json.dumps(_measure(arguments[1], Path(arguments[2]))))
        return 0
    sizes = [int(a) for a in arguments if a.isdecimal()] or list(SIZES)
    wanted = [a for a in arguments if a in STAGES] or list(STAGES)
    with _folder() as folder:
        for n in sizes:
            _one_size(folder / str(n), n, wanted)
        publish("scale", "make bench-scale", _page(folder))
    return 0


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    kept = os.environ.get("ANDON_SCALE_FOLDER")
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="andon-scale-") as folder:
        yield Path(folder)


def _one_size(folder: Path, n: int, wanted: Sequence[str]) -> None:
    folder.mkdir(exist_ok=True)
    if not (folder / "plant.csv").exists():
        need = n * BYTES_A_ROW
        if shutil.disk_usage(folder).free < need:
            raise SystemExit(f"{n:,} rows need {need / 1e9:.0f} GB of free disk.")
        write_plant(folder / "plant.csv", n)
    for stage in wanted:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", "--stage", stage, str(folder)], capture_output=True, text=True
        )
        if done.returncode:
            found: dict[str, Any] = {"failed": done.stderr[-400:]}
        else:
            found = json.loads(done.stdout.splitlines()[-1])
        (folder / f"{stage}.json").write_text(json.dumps(found))
        print(f"{n:>10,} {stage:<12} {found}", file=sys.stderr, flush=True)
    if not os.environ.get("ANDON_SCALE_FOLDER"):
        (folder / "plant.csv").unlink()
        shutil.rmtree(folder / "home", ignore_errors=True)


def _measure(stage: str, folder: Path) -> dict[str, Any]:
    from core import charts, jobs, workflows  # noqa: F401  Libraries are read before the clock starts.

    with measured() as peak:
        STAGES[stage](folder)
    return {
        "seconds": peak.seconds,
        "processor": peak.processor_seconds,
        "megabytes": peak.largest / 1e6,
        "by_process": peak.by_process,
    }


def _workspace(folder: Path) -> Any:
    from core import workflows as wf

    return wf.open_workspace(folder / "home")


def _dataset(ws: Any) -> Any:
    from core import workflows as wf

    return wf.list_datasets(ws)[0]


def duckdb_copy(folder: Path) -> None:
    """What the import is held against: DuckDB's own way from the file to Parquet."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{folder / 'plant.csv'}')) TO '{folder / 'duckdb.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        )
    (folder / "duckdb.parquet").unlink()


def read_only(folder: Path) -> None:
    """The file to Parquet with types, findings and the account of its lines, without the copy of the original."""
    from core.data.reading import read_file

    read_file(folder / "plant.csv", folder / "read.parquet")
    (folder / "read.parquet").unlink()


def import_whole(folder: Path) -> None:
    """The whole import: read, hash, keep the original."""
    from core import workflows as wf

    shutil.rmtree(folder / "home", ignore_errors=True)
    wf.import_file(_workspace(folder), folder / "plant.csv")


def profile(folder: Path) -> None:
    """The figures of every column."""
    from core.data.summary import summarise

    summarise(_dataset(_workspace(folder)))


def preview(folder: Path) -> None:
    """A recipe of three steps seen on one column."""
    from core import workflows as wf
    from core.clean import Recipe

    ws = _workspace(folder)
    wf.preview_recipe(ws, _dataset(ws), Recipe.read(RECIPE), None, "sensor_03")


def _train(folder: Path, task: str, model: str, **options: Any) -> None:
    from core import workflows as wf
    from core.jobs import wait_for_job
    from core.training.request import TrainRequest

    ws = _workspace(folder)
    minutes = options.pop("minutes", 30.0)
    request = TrainRequest(
        dataset_id=_dataset(ws).id,
        dataset_version=1,
        task=task,
        model=model,
        target=TARGET if task == "regression" else None,
        ignore=() if task == "regression" else (TARGET,),
        time="when",
        group="machine",
        split={"method": "time"},
        recipe=RECIPE,
        options={"window": WINDOW, **options},
        budget_minutes=minutes,
        name=f"{task} {model}",
    )
    run = wf.start_training(ws, request)
    wait_for_job(ws.store, run.job_id)
    ended = wf.get_run(ws, run.id)
    if not ended.has_results:
        raise RuntimeError(f"{ended.state}: {ended.problem}")


def ridge(folder: Path) -> None:
    """Recipe, windows of 30 rows, ridge on their statistics, judged, results written."""
    _train(folder, "regression", "ridge")


def chart(folder: Path) -> None:
    """The control chart on principal components: a score and sensor shares a row."""
    _train(folder, "anomaly", "pca_t2_spe")


def network(folder: Path) -> None:
    """A convolutional network for half a minute of fitting, beside its baseline."""
    _train(folder, "regression", "cnn", minutes=0.5)


def open_values(folder: Path) -> None:
    """What the Predictions screen does at its first look."""
    from core import charts
    from core import workflows as wf

    ws = _workspace(folder)
    run = next(r for r in wf.list_runs(ws) if r.task == "regression" and r.has_results)
    view = wf.regression_view(wf.open_results(ws, run.id))
    for figure in (
        charts.residuals_over_time(residuals=view.residuals, name=TARGET, x=view.times, rows=view.rows),
        charts.parity(truth=view.truth, prediction=view.prediction, name=TARGET, rows=view.rows),
    ):
        if max(len(trace.x) for trace in figure.data if trace.x is not None) > MOST_POINTS:
            raise RuntimeError("a trace has more points than it may")


def open_events(folder: Path) -> None:
    """What the Anomalies screen does at its first look, and at the first event."""
    from core import workflows as wf

    ws = _workspace(folder)
    results = wf.open_results(ws, next(r for r in wf.list_runs(ws) if r.task == "anomaly" and r.has_results).id)
    view = wf.anomaly_view(ws, results)
    if view.later:
        wf.event_detail(results, view.later[0])


def score(folder: Path) -> None:
    """The file scored by the command line's way."""
    from core import workflows as wf

    ws = _workspace(folder)
    run = next(r for r in wf.list_runs(ws) if r.task == "regression" and r.has_results)
    wf.score_file(wf.resolve_bundle(ws, run.id), folder / "plant.csv", folder / "scores.csv")
    (folder / "scores.csv").unlink()


STAGES: dict[str, Callable[[Path], None]] = {
    "duckdb": duckdb_copy,
    "read": read_only,
    "import": import_whole,
    "profile": profile,
    "preview": preview,
    "ridge": ridge,
    "chart": chart,
    "network": network,
    "values": open_values,
    "events": open_events,
    "score": score,
}


def _page(folder: Path) -> str:
    """Processor seconds and memory of each stage at each size, the cost of a row, and the import beside DuckDB's."""
    found = {(n, stage): _stored(folder / str(n) / f"{stage}.json") for n in SIZES for stage in STAGES}
    head = ["stage", *(f"{n:,} rows" for n in SIZES), "cost of a row, largest to smallest size"]
    rows = []
    for stage, does in STAGES.items():
        results = [found[n, stage] for n in SIZES]
        costs = [r["processor"] / n for n, r in zip(SIZES, results, strict=True) if "processor" in r]
        ratio = f"{costs[-1] / costs[0]:.2f}" if len(costs) > 1 and stage not in FIXED else ""
        rows.append([f"{stage}: {_words(does)}", *map(_cost, results), ratio])
    return "\n\n".join((table(head, rows), _plot(found), _import_ratio(found)))


def _words(stage: Callable[[Path], None]) -> str:
    return (stage.__doc__ or "").splitlines()[0].rstrip(".").lower()


def _cost(result: dict[str, Any]) -> str:
    if "processor" not in result:
        return "failed" if "failed" in result else ""
    return f"{result['processor']:.1f} s, {result['megabytes']:,.0f} MB"


def _plot(found: dict[tuple[int, str], dict[str, Any]]) -> str:
    """Processor seconds a million rows, one line a stage: cost that grows linearly is a flat line."""
    lines = []
    for stage in STAGES:
        costs = [found[n, stage].get("processor", 0.0) * 1e6 / n for n in SIZES]
        if stage not in FIXED and all(costs):
            lines.append(f'    line "{stage}" [{", ".join(f"{c:.1f}" for c in costs)}]')
    sizes = ", ".join(f'"{n:,}"' for n in SIZES)
    top = ["```mermaid", "xychart-beta", '    title "Processor seconds a million rows"', f"    x-axis [{sizes}]"]
    return "\n".join([*top, *lines, "```"])


def _import_ratio(found: dict[tuple[int, str], dict[str, Any]]) -> str:
    parts = []
    for n in SIZES:
        base, ours, whole = (found[n, stage].get("processor") for stage in ("duckdb", "read", "import"))
        if base and ours:
            kept = f", {base / whole:.2f} with hashes and the original kept" if whole else ""
            parts.append(f"{n:,} rows: {base / ours:.2f} to read{kept}")
    return "Import, as a share of DuckDB's own speed by processor seconds: " + "; ".join(parts) + "."


def _stored(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
