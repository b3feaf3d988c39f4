"""How a fit steps: the length of the gradient and the learning rate, for people who want to know why a curve does what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.workflows.records import Curves
from pages.components import layout
from pages.components.live_chart import curve_chart, curve_frame
from pages.components.text import t


def show(curves: Curves, end: float, palette: Mapping[str, str]) -> None:
    """Two panels behind a line; nothing for a run that has not told them."""
    if not np.isfinite(curves.gradient_norm).any():
        return
    with st.expander(t("Gradient and learning rate"), icon=":material/stairs:", key="live_steps"):
        panels = (
            ("gradient", t("Gradient"), curves.gradient_norm, curves.batch_gradient_norm, True),
            ("rate", t("Learning rate"), curves.learning_rate, curves.batch_learning_rate, False),
        )
        for name, title, by_epoch, by_batch, log in panels:
            words = {"training": title, "validation": "", "epoch": t("Epoch"), "best": t("best: epoch")}
            frame = curve_frame(_of(curves, by_epoch, by_batch), metric=False, end=end)
            spec = curve_chart(words, palette, title=title, log=log, height=120, is_last=name == "rate")
            alt = t("{title} by epoch", title=title)
            st.vega_lite_chart(frame, spec, key=f"live_{name}", on_select="rerun", selection_mode="zoom", alt=alt)
        layout.caption(
            t("length of the gradient, mean over an epoch, before it is cut"),
            t("a length that jumps or grows asks for smaller steps"),
        )


def _of(curves: Curves, by_epoch: NDArray[np.float64], by_batch: NDArray[np.float64]) -> Curves:
    """The same run with another quantity in the place of the training loss."""
    return replace(curves, loss=by_epoch, val_loss=np.full(len(by_epoch), np.nan), batch_loss=by_batch)
