"""Validation: published worked examples recomputed by this installation, each figure beside the printed one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import workflows as wf
from pages.components.layout import Figure, caption, figures, headline
from pages.components.text import md, say, t


@st.cache_resource(max_entries=1, show_spinner=False)
def _found() -> wf.Validation:
    """A frozen record, the same for all sessions."""
    return wf.validate()


def show() -> None:
    """All examples, each opens its figures."""
    found = _found()
    headline(
        say(found.headline),
        t(
            "Limits and indices decide about parts; an auditor asks how they were checked. Here they are computed anew on this machine."
        ),
    )
    figures(
        [
            Figure(t("Figures that come out"), f"{found.n_equal}", t("of {n}", n=found.n_figures)),
            Figure(t("Published examples"), f"{len(found.found)}", t("with source and data")),
        ]
    )
    for example, rows in found.found:
        equal = sum(r.is_equal for r in rows)
        icon = ":material/check_circle:" if equal == len(rows) else ":material/error:"
        words = t("{title}: {n} of {of}", title=say(example.title), n=equal, of=len(rows))
        with st.expander(md(words), icon=icon):
            st.markdown(md(t("Source: {source}", source=example.source)))
            if example.remark is not None:
                caption(say(example.remark))
            table = pd.DataFrame(
                {
                    "name": [r.name for r in rows],
                    "printed": [r.printed for r in rows],
                    "ours": [f"{r.ours:.10g}" for r in rows],
                    "equal": [t("yes") if r.is_equal else t("no") for r in rows],
                }
            )
            config = {
                "name": st.column_config.TextColumn(t("Figure")),
                "printed": st.column_config.TextColumn(t("Printed"), alignment="right"),
                "ours": st.column_config.TextColumn(t("Computed here"), alignment="right"),
                "equal": st.column_config.TextColumn(t("Comes out")),
            }
            st.dataframe(table, column_config=config, hide_index=True, key=f"validation.{example.key}", alt=say(example.title))
    caption(
        t(
            "A figure comes out where it differs by at most half of its last printed digit, or by what the print itself is rounded by."
        ),
        t("only examples whose text was found are listed"),
    )


show()
