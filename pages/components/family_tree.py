"""All model families for a question, as a tree of cards: what each is for, how much data it needs, what it costs here."""

from __future__ import annotations

import streamlit as st

from core import workflows as wf
from core.models import models_for
from core.workflows.records import TrainingPlan
from pages.components import layout, notices, numbers, state
from pages.components.text import md, say, t, tn


def offer(plan: TrainingPlan) -> None:
    """The button that opens the tree."""
    n = len(models_for(plan.request.task))  # the tree itself is drawn when it is opened: it costs a plan of each family
    label = tn("See {n} model", "Compare all {n} models", n)
    if st.button(label, key="all_models", icon=":material/account_tree:"):
        _dialog(plan)


def _tree(plan: TrainingPlan) -> tuple[wf.FamilyBranch, ...]:
    return _remembered(state.workspace(), plan.request.model_dump_json(), plan)


@st.cache_data(show_spinner=False, max_entries=16, ttl=600)
def _remembered(_ws: wf.Workspace, request_json: str, _plan: TrainingPlan) -> tuple[wf.FamilyBranch, ...]:
    return wf.family_tree(_ws, _plan)


def _dialog(plan: TrainingPlan) -> None:
    st.dialog(t("Which model?"), width="large", icon=":material/account_tree:")(_content)(plan)


def _content(plan: TrainingPlan) -> None:
    tree = _tree(plan)
    n = plan.split.counts["train"]
    layout.caption(
        tn("{n} training row", "{n} training rows", n), t("time and memory on two cores, with the settings of each family")
    )
    for branch in tree:
        is_open = any(card.key == plan.model for card in branch.cards)
        with st.expander(f"**{md(say(branch.title))}**", expanded=is_open, key=f"branch_{branch.key}"):
            st.caption(md(say(branch.summary)))
            for card in branch.cards:
                _card(card, is_chosen=card.key == plan.model, is_recommended=card.key == plan.recommendation.model)


def _card(card: wf.FamilyCard, *, is_chosen: bool, is_recommended: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xsmall", width="stretch"):
            tail = f" :small[:gray[· {md(t('recommended'))}]]" if is_recommended else ""
            st.markdown(f"**{md(say(card.title))}**{tail}")
            st.markdown(md(say(card.summary)))
            if card.why_not is not None:
                notices.warn(card.why_not)
            layout.caption(_need(card), *_cost(card))
        chosen = st.button(
            t("Chosen") if is_chosen else t("Choose"),
            key=f"take_{card.key}",
            disabled=is_chosen or card.why_not is not None,
            icon=":material/check:" if is_chosen else None,
            on_click=_choose,
            args=(card.key,),
            help=md(t("Source: {source}", source=card.source)),
        )
    if chosen:
        st.rerun()  # closes the dialog


def _need(card: wf.FamilyCard) -> str:
    enough = t("from about {n} rows", n=numbers.number(card.useful_rows))
    return enough if card.has_enough else t("{enough}: you have too few", enough=enough)


def _cost(card: wf.FamilyCard) -> list[str]:
    if card.seconds is None or card.memory_bytes is None:
        return [t("a few seconds")]
    found = [
        t("at most about {length}", length=numbers.duration(card.seconds)),
        t("{size} of memory", size=f"{card.memory_bytes / 1e6:,.0f} MB"),
    ]
    if card.n_weights is not None:
        found.append(t("about {n} weights", n=numbers.number(card.n_weights)))
    return found


def _choose(key: str) -> None:
    st.session_state["train_model"] = key
