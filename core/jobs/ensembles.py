"""The bundle of what was chosen: one candidate's as it is, or several candidates' models beside each other with their shares."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.jobs.candidates import Ground, Kept, Tried
from core.jobs.fitting import base_manifest, rewrite
from core.jobs.last_fit import MODEL_FILES, Part
from core.models import ENSEMBLE_KEY, model_by_key, reads_text
from core.serving.bundle import Bundle, load_bundle, write_bundle
from core.serving.manifest import MemberFacts
from core.training.prepare import Prepared, without_text
from core.training.resolve import Resolved, resolve_candidate


def write_choice(
    ground: Ground, kept: Kept, members: Sequence[tuple[Tried, float]], folder: Path, choice: dict[str, Any]
) -> tuple[Resolved, Prepared, Bundle, tuple[Part, ...]]:
    """Write the bundle of one candidate, or of an ensemble, to `folder`; it is not calibrated yet. Also its models, in order.

    Members of one width share one pipeline. Members of several widths: the window of the widest, of which the others read
    their last rows, which is what they were fitted on.
    """
    if len(members) == 1:
        tried = members[0][0]
        shutil.copytree(kept.of(tried.number) / "bundle", folder, dirs_exist_ok=True)
        resolved = resolve_candidate(ground.auto, tried.model, **tried.options)
        bundle = load_bundle(folder)
        request = ground.auto.request.model_dump(mode="json")
        manifest = bundle.manifest.model_copy(update={"choice": choice, "request": request})
        prepared = ground.of(resolved)
        return resolved, prepared, rewrite(bundle, manifest), (Part(resolved, prepared),)
    return _write_ensemble(ground, kept, members, folder, choice)


def _write_ensemble(
    ground: Ground, kept: Kept, members: Sequence[tuple[Tried, float]], folder: Path, choice: dict[str, Any]
) -> tuple[Resolved, Prepared, Bundle, tuple[Part, ...]]:
    folder.mkdir(parents=True, exist_ok=True)
    facts, parts = [], []
    ordered = sorted(members, key=lambda m: (-m[1], m[0].number))
    widest = max(tried.width for tried, _ in members)
    prepared = ground.prepared[widest]
    if not any(reads_text(model_by_key(tried.model)) for tried, _ in members):
        prepared = without_text(prepared)
    n_tokens = prepared.pipeline.plan.n_tokens
    for place, (tried, weight) in enumerate(ordered):
        source = kept.of(tried.number) / "bundle"
        manifest = load_bundle(source).manifest
        for name in MODEL_FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name.replace("model", f"member{place}", 1))
        own = resolve_candidate(ground.auto, tried.model, **tried.options)
        parts.append(Part(own, ground.of(own), f"member{place}"))
        facts.append(
            MemberFacts(
                model=tried.model,
                predictor=manifest.predictor,
                weight=weight,
                width=tried.width,
                skipped=0 if reads_text(model_by_key(tried.model)) else n_tokens,
                settings=manifest.settings,
                training=manifest.training,
            )
        )
    resolved = resolve_candidate(ground.auto, next(t.model for t, _ in ordered if t.width == widest))
    whole = base_manifest(resolved, prepared, ENSEMBLE_KEY, "ensemble", model_by_key(ENSEMBLE_KEY).settings())
    seconds = sum(tried.seconds for tried, _ in members)
    request = ground.auto.request.model_dump(mode="json")
    update = {"members": tuple(facts), "choice": choice, "request": request, "training": {"seconds": seconds}}
    finished = whole.model_copy(update=update)
    return resolved, prepared, Bundle(folder, write_bundle(folder, finished, files={}, arrays={})), tuple(parts)
