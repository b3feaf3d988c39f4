"""A classifier's bundle with what tells rows of none of its classes: rows to compare with, and the limit on held-out ones."""

from __future__ import annotations

import numpy as np

from core.features.targets import ClassTarget
from core.jobs.fitting import statistics_of, thinned
from core.jobs.sources import encoded_targets
from core.serving.bundle import Bundle, write_bundle
from core.serving.manifest import UnknownFacts
from core.serving.unknown import known_rows, unknown_limit
from core.training.prepare import Prepared, without_text
from core.training.resolve import Resolved

MOST_HELD_OUT = 5_000
CHUNK = 4_096


def with_unknown(bundle: Bundle, prepared: Prepared, resolved: Resolved) -> Bundle:
    """The bundle of a classification with known rows and limit; as it is for other tasks, and where the rate is 0.

    Rows are those of the training part, the limit is set on the validation part, the test part is not looked at. Free text does
    not count; where there is nothing else, the bundle stays as it is too.
    """
    rate = resolved.task.unknown_rate
    if rate <= 0 or not isinstance(prepared.target, ClassTarget) or not prepared.pipeline.plan.features:
        return bundle
    prepared = without_text(prepared)  # numbers of words are no distances
    statistics, places = statistics_of(prepared, prepared.train)
    codes = encoded_targets(prepared, places)
    if codes is None:
        return bundle
    known = known_rows(statistics, codes.astype(np.int64))
    held_out = thinned(prepared.validation, MOST_HELD_OUT)
    parts = [
        known.distance(prepared.inputs.windows.batch(held_out[start : start + CHUNK]))
        for start in range(0, len(held_out), CHUNK)
    ]
    limit = unknown_limit(np.concatenate(parts), rate)
    facts = UnknownFacts(limit=limit, miss_rate=rate, n=len(held_out))
    manifest = bundle.manifest.model_copy(update={"unknown": facts})
    written = write_bundle(bundle.folder, manifest, files={}, arrays={"known_rows.npz": known.to_arrays()})
    return Bundle(bundle.folder, written)
