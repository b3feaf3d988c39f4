"""The verb `seed-faults`: faults of known size put into a run's own normal rows, and how large they must be to be found."""

from __future__ import annotations

from typing import Any

from core.cli.common import Answer, Options, aligned, check_out, pairs, slow_progress


def seed_faults(options: Options) -> Answer:
    from core import workflows as wf

    if options.out is not None:
        check_out(options.out)
    ws = wf.open_workspace()
    results = wf.open_results(ws, wf.run_id_of(ws, options.run))
    given: dict[str, object] = {**pairs(options.set)}
    if options.sensor:
        names = _words(options.sensor)
        given["sensors"] = wf.sensors_of(results) if names == ["all"] else tuple(names)
    if options.kind:
        kinds = _words(options.kind)
        given["kinds"] = tuple(wf.FAULT_TITLES) if kinds == ["all"] else tuple(kinds)
    given |= {"scale": "sigma"} if options.sigma else {}
    given |= {"together": True} if options.together else {}
    if options.sizes:
        given["sizes"] = tuple(_words([options.sizes]))
    said = slow_progress(options)
    watch = (lambda share: said("seeding", share)) if said is not None else (lambda share: None)
    view = wf.seed_faults(ws, results, wf.SeedSettings.read(given), watch)
    if options.out is not None:
        wf.export_seeding(view, options.out)
    answer = _answer(view, options)
    return answer, _lines(view, answer), 0


def _words(texts: list[str]) -> list[str]:
    """Names given several times, or with commas between them."""
    return [word.strip() for text in texts for word in text.split(",") if word.strip()]


def _answer(view: Any, options: Options) -> dict[str, object]:
    share, low, high = view.faults[0].found.false_alarms
    return {
        "headline": str(view.headline),
        "run": view.run_id,
        "stretches": view.n_stretches,
        "length": view.length,
        "parts": list(view.parts),
        "limit": view.limit,
        "k": view.settings.k,
        "n": view.settings.n,
        "without_fault": {"alarmed": view.n_alarmed, "share": share, "low": low, "high": high, "rows": view.alarm_rate},
        "faults": [_fault(fault) for fault in view.faults],
        "notes": [str(note) for note in view.notes],
        "out": None if options.out is None else str(options.out),
    }


def _fault(fault: Any) -> dict[str, object]:
    from core import workflows as wf

    stored = fault.found.to_json()
    return {
        "sensor": fault.sensor,
        "sensors": list(fault.sensors) or [fault.sensor],
        "scale": fault.scale,
        "kind": fault.kind,
        "unit": fault.size_unit,
        "sigma": fault.sigma,
        "sentence": str(wf.fault_sentence(fault)),
        "sizes": stored["points"],
        "reached": stored["reaches"],
        "stretches_used": fault.found.n_stretches - fault.found.n_alarmed,
    }


def _lines(view: Any, answer: dict[str, Any]) -> list[str]:
    quiet = answer["without_fault"]
    lines = [
        answer["headline"],
        "",
        f"{view.n_stretches} stretches of {view.length} rows ({', '.join(view.parts)}); decision limit {view.limit:.5g}",
        f"without a fault: {quiet['alarmed']} of {view.n_stretches} stretches alarm ({quiet['share']:.1%}), {quiet['rows']:.2%} of their rows",
    ]
    for fault in view.faults:
        lines += ["", f"{fault.sensor}, {fault.kind}"]
        head = ["size", "found", "95 %", "rows to alarm", "90 %"]
        lines += aligned([head, *(_point(point, str(fault.unit_words)) for point in fault.found.points)])
        for reach in fault.found.reaches:
            lines.append(f"found {reach.share:.0%} of the time: {_reach(reach, fault)}")
    lines += [f"- {note}" for note in answer["notes"]]
    return [*lines, f"→ {answer['out']}"] if answer["out"] is not None else lines


def _point(point: Any, unit: str) -> list[str]:
    size = "–" if point.size is None else f"{point.size:.4g} {unit}".strip()
    if point.share is None:
        return [size, "–", "–", "–", "–"]
    delays = ["–" if value is None else f"{value:.3g}" for value in (point.delay, point.late)]
    return [size, f"{point.detected} of {point.n}", f"{point.low:.0%} to {point.high:.0%}", *delays]


def _reach(reach: Any, fault: Any) -> str:
    unit = str(fault.unit_words)
    beyond = f"above {fault.largest:.4g}"
    span = f"({reach.low:.4g} to {beyond if reach.high is None else f'{reach.high:.4g}'})"
    size = f"not up to {fault.largest:.4g}" if reach.size is None else f"{reach.size:.4g}"
    return f"{size} {unit} {span}".replace("  ", " ")
