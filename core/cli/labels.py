"""The verb `labels`: likely wrong labels of a classification run, and the table with the answers that people gave."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, pairs
from core.spc.kappa import Kappa

SHOWN = 20


def labels(options: Options) -> Answer:
    from core import workflows as wf

    for out in (options.out, options.relabelled):
        if out is not None:
            check_out(out)
    ws = wf.open_workspace()
    results = wf.open_results(ws, wf.run_id_of(ws, options.run))
    view = wf.label_view(results)
    undone = wf.undo_answer(ws, view, by=options.by) if options.undo else None
    people = wf.relabelling(ws, results, view, wf.LabelSettings.read(pairs(options.set)))
    if options.out is not None:
        wf.export_label_problems(view, options.out)
    changed = None if options.relabelled is None else wf.export_relabelled(ws, results, view, options.relabelled)
    answer = _answer(view, people)
    answer |= {"out": _text(options.out), "relabelled": _text(options.relabelled), "changed": changed, "undone": undone}
    return answer, _lines(view, people, answer), 0


def _answer(view: Any, people: Any) -> dict[str, object]:
    kappa = people.kappa
    share, low, high = people.confirmed
    return {
        "headline": str(view.headline),
        "run": view.run_id,
        "target": view.target,
        "classes": list(view.classes),
        "judged": len(view.rows),
        "parts": dict(view.part_counts),
        "estimated_share": view.found.share,
        "confident_joint": view.found.joint.tolist(),
        "problems": [asdict(p) for p in view.problems],
        "answers": {
            "given": len(people.answers),
            "waiting": len(people.waiting),
            "asked": len(people.queue),
            "asked_suspected": people.n_suspected,
            "no_longer_blind": sum(row in people.seen for row in people.answers),
            "confirmed": {"share": share, "low": low, "high": high, "of": people.suspected[2], "too_few": people.is_few},
            "unsuspected_with_label": list(people.unsuspected),
            "kappa": kappa.value if isinstance(kappa, Kappa) else None,
        },
        "notes": [str(note) for note in view.notes],
    }


def _lines(view: Any, people: Any, answer: dict[str, Any]) -> list[str]:
    lines = [answer["headline"], ""]
    head = ["row", "label", "rather", "chance of the label", "margin"]
    rows = [
        [f"{p.row + 1:,}", p.label, p.suggested, f"{p.self_confidence:.3f}", f"{p.margin:.3f}"] for p in view.problems[:SHOWN]
    ]
    lines += aligned([head, *rows]) if rows else []
    if len(view.problems) > SHOWN:
        lines.append(f"… {len(view.problems) - SHOWN:,} more; --out writes all")
    if people.answers:
        said = f"; {people.told}"
        kappa = f"; kappa with the labels {people.kappa.value:.2f}" if isinstance(people.kappa, Kappa) else ""
        lines.append(f"{len(people.answers)} rows labelled anew{said}{kappa}")
    lines += [str(people.sentence)]
    lines += [] if answer["undone"] is None else [f"the answer on row {answer['undone'] + 1:,} is taken back"]
    lines += [f"- {note}" for note in answer["notes"]]
    written = [f"→ {path}" for path in (answer["out"], answer["relabelled"]) if path is not None]
    return [*lines, *written]


def _text(path: Any) -> str | None:
    return None if path is None else str(path)
