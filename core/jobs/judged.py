"""A fitted bundle judged: set on the validation part, fitted once more with it, measured on the test part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import TEST, VALIDATION
from core.evaluation import Metric
from core.jobs import judging
from core.jobs.fitting import rewrite
from core.jobs.last_fit import Part, is_wanted, last_fit
from core.messages import Message
from core.serving.bundle import Bundle
from core.serving.raw import RawScores
from core.serving.scoring import decide, scores_of_inputs
from core.training.events import StopRequested
from core.training.prepare import Prepared
from core.training.resolve import Resolved
from core.watching import Watch, unwatched


@dataclass(frozen=True, slots=True)
class Judged:
    """A calibrated bundle with its figures, its raw scores of each dataset row, and what to say of its last fit.

    `why_first` says why of several baselines this one is compared with.
    """

    bundle: Bundle
    metrics: tuple[Metric, ...]
    raw: RawScores
    note: Message | None = None
    why_first: Message | None = None

    def scored(self, rows: NDArray[np.int64] | slice) -> pd.DataFrame:
        """What is said of some rows, one row each, in their order."""
        return decide(self.bundle, self.raw, rows)


@dataclass(frozen=True, slots=True)
class Again:
    """What a last fit needs: the models, the seconds that it may take, who may end it and who is told that it begins."""

    parts: tuple[Part, ...]
    seconds: float
    stop_requested: StopRequested
    tell: Callable[[], None] = lambda: None


def judge(
    bundle: Bundle, prepared: Prepared, resolved: Resolved, watch: Watch = unwatched, again: Again | None = None
) -> Judged:
    """Choose threshold, interval or decision on the validation part, fit once more with it, then measure on the test part.

    Before a last fit only those rows are scored that the choosing reads; whichever model is kept scores the others. The
    validation rows keep the scores of the first fit, which had not seen them.
    """
    if again is None or not is_wanted(resolved, prepared):
        raw = scores_of_inputs(bundle, prepared.inputs, prepared.room, watch)
        calibrated = rewrite(bundle, judging.calibrated(bundle.manifest, raw, prepared, resolved))
        return Judged(calibrated, figures(calibrated, raw, TEST, prepared, resolved), raw)
    is_held = prepared.split.parts[prepared.inputs.row_of_window] == VALIDATION
    is_read = is_held | judging.places_read(prepared, resolved)
    first = scores_of_inputs(bundle, prepared.inputs, prepared.room, watch, places=np.flatnonzero(is_read))
    calibrated = rewrite(bundle, judging.calibrated(bundle.manifest, first, prepared, resolved))
    again.tell()
    last = last_fit(calibrated, again.parts, seconds=again.seconds, stop_requested=again.stop_requested)
    kept, missing = (calibrated, ~is_read) if last is None else (last.bundle, ~is_held)
    raw = scores_of_inputs(kept, prepared.inputs, prepared.room, watch, places=np.flatnonzero(missing), onto=first)
    return Judged(kept, figures(kept, raw, TEST, prepared, resolved), raw, None if last is None else last.note)


def figures(bundle: Bundle, raw: RawScores, part: int, prepared: Prepared, resolved: Resolved) -> tuple[Metric, ...]:
    """The figures of the rows of a part."""
    rows = prepared.split.rows(part)
    return judging.part_metrics(decide(bundle, raw, rows), rows, prepared, resolved, bundle.manifest)
