"""The job "explain": integrated gradients of some rows of a finished run, with what else its networks tell about time.

Its parameters are the run and its dataset, the rows and which output is meant (`place`); its result is an event and an npz among the
run's results, so that it goes when the run goes.
"""

from __future__ import annotations

import shutil
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.room import Room
from core.explain.columns import InputColumn
from core.explain.gradients import Attribution, integrated_gradients
from core.jobs.context import JobContext
from core.serving.bundle import Bundle, load_bundle
from core.serving.explained import input_columns, place_of_rows, whole_inputs
from core.training.events import Event
from core.watching import Stopped, part_of


def file_name(job_id: str) -> str:
    """The file of a job's result in the folder of the run's results."""
    return f"explanation-{job_id}.npz"


def run(ctx: JobContext) -> None:
    """Share out the outputs of the rows, one after another; a stop keeps nothing."""
    run_id, place = str(ctx.job.params["run_id"]), int(ctx.job.params["place"])
    bundle = load_bundle(ctx.store.path(run_id, "bundle"))
    windows, rows = _windows(ctx, bundle, run_id, [int(row) for row in ctx.job.params["rows"]])
    try:
        arrays, facts = explain(ctx, bundle, windows, place)
    except Stopped:
        ctx.cancelled()
        return
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, rows=rows, **arrays)
    ctx.store.write_bytes(ctx.store.path(run_id, "results", file_name(ctx.job.id)), buffer.getvalue())
    ctx.emit(Event("result", {**facts, "columns": [c.name for c in input_columns(bundle)]}))


def explain(ctx: JobContext, bundle: Bundle, windows: NDArray[np.float32], place: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of the result, all in the output's unit, and its facts.

    values, saliency (n, width, c): integrated gradients and gradient times input by row of the window and column; output, baseline,
    gap (n,), steps (n,); activation, attention (n, width) where the network has a convolution or attention.
    """
    from core.jobs.network_gradients import attention, class_activation, decoder, gradient_of, load_networks, output_function

    ctx.emit(Event("progress", {"stage": "network", "fraction": 0.0}))
    networks, columns = load_networks(bundle), input_columns(bundle)
    gradient = gradient_of(output_function(bundle, networks, place))
    watch, found = ctx.watch("gradients"), []
    for i, window in enumerate(windows):
        share = part_of(watch, i / len(windows), (i + 1) / len(windows))
        found.append(integrated_gradients(gradient, window, _baseline(window, columns), watch=share))
    arrays: dict[str, Any] = {
        "values": np.stack([by_column(a.values, columns) for a in found]),
        "saliency": np.stack([by_column(a.gradient_times_input, columns) for a in found]),
        **{name: np.array([getattr(a, name) for a in found]) for name in ("output", "baseline", "gap", "steps")},
    }
    if len(networks) == 1:
        maps = {"activation": class_activation(networks[0], decoder(bundle, place), windows)}
        maps["attention"] = attention(networks[0], windows)
        arrays |= {name: values for name, values in maps.items() if values is not None}
    return arrays, {"complete": _complete(found), "of": len(found)}


def by_column(values: NDArray[np.float64], columns: tuple[InputColumn, ...]) -> NDArray[np.float64]:
    """Parts of single values (rows, f) summed to their columns (rows, c)."""
    return np.stack([values[:, list(column.places)].sum(axis=1) for column in columns], axis=1)


def _baseline(window: NDArray[np.float32], columns: tuple[InputColumn, ...]) -> NDArray[np.float32]:
    """The training part's centre: every column covered."""
    found = window[None]
    for column in columns:
        found = column.covered(found)
    return found[0]


def _complete(found: list[Attribution]) -> int:
    return sum(a.is_complete for a in found)


def _windows(ctx: JobContext, bundle: Bundle, run_id: str, rows: list[int]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The windows of those rows that have one, and these rows."""
    run = ctx.store.get_run(run_id)
    dataset = ctx.store.get_dataset(run.dataset_id, run.dataset_version, deleted=True).to_dataset()
    wanted = np.array(rows, dtype=np.int64)
    try:
        inputs = whole_inputs(bundle, dataset, Room(ctx.folder / "room.tmp"))
        places = place_of_rows(inputs)[wanted]
        return inputs.windows.batch(places[places >= 0]), wanted[places >= 0]
    finally:
        shutil.rmtree(ctx.folder / "room.tmp", ignore_errors=True)
