"""How large must a fault be for this run to find it? Faults of known size in its own normal rows, per sensor and kind."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import detection_curve, detection_delay, detection_map
from core.errors import Problem
from pages.components import address_settings, charts, layout, notices, numbers
from pages.components.choices import fixed
from pages.components.explore_parts import export
from pages.components.forms import form_from_settings
from pages.components.layout import Figure, caption
from pages.components.looks import charts_look
from pages.components.text import md, say, t, tn

KEY, POLL_SECONDS = "seeded", 1.0
MAIN, OWN = ("together", "scale", "sizes", "length"), ("sensors", "kinds")
MAP_SHARE, SHOWN = 0.8, (0.5, 0.9)


def show(ws: wf.Workspace, results: wf.Results) -> None:
    """The view of one finished run."""
    head = st.container()
    main, rail = st.columns([0.72, 0.28], gap="medium")
    settings, owner = None, f"{KEY}.{results.run.id}"
    with rail, notices.guard():
        settings = _rail(results, owner)
    if settings is None:
        return
    address_settings.note(settings, owner=owner)
    view = None
    with main, notices.guard():
        view = _answer(ws, results, settings, head)
    if view is None:
        return
    with head:
        layout.headline(
            say(view.headline),
            t(
                "Each fault is put into copies of normal rows that the model has not learned from, and scored as new data would be."
            ),
        )
    with main, notices.guard():
        _drawn(view)


def _rail(results: wf.Results, owner: str) -> wf.SeedSettings:
    known = wf.sensors_of(results)
    given = address_settings.read(wf.SeedSettings, (), owner=owner).model_dump()
    titles = {key: say(title) for key, title in wf.FAULT_TITLES.items()}
    st.markdown(f"**{md(t('Which faults'))}**")
    start = [name for name in given["sensors"] if name in known] or list(known if given["together"] else known[:1])
    sensors = st.multiselect(t("Sensors"), list(known), default=start, key=f"{owner}.sensors", placeholder=t("choose"))
    kinds = st.multiselect(
        t("Faults"), list(titles), default=list(given["kinds"]), format_func=fixed(titles, titles.__getitem__),
        key=f"{owner}.kinds", placeholder=t("choose"),
    )  # fmt: skip
    others = [name for name in wf.SeedSettings.model_fields if name not in MAIN]
    chosen = form_from_settings(wf.SeedSettings, given, key=owner, skip=[*others, "scale"])
    if chosen["together"] and len(sensors) > 1 and not chosen["sizes"]:  # there is no unit that all of them have
        chosen["scale"] = "sigma"
        caption(t("sizes in standard deviations of each sensor, as no sizes are given"))
    else:
        chosen |= form_from_settings(
            wf.SeedSettings, given, key=owner, skip=[n for n in wf.SeedSettings.model_fields if n != "scale"]
        )
    if len(sensors) == 1 and chosen["scale"] == "unit" and results.dataset.column(sensors[0]).unit:
        caption(t("sizes in {unit}", unit=results.dataset.column(sensors[0]).unit))
    if chosen["together"] and len(sensors) < 2:
        caption(t("A common cause moves several sensors: choose them above."))
    with st.expander(t("More")):
        chosen |= form_from_settings(wf.SeedSettings, given, key=owner, skip=(*MAIN, *OWN))
    asked = tuple(sensors) if tuple(sensors) != known[:1] or chosen["together"] else ()
    return wf.SeedSettings.read({**chosen, "sensors": asked, "kinds": tuple(kinds) or ("step",)})


def _answer(ws: wf.Workspace, results: wf.Results, settings: wf.SeedSettings, head: Any) -> wf.SeededView | None:
    """The answer where it is kept or quickly had; else the job that makes it, or the button that starts one."""
    kept = wf.kept_seeding(ws, results, settings)
    if kept is not None:
        return kept
    try:
        if not wf.is_large_seeding(results, settings):
            with st.spinner(t("Seeding faults …")):
                return wf.seed_faults(ws, results, settings)
        work = wf.find_seeding(ws, results, settings)
    except Problem as problem:
        with head:
            layout.headline(t("No fault can be seeded as it is set"))
        notices.problem(problem)
        return None
    with head:
        layout.headline(t("Many faults are put into many stretches"))
    if work is not None and work.is_live:
        st.fragment(_work, run_every=POLL_SECONDS)(ws, results, settings)
        return None
    if work is not None and work.problem is not None:
        notices.problem(work.problem)
    caption(t("This takes longer than a moment. It goes on when you leave this screen, and the answer is kept with the run."))
    if st.button(t("Seed the faults"), key=f"{KEY}_start", type="primary", icon=":material/play_arrow:"):
        wf.start_seeding(ws, results, settings)
        st.rerun()
    return None


def _work(ws: wf.Workspace, results: wf.Results, settings: wf.SeedSettings) -> None:
    """How far the job is, drawn again every second."""
    work = wf.find_seeding(ws, results, settings)
    if work is None or not work.is_live:
        st.rerun(scope="app")
    words = t("waiting for its turn") if work.queue_position is not None else t("Seeding faults …")
    st.progress(work.fraction, words)
    label = t("Stopping …") if work.is_stopping else t("Stop")
    if st.button(label, key=f"{KEY}_stop", icon=":material/stop:", disabled=work.is_stopping):
        wf.stop_seeding(ws, work.job_id)
        st.rerun()


def _drawn(view: wf.SeededView) -> None:
    fault = view.faults[0]
    if len(view.faults) > 1:
        _map(view)
        words = {i: f"{f.sensor}: {say(wf.FAULT_TITLES[f.kind])}" for i, f in enumerate(view.faults)}
        chosen = st.selectbox(
            t("Fault"), list(words), format_func=fixed(list(words), words.__getitem__), key=f"{KEY}.{view.run_id}.fault"
        )
        fault = view.faults[chosen if chosen in words else 0]
    layout.figures(_figures(view, fault))
    if fault.is_sized:
        _curves(view, fault)
    st.dataframe(
        _table(fault), column_config=_config(fault), hide_index=True, key=f"{KEY}_table", alt=t("What was found at each size")
    )
    caption(
        tn("{n} stretch of {length} rows", "{n} stretches of {length} rows", view.n_stretches, length=view.length),
        t("from: {parts}", parts=", ".join(say(part) for part in view.parts)),
        t("{n} of them alarm without a fault and are left out of the shares", n=view.n_alarmed),
        t("in all of them at once: {sensors}", sensors=", ".join(fault.sensors))
        if fault.sensors
        else t("σ in the training part: {sigma}", sigma=numbers.number(fault.sigma, fault.unit)),
    )
    layout.notes(view.notes)
    export(t("All sizes (CSV)"), "seeded-faults.csv", partial(wf.export_seeding, view), key=f"{KEY}.export")


def _figures(view: wf.SeededView, fault: wf.SeededFault) -> list[Figure]:
    share, low, high = fault.found.false_alarms
    unit = say(fault.unit_words)
    shown = [_reached(fault, wanted, unit) for wanted in (0.9, 0.8)] if fault.is_sized else []
    reached = fault.found.reach(0.9) if fault.is_sized else None
    large = [
        p for p in fault.found.points if reached is not None and reached.size is not None and (p.size or 0) >= reached.size
    ]
    last = large[0] if large else fault.found.points[-1]
    if not fault.is_sized:
        between = "" if last.low is None else t("95 %: {span}", span=f"{100 * last.low:.3g} – {numbers.percent(last.high)}")
        shown.append(Figure(t("Found"), numbers.percent(last.share), between))
    span = "" if low is None else t("95 %: {span}", span=f"{100 * low:.3g} – {numbers.percent(high)}")
    beside = t("90 %: {n}", n=numbers.number(last.late))
    return [
        *shown,
        Figure(
            t("False alarms"),
            numbers.percent(share),
            span,
            help=t("Share of the same stretches that alarm as they are."),
        ),
        Figure(
            t("Rows to the alarm"),
            numbers.number(last.delay),
            beside,
            help=t(
                "From the first row of the fault, at the size that is found 90 % of the time, else at the largest; 0 is the first row itself."
            ),
        ),
    ]


def _reached(fault: wf.SeededFault, wanted: float, unit: str) -> Figure:
    reach = fault.found.reach(wanted)
    title = t("{percent} % found from", percent=round(100 * wanted))
    if reach is None or reach.size is None:
        return Figure(title, t("not found"), t("up to {size}", size=numbers.number(fault.largest, unit)))
    high = numbers.number(reach.high) if reach.high is not None else f"> {numbers.number(fault.largest)}"
    return Figure(title, numbers.number(reach.size, unit), t("95 %: {span}", span=f"{numbers.number(reach.low)} – {high}"))


def _curves(view: wf.SeededView, fault: wf.SeededFault) -> None:
    points, unit = fault.found.points, say(fault.unit_words)
    columns = {
        name: np.array([getattr(p, name) for p in points], dtype=float)
        for name in ("size", "share", "low", "high", "fitted", "delay", "late")
    }
    reached = [(r.size, r.share) for r in fault.found.reaches if r.size is not None and r.share in SHOWN]
    figure = detection_curve(
        sizes=columns["size"],
        shares=columns["share"],
        low=columns["low"],
        high=columns["high"],
        fitted=columns["fitted"],
        false_alarms=fault.found.false_alarms[0],
        reached=reached,
        name=fault.sensor,
        unit=unit,
        **charts_look(),
    )
    charts.show(figure, alt=say(wf.fault_sentence(fault)), key=f"{KEY}_curve")
    if np.isfinite(columns["delay"]).any():
        drawn = detection_delay(
            sizes=columns["size"], delays=columns["delay"], late=columns["late"], name=fault.sensor, unit=unit, **charts_look()
        )
        charts.show(drawn, alt=t("Rows from the beginning of the fault to the alarm, by size"), key=f"{KEY}_delay")


def _map(view: wf.SeededView) -> None:
    sensors = list(dict.fromkeys(f.sensor for f in view.faults))
    kinds = list(dict.fromkeys(f.kind for f in view.faults))
    found = {(f.sensor, f.kind): f for f in view.faults}
    words = [[_cell(found[s, k]) for k in kinds] for s in sensors]
    sizes = [[_sigmas(found[s, k]) for k in kinds] for s in sensors]
    titles = [say(wf.FAULT_TITLES[kind]) for kind in kinds]
    figure = detection_map(sensors=sensors, faults=titles, sizes=np.array(sizes), words=words, **charts_look())
    charts.show(figure, alt=t("Size of each fault that is found 80 % of the time, by sensor"), key=f"{KEY}_map")
    caption(
        t("colour: size in standard deviations of the training part"),
        t("without colour: no size, or not reached within what was tried"),
    )


def _cell(fault: wf.SeededFault) -> str:
    if not fault.is_sized:
        return numbers.percent(fault.found.points[0].share)
    reach, unit = fault.found.reach(MAP_SHARE), say(fault.unit_words)
    return f"> {numbers.number(fault.largest, unit)}" if reach is None or reach.size is None else _three(reach.size, unit)


def _three(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".strip()


def _sigmas(fault: wf.SeededFault) -> float:
    """The size in standard deviations; NaN where it has none: a lag, no size, or not reached."""
    reach = fault.found.reach(MAP_SHARE)
    size = None if reach is None else fault.in_sigma(reach.size)
    return float("nan") if size is None else size


def _table(fault: wf.SeededFault) -> pd.DataFrame:
    rows = [
        {
            "size": p.size,
            "found": t("{a} of {b}", a=p.detected, b=p.n),
            "share": None if p.share is None else 100 * p.share,
            "low": None if p.low is None else 100 * p.low,
            "high": None if p.high is None else 100 * p.high,
            "delay": p.delay,
            "late": p.late,
        }
        for p in fault.found.points
    ]
    table = pd.DataFrame(rows)
    return table if fault.is_sized else table.drop(columns="size")


def _config(fault: wf.SeededFault) -> dict[str, Any]:
    unit = say(fault.unit_words)
    return {
        "size": st.column_config.NumberColumn(f"{t('Size')} ({unit})" if unit else t("Size"), format="%.4g"),
        "found": st.column_config.TextColumn(t("Found")),
        "share": st.column_config.NumberColumn(t("Found (%)"), format="%.1f"),
        "low": st.column_config.NumberColumn(t("95 % from (%)"), format="%.1f"),
        "high": st.column_config.NumberColumn(t("95 % to (%)"), format="%.1f"),
        "delay": st.column_config.NumberColumn(t("Rows to the alarm"), format="%.4g"),
        "late": st.column_config.NumberColumn(t("90 % within (rows)"), format="%.4g"),
    }
