"""What the table of a measurement study looks like: said in words and shown, because most tables hold none."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.layout import caption
from pages.components.text import md, t


def example(*, is_rating: bool) -> None:
    """The layout of a gage or agreement study with a small made-up table."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{md(t('What the table of such a study looks like'))}**")
        if is_rating:
            st.markdown(
                md(
                    t(
                        "One rating a row: which part, who rated it, and what they said, of course without seeing what was said before. Each "
                        "appraiser rates each part equally often, better twice or more. A column with the truth of each part is the standard."
                    )
                )
            )
        else:
            st.markdown(
                md(
                    t(
                        "One measurement a row: which part, who measured it, and the value. Each operator measures each part equally "
                        "often, two or three times, in mixed order. Customary are 10 parts that span the process, 3 operators and 2 or 3 repeats."
                    )
                )
            )
        st.dataframe(
            _table(is_rating), hide_index=True, key="study_example", alt=t("An example with made-up values"), width=520
        )
        caption(t("an example with made-up values, its first rows"))
        st.markdown(md(t("Bring such a file on the Data screen, or choose the columns on the right if this table is one.")))


def _table(is_rating: bool) -> pd.DataFrame:
    part, who, trial = t("part no."), t("operator"), t("trial")
    keys = [(p, o, r) for p in ("1", "2") for o in ("Ann", "Bob") for r in (1, 2)]
    table = pd.DataFrame(keys, columns=[part, t("appraiser") if is_rating else who, trial])
    if is_rating:
        good, bad = t("good"), t("bad")
        table[t("rating")] = [good, good, good, bad, bad, bad, bad, bad]
        table[t("standard")] = [good] * 4 + [bad] * 4
        return table
    table[t("value")] = ["10.02", "10.03", "10.05", "10.04", "9.87", "9.88", "9.90", "9.91"]
    return table
