"""A decision limit by a rule: cost, good parts rejected at most, or defects caught at least; one click puts the slider there."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import workflows as wf
from pages.components import class_prices, layout, notices, numbers, state
from pages.components.forms import form_from_settings
from pages.components.text import md, say, t

USED = "_class_rule_used"
SHOWN = {
    "cost": ("rule", "missed", "rejected"),
    "rejected": ("rule", "most_rejected", "confident"),
    "caught": ("rule", "least_caught", "confident"),
}


def show(results: Any, classes: tuple[str, ...], positive: str, slider: str) -> None:
    """The rule in the rail; `slider` is the key of the limit that it moves."""
    n_used = st.session_state.get(USED, 0)  # a new key closes the list once its limit is used: it would hide what moved
    box = st.popover(t("Choose the limit by a rule"), icon=":material/rule:", width="stretch", key=f"class_rule_box.{n_used}")
    with box, notices.guard():
        prefix = f"class_rule.{results.run.id}.{positive}"
        rule = st.session_state.get(f"{prefix}.rule", "cost")
        skip = [name for name in wf.LimitSettings.model_fields if name not in SHOWN.get(rule, SHOWN["cost"])]
        prices = _follow_prices(results.run.id, classes, positive, prefix)
        chosen = form_from_settings(wf.LimitSettings, prices, key=prefix, skip=skip)
        settings = wf.LimitSettings.read(chosen)
        if rule == "cost" and prices:
            _keep_prices(results.run.id, classes, positive, prefix, settings)
        view = _view(str(state.workspace().home), results.run.id, positive, settings.model_dump_json(), results)
        _found(view)
        st.button(
            t("Use this limit"),
            key=f"use.{prefix}",
            icon=":material/tune:",
            disabled=view.limit is None or not 0 <= view.limit <= 1,
            on_click=_use,
            args=(slider, view.limit),
            width="stretch",
        )


def _follow_prices(run_id: str, classes: tuple[str, ...], positive: str, prefix: str) -> dict[str, float]:
    """The prices of the money view as those of the rule; {} where two prices do not say them. Fields that were drawn follow a change there."""
    pair = wf.limit_prices(classes, class_prices.held(run_id, classes), positive)
    if pair is None:
        return {}
    found = dict(zip(("missed", "rejected"), pair, strict=True))
    if st.session_state.get(f"{prefix}.prices", pair) != pair:
        for name, price in found.items():
            if f"{prefix}.{name}" in st.session_state:
                st.session_state[f"{prefix}.{name}"] = price
    st.session_state[f"{prefix}.prices"] = pair
    return found


def _keep_prices(run_id: str, classes: tuple[str, ...], positive: str, prefix: str, settings: wf.LimitSettings) -> None:
    """Give prices that were typed into the rule to the money view."""
    pair = (settings.missed, settings.rejected)
    if st.session_state.get(f"{prefix}.prices") == pair or not any(pair):
        return
    st.session_state[f"{prefix}.prices"] = pair
    class_prices.keep(run_id, wf.with_limit_prices(classes, class_prices.held(run_id, classes), positive, *pair))


@st.cache_resource(max_entries=16, show_spinner=False, ttl=900)
def _view(home: str, run_id: str, positive: str, settings: str, _results: Any) -> wf.LimitView:
    """A frozen record, so that sessions may share it; a finished run does not change."""
    return wf.limit_view(_results, wf.LimitSettings.model_validate_json(settings), positive)


def _use(slider: str, limit: float | None) -> None:
    if limit is not None:
        st.session_state[f"{slider}.exact"] = limit
        st.session_state[USED] = st.session_state.get(USED, 0) + 1
        st.session_state[slider] = round(min(1.0, max(0.0, limit)), 3)


def _found(view: wf.LimitView) -> None:
    st.markdown(md(say(view.headline)))
    if view.test is None:
        return
    if view.is_kept is False:
        st.markdown(
            f":orange[:material/warning:] {md(t('The test part breaks it by more than chance: it is not like the validation part.'))}"
        )
    if view.settings.rule == "cost":
        here, own, base, nothing = view.costs
        layout.caption(
            t("cost of 1,000 rows: {here}", here=numbers.number(here)),
            t("at the run's own limit {own}", own=numbers.number(own)),
            t("baseline, by one limit of its own, {base}", base=numbers.number(base)) if base is not None else "",
            t("flagging nothing {nothing}", nothing=numbers.number(nothing)),
            t(
                "prices: {missed} for a missed defect, {rejected} for a rejected good part",
                missed=numbers.number(view.settings.missed),
                rejected=numbers.number(view.settings.rejected),
            ),
        )
    elif view.baseline is not None:
        layout.caption(
            t(
                "baseline by the same rule: {caught} caught, {rejected} rejected",
                caught=numbers.percent(view.baseline.caught_share),
                rejected=numbers.percent(view.baseline.rejected_share),
            )
        )
    layout.caption(t("chosen on the validation part, counted on the test part"))
