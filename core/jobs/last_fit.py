"""The last fit: once everything is chosen, the kept model is fitted once more on the rows of training and validation part.

The validation part ends a training, chooses among candidates and sets interval and decision; after that its rows, a fifth of
what is known, would teach the model nothing. So it is fitted once more with them: a shallow family as it is, a network for
the epochs and with the learning rates of its first fit up to the best epoch. What was chosen and set stays as the first fit
gave it, and so do the scores of the validation rows, which that fit had not seen. A model that has seen more rows errs no
more on new ones as a rule, so that interval and decision are on the safe side; the test part shows whether they hold.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import Problem
from core.features.targets import ClassTarget
from core.jobs.fitting import fit_baseline, fit_deep, rewrite
from core.jobs.sources import encoded_targets
from core.messages import Message, msg, msg_n
from core.serving.bundle import Bundle
from core.training.events import Event, StopRequested
from core.training.prepare import Prepared
from core.training.resolve import Resolved
from core.watching import Stopped

MOST_WINDOWS = 1_000_000  # a fifth more of a million rows changes nothing that can be measured, and costs as much again
SLOWER = 1.25  # than the first fit, for the rows that are more
WORSE = 1.5  # times the loss of the first fit: a network that ends there has gone astray
FOLDER = "last_fit"
REPEATING = ("last_value", "season_ago")
OF_FIRST_FIT = ("epochs", "best_epoch", "stopped_by", "seconds", "rates", "loss", "fit")
MODEL_FILES = ("model.onnx", "model.npz", "model.keras", "model.txt")


@dataclass(frozen=True, slots=True)
class Part:
    """One model of a bundle: how it was fitted, and the name before the dot of its files ("model", "member0")."""

    resolved: Resolved
    prepared: Prepared
    name: str = "model"


@dataclass(frozen=True, slots=True)
class LastFit:
    """The bundle with the models of the last fit, and what to say of it."""

    bundle: Bundle
    note: Message


def is_wanted(resolved: Resolved, prepared: Prepared) -> bool:
    """Whether the question has a last fit: it was not turned off, and there are rows held back that can teach.

    A decision limit on anomaly scores holds for the very scores that it was set on, so that a detector is left as it is.
    """
    n = len(prepared.train) + len(prepared.validation)
    return resolved.task.last_fit and resolved.request.task != "anomaly" and len(prepared.validation) > 0 and n <= MOST_WINDOWS


def expected_seconds(training: dict[str, Any]) -> float:
    """What the last fit of a model takes, from what its first fit told; 0 where it has nothing to fit again."""
    seconds = float(training.get("seconds", 0.0))
    if "fit" not in training:
        return SLOWER * seconds
    epochs, rates = int(training.get("epochs", 0)), training.get("rates", [])
    return SLOWER * seconds * len(rates) / max(1, epochs)


def last_fit(bundle: Bundle, parts: Sequence[Part], *, seconds: float, stop_requested: StopRequested) -> LastFit | None:
    """Fit the models of a bundle once more, on training and validation part; None where none could be.

    Args:
        bundle: As the first fit left it; its calibration stays. Its files are replaced.
        parts: Its models in the order of its members, one for a single model.
        seconds: That may be spent; a model that would take longer stays as it is.
    """
    ends = time.monotonic() + seconds
    first = parts[0]
    if not is_wanted(first.resolved, first.prepared):
        return None
    given = bundle.manifest.members or (None,)
    training = [bundle.manifest.training if member is None else member.training for member in given]
    fitted: list[tuple[Part, Bundle]] = []
    for part, told in zip(parts, training, strict=True):
        learns_nothing = part.resolved.spec.key in REPEATING
        if learns_nothing or expected_seconds(told) > ends - time.monotonic() or stop_requested():
            continue
        found = _fitted(part, told, bundle.folder / FOLDER / part.name, lambda: stop_requested() or time.monotonic() > ends)
        if found is not None:
            fitted.append((part, found))
    manifest = bundle.manifest
    for part, found in fitted:
        _move_files(found.folder, bundle.folder, part.name)
        told = {key: value for key, value in found.manifest.training.items() if key not in OF_FIRST_FIT}
        facts = {**told, "last_fit_rows": len(_all_places(part.prepared))}
        if not manifest.members:
            manifest = manifest.model_copy(
                update={"predictor": found.manifest.predictor, "training": {**manifest.training, **facts}}
            )
            continue
        members = [
            member.model_copy(update={"predictor": found.manifest.predictor, "training": {**member.training, **facts}})
            if part.name == f"member{place}"
            else member
            for place, member in enumerate(manifest.members)
        ]
        manifest = manifest.model_copy(update={"members": tuple(members)})
    shutil.rmtree(bundle.folder / FOLDER, ignore_errors=True)
    if not fitted:
        return None
    return LastFit(rewrite(bundle, manifest), _note(len(_all_places(first.prepared)), len(fitted), len(parts)))


def _fitted(part: Part, told: dict[str, Any], folder: Path, stop_requested: StopRequested) -> Bundle | None:
    """The model fitted on all places; None where it cannot be, has gone astray, or was stopped."""
    resolved, prepared = part.resolved, part.prepared
    whole = replace(prepared, train=_all_places(prepared), validation=prepared.validation[:0])
    try:
        if resolved.spec.role != "network":
            return fit_baseline(resolved, whole, resolved.spec, resolved.model_settings, folder)
        rates = tuple(float(rate) for rate in told.get("rates", ()))
        if not rates:
            return None
        bundle, fit = fit_deep(
            resolved, whole, folder, emit=_silent, stop_requested=stop_requested, checkpoints=None, replay=rates
        )
    except (Problem, Stopped):
        return None
    has_ended = fit.stopped_by == "epochs" and len(fit.history) == len(rates)
    if not has_ended or float(fit.history[-1]["loss"]) > WORSE * float(told.get("loss", np.inf)):
        return None
    return bundle


def _all_places(prepared: Prepared) -> NDArray[np.int64]:
    """Places of training and validation part, but none of a class that the training part does not have."""
    places = np.sort(np.concatenate([prepared.train, prepared.validation]))
    if not isinstance(prepared.target, ClassTarget):
        return places
    codes = encoded_targets(prepared, places)
    return places if codes is None else places[codes >= 0]


def _move_files(source: Path, folder: Path, name: str) -> None:
    for file in MODEL_FILES:
        if (source / file).is_file():
            (source / file).replace(folder / file.replace("model", name, 1))


def _note(n_rows: int, n_fitted: int, n_parts: int) -> Message:
    if n_fitted < n_parts:
        return msg(
            "{n} of {of} models of the average were fitted once more on training and validation part together ({rows} rows); the "
            "others stay as they were, for lack of time or because it failed. Interval and decision come from the fit before, "
            "which had not seen these rows.",
            n=n_fitted,
            of=n_parts,
            rows=n_rows,
        )
    return msg_n(
        "Once everything was chosen, the model was fitted once more on training and validation part together ({n} row). "
        "Interval, decision and the figures of the validation part come from the fit before, which had not seen these rows.",
        "Once everything was chosen, the model was fitted once more on training and validation part together ({n} rows). "
        "Interval, decision and the figures of the validation part come from the fit before, which had not seen these rows.",
        n_rows,
    )


def _silent(event: Event) -> None:
    """The curve of the last fit has no validation loss beside it, and would hide the first one's."""
