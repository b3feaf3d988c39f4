"""The parts of a screen that every screen has in the same place. All of them take plain text and escape it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.messages import Message
from pages.components import state
from pages.components.text import md, say, t


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure: a label, a value with its unit, and what it is compared with or made of."""

    label: str
    value: str
    beside: str = ""
    help: str = ""


def headline(sentence: str, why: str = "", *, width: Literal["stretch", "content"] = "stretch") -> None:
    """The finding of a screen in a sentence; `why` opens on demand."""
    if not why:
        st.title(md(sentence), anchor=False, width=width)
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    row.title(md(sentence), anchor=False, width="stretch")
    with row.popover(t("Why?"), type="tertiary"):
        st.markdown(md(why))


def figures(items: Sequence[Figure]) -> None:
    """At most four headline figures in a row; the second line says what to compare with."""
    for cell, item in zip(st.columns(len(items[:4])), items[:4], strict=True):
        cell.metric(
            md(item.label),
            _bare(item.value),
            _bare(item.beside) or None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=md(item.help) if item.help else None,
        )


def _bare(words: str) -> str:
    """Words of a metric without links and pictures: Streamlit reads Markdown in its value and its second line, and names are users'."""
    return words.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def caption(*parts: str) -> None:
    """The one line under a chart: n, period, where limits come from, what is left out."""
    st.caption(md(" · ".join(part for part in parts if part)))


def notes(messages: Sequence[Message]) -> None:
    """What has to be known about the figures above, a line each; nothing where there is nothing to say."""
    for message in messages:
        st.caption(f":material/info: {md(say(message))}")


def next_step(page: str, label: str, reason: str, *, key: str = "next_step", icon: str = ":material/arrow_forward:") -> None:
    """The end of a screen: the next step of the journey and why. `page` is a file such as "learn/train.py"."""
    st.divider()
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    row.markdown(md(reason), width="stretch")
    if row.button(md(label), key=key, icon=icon, icon_position="right"):
        state.go(page)


def empty(sentence: str, will_be: str, *, action: str = "", page: str = "", key: str = "empty_action", icon: str = "") -> bool:
    """An empty screen: a finding, what will be here, and the one action that fills it.

    Returns True when the action was clicked and no `page` was named; with a page it goes there.
    """
    headline(sentence)
    clicked = empty_picture(will_be, action=action, key=key, icon=icon)
    if clicked and page:
        state.go(page)
    return clicked


def empty_picture(will_be: str, *, action: str = "", key: str = "empty_action", icon: str = "") -> bool:
    """The frame of an empty screen: a small picture, what will be here, and a button if there is an `action`."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f":gray[{icon or ':material/table_chart:'}]", text_alignment="center")
        st.markdown(md(will_be), text_alignment="center")
        clicked = bool(action) and st.button(md(action), type="primary", key=key)
        st.space("small")
    return clicked


def confirm(label: str, consequence: str, *, key: str, icon: str = ":material/delete:", disabled: bool = False) -> bool:
    """A destructive button that asks once and says what will be gone. True when the user has said yes."""
    with st.popover(md(label), icon=icon, disabled=disabled):
        st.markdown(md(consequence))
        return st.button(md(label), key=key, icon=icon, type="primary")
