"""Integrated gradients of a run's rows as a short job: asked for once, told while it runs, kept among the run's results."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingProblem
from core.explain.gradients import TOLERANCE
from core.jobs.explain_job import file_name
from core.messages import Message, msg
from core.models import model_by_key
from core.serving.manifest import Manifest
from core.store import JobRow
from core.workflows.explaining import Said
from core.workflows.results import Results
from core.workflows.short_jobs import ShortRequest, ShortWork, find_short, start_short, stop_short
from core.workflows.workspace import Workspace

MOST_ROWS = 16
STAGE = "gradients"


@dataclass(frozen=True, slots=True)
class Gradients:
    """What the job found for n rows. `values` and `saliency` are (n, width, c) in the output's unit, `activation` (Grad-CAM) and
    `attention` (n, width), None where the network has no convolution or attention.

    `gaps` (n,) are how far the parts are from adding up, as a share; NaN where there was nothing to share out.
    """

    rows: NDArray[np.int64]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    saliency: NDArray[np.float64]
    outputs: NDArray[np.float64]
    baselines: NDArray[np.float64]
    gaps: NDArray[np.float64]
    steps: NDArray[np.int64]
    activation: NDArray[np.float64] | None
    attention: NDArray[np.float64] | None

    @property
    def by_column(self) -> NDArray[np.float64]:
        """What each column adds in the mean over the rows, (c,)."""
        found: NDArray[np.float64] = self.values.sum(axis=1).mean(axis=0)
        return found

    @property
    def by_step(self) -> NDArray[np.float64]:
        """What each row of the window adds in the mean, (width,), the oldest first."""
        found: NDArray[np.float64] = self.values.sum(axis=2).mean(axis=0)
        return found

    @property
    def completeness(self) -> Message:
        """Whether the parts add up, in words."""
        known = self.gaps[np.isfinite(self.gaps)]
        if not len(known):
            return msg("The output is that of an average row: there is nothing to share out.")
        worst = float(known.max())
        if worst <= TOLERANCE:
            return msg(
                "The parts add up to the output within {share} %, with {steps} steps.",
                share=f"{100 * worst:.2g}",
                steps=int(self.steps.max()),
            )
        return msg(
            "After {steps} steps the parts still miss the output by {share} %: take them as rough.",
            share=f"{100 * worst:.2g}",
            steps=int(self.steps.max()),
        )


def why_no_gradients(manifest: Manifest) -> Message | None:
    """Why integrated gradients do not apply to a run; None where they do."""
    kinds = [member.predictor for member in manifest.members] or [manifest.predictor]
    if any(kind != "network" for kind in kinds):
        return msg(
            "Integrated gradients are for networks, and {model} is none: use covering, which works for every model.",
            model=model_by_key(manifest.model).title
            if not manifest.members
            else msg("An average with models that are no networks"),
        )
    if manifest.pipeline["features"].get("text"):
        return msg("Between two words there is no straight line: use the words that matter, which covers them one by one.")
    return None


def start_gradients(ws: Workspace, results: Results, said: Said, rows: Sequence[int]) -> ShortWork:
    """Queue the job for at most 16 rows; the same question is not asked twice, one that failed or was stopped begins again.

    Raises:
        SettingProblem: the model has no gradient, or no row or too many are given.
    """
    why_not = why_no_gradients(results.manifest)
    if why_not is not None:
        raise SettingProblem(why_not, msg("Integrated gradients need a network."), msg("Choose another method."))
    if not 1 <= len(rows) <= MOST_ROWS:
        raise SettingProblem(
            msg("{n} rows were given.", n=len(rows)),
            msg("Expected 1 to {most}.", most=MOST_ROWS),
            msg("Choose fewer rows."),
        )
    return start_short(ws, _request(ws, results, said, rows))


def find_gradients(ws: Workspace, results: Results, said: Said, rows: Sequence[int]) -> ShortWork | None:
    """The job of this question, or None where nobody asked or its result is gone."""
    return find_short(ws, _request(ws, results, said, rows))


def stop_gradients(ws: Workspace, job_id: str) -> None:
    """Ask the job to stop; nothing of it is kept."""
    stop_short(ws, job_id)


def read_gradients(ws: Workspace, work: ShortWork) -> Gradients | None:
    """What a job found; None while it has no result."""
    told = ws.store.last_event(work.job_id, "result") if work.state == "succeeded" else None
    if told is None or work.path is None or not work.path.exists():
        return None
    with np.load(work.path, allow_pickle=False) as stored:
        given = {name: stored[name] for name in stored.files}
    return Gradients(
        rows=given["rows"],
        columns=tuple(map(str, told.values["columns"])),
        values=given["values"],
        saliency=given["saliency"],
        outputs=given["output"],
        baselines=given["baseline"],
        gaps=given["gap"],
        steps=given["steps"].astype(np.int64),
        activation=given.get("activation"),
        attention=given.get("attention"),
    )


def _file(ws: Workspace, job: JobRow) -> Path:
    return ws.store.path(str(job.params["run_id"]), "results", file_name(job.id))


def _request(ws: Workspace, results: Results, said: Said, rows: Sequence[int]) -> ShortRequest:
    which = hashlib.sha256(",".join(str(int(row)) for row in rows).encode()).hexdigest()[:16]
    return ShortRequest(
        "explain",
        f"explain-{results.run.id}-{said.place}-{which}",
        {
            "run_id": results.run.id,
            "dataset_id": results.run.dataset_id,
            "rows": [int(row) for row in rows],
            "place": said.place,
        },
        STAGE,
        lambda job: _file(ws, job).exists(),
        lambda job: _file(ws, job),
    )
