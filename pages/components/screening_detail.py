"""One column of the screening: its reasons with their fixes, its course with the places marked, its distribution."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import caption_rows, distribution, screened_column
from core.data.dataset import Dataset
from core.messages import msg
from core.screening import ColumnScreen, Place, Reason
from pages.components import charts, notices, numbers, recipes, state
from pages.components.choices import fixed
from pages.components.findings import severity_word
from pages.components.layout import caption
from pages.components.looks import charts_look
from pages.components.screening_table import GRADE_COLOURS, grade_words
from pages.components.text import md, say, t

ICONS = {"stop": ":red[:material/block:]", "warn": ":orange[:material/warning:]", "info": ":gray[:material/info:]"}
MOST_PLACES, LONGEST_TITLE = 8, 64


def show(found: wf.Screened, column: ColumnScreen, *, is_newest: bool) -> None:
    """Chart and distribution on the left, reasons in the rail."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    row.subheader(md(column.name), anchor=False, width="content")
    grade = found.grade(column)
    row.badge(grade_words()[grade], color=GRADE_COLOURS[grade])  # type: ignore[arg-type]
    main, rail = st.columns([0.6, 0.4], gap="medium")
    with rail:
        _reasons(found, column, is_newest)
    with main, notices.guard():
        if column.kind == "number":
            _course(found, column)
            _histogram(found.dataset, column)
        elif column.classes:
            _classes(column, found.screening.n_rows)
        else:
            caption(t("Nothing to draw: the column holds times."))


def _reasons(found: wf.Screened, column: ColumnScreen, is_newest: bool) -> None:
    if not column.reasons:
        st.markdown(f":green[:material/check_circle:] {md(t('Nothing was found in this column.'))}")
    seen: list[str] = []
    for reason in column.reasons:
        reason_card(found, reason, is_newest=is_newest, twin=seen.count(reason.code))
        seen.append(reason.code)
    if column.no_ppk is not None:
        caption(t("Ppk is not defined: {reason}.", reason=column.no_ppk))
    elif column.ppk is not None:
        caption(
            t(
                "Ppk {ppk} (95 %: {low} to {high}), n = {n}",
                ppk=f"{column.ppk:.2f}",
                low=f"{column.ppk_low:.2f}",
                high=f"{column.ppk_high:.2f}",
                n=column.ppk_n,
            ),
            t("capability means little while a column is not in control"),
        )


def reason_card(found: wf.Screened, reason: Reason, *, is_newest: bool, twin: int = 0) -> None:
    """One reason: severity, sentence, where, and what can be done about it.

    Args:
        twin: How many cards of the same column and code stand above, such as of the other end of a clipped column.
    """
    key = wf.key_of(reason)
    name = f"{reason.column}.{reason.code}" + (f".{twin}" if twin else "")
    is_left, is_fixed = key in found.left, key in found.fixed and reason.fix is not None
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{ICONS[reason.severity]} **{md(severity_word(reason.severity))}**: {md(say(reason.message))}")
        if len(reason.places) > 1:
            _places(reason.places)
        if reason.fix is not None and reason.fix.caution is not None and not is_left and not is_fixed:
            st.caption(md(say(reason.fix.caution)))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            if is_fixed:
                st.caption(md(t("In the recipe: {fix}", fix=reason.fix.title if reason.fix else "")))
            elif is_left:
                st.caption(md(t("Left as it is")))
                if st.button(t("Take back"), key=f"take_back.{name}", type="tertiary", icon=":material/undo:"):
                    decide(found, [key], left=False)
            else:
                _actions(found, reason, name, is_newest)


def _actions(found: wf.Screened, reason: Reason, name: str, is_newest: bool) -> None:
    """The fix, and leaving it; leaving stands first where only a person can tell a fault from the truth."""
    if reason.fix is not None and reason.fix.caution is not None:
        _leave(found, reason, name)
        _fix(found, reason, name, is_newest)
    else:
        _fix(found, reason, name, is_newest)
        _leave(found, reason, name)


def _fix(found: wf.Screened, reason: Reason, name: str, is_newest: bool) -> None:
    fix = reason.fix
    if fix is None:
        return
    if st.button(say(fix.title), key=f"fix.{name}", icon=":material/build:", disabled=not is_newest):
        apply(found, [wf.key_of(reason)])


def _leave(found: wf.Screened, reason: Reason, name: str) -> None:
    told = md(t("Remember that this is as it should be."))
    if st.button(t("Leave"), key=f"leave.{name}", icon=":material/check:", help=told):
        decide(found, [wf.key_of(reason)], left=True)


def _places(places: tuple[Place, ...]) -> None:
    with st.popover(t("Where"), type="tertiary", icon=":material/place:"):
        lines = [place_text(p) for p in places[:MOST_PLACES]] + (["…"] if len(places) > MOST_PLACES else [])
        st.markdown("\n".join(f"- {md(words)}" for words in lines))


def place_text(place: Place) -> str:
    """A place in words: its time, and its row or rows."""
    where = t("row {row}", row=place.first + 1)
    if place.last != place.first:
        where = t("rows {first} to {last}", first=place.first + 1, last=place.last + 1)
    if not place.start:
        return where
    span = place.start if place.end in ("", place.start) else f"{place.start} – {place.end}"
    return f"{span} ({where})"


def apply(found: wf.Screened, keys: list[tuple[str, str]]) -> None:
    """Do what these reasons propose, and show the dataset as it then is."""
    with notices.guard():
        dataset, recipe = wf.apply_fixes(state.workspace(), found.dataset.id, keys)
        recipes.Draft(dataset.id).put(recipe)
        notices.done(
            msg("Saved as version {version}.", version=dataset.version)
            if dataset.version != found.dataset.version
            else msg("The recipe has the steps now: the next training uses it.")
        )
        state.open_now(dataset=dataset.id)


def decide(found: wf.Screened, keys: list[tuple[str, str]], *, left: bool) -> None:
    """Leave reasons as they are, or take that back."""
    with notices.guard():
        wf.leave_reasons(state.workspace(), found.dataset.id, keys, left=left)
        st.rerun()


def _course(found: wf.Screened, column: ColumnScreen) -> None:
    placed = [r for r in column.reasons if r.places]
    chosen = placed[0] if placed else None
    if len(placed) > 1:
        codes = {r.code: r for r in placed}
        label = fixed(codes, lambda k: say(codes[k].message))
        picked = st.selectbox(t("Marked in the chart"), list(codes), format_func=label, key=f"mark.{column.name}")
        chosen = codes[picked]
    trace = wf.column_trace(state.workspace(), found.dataset, column.name, chosen.places if chosen else ())
    along = None
    time = found.dataset.with_role("time")
    if time and trace.x.dtype.kind == "f":
        along = msg("{name}", name=time[0].name)
    figure = screened_column(
        values=trace.values,
        column=column.name,
        unit=column.unit,
        x=trace.x,
        rows=trace.rows,
        marked=trace.marked,
        spans=trace.spans,
        limits=column.limits,
        along=along,
        title=msg("{finding}", finding=_short(say(chosen.message))) if chosen else None,
        **charts_look(),
    )
    alt = say(chosen.message) if chosen else t("{column} in the order of its rows", column=column.name)
    charts.show(figure, alt=alt, key="screening_course", height=300)
    share = max(1, found.screening.baseline_rows)
    limits = t("control limits from the first {n} rows", n=share) if column.limits else ""
    caption(say(caption_rows(trace.n_rows, trace.x)), limits)


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_TITLE else words[: LONGEST_TITLE - 1].rstrip() + "…"


def _histogram(dataset: Dataset, column: ColumnScreen) -> None:
    if len(column.counts) < 2:
        return
    spec = dataset.column(column.name)
    figure = distribution(
        histogram=(column.edges, column.counts),
        column=column.name,
        unit=column.unit,
        specification=(spec.lower_limit, spec.nominal, spec.upper_limit),
        **charts_look(),
    )
    charts.show(figure, alt=t("Distribution of {column}", column=column.name), key="screening_histogram", height=220)
    caption(t("n = {n} rows", n=sum(column.counts)), t("without disguised codes"))


def _classes(column: ColumnScreen, n_rows: int) -> None:
    table = pd.DataFrame(
        {
            "value": [c.value for c in column.classes],
            "rows": [c.n for c in column.classes],
            "share": [100 * c.n / max(1, n_rows) for c in column.classes],
        }
    )
    config = {
        "value": st.column_config.TextColumn(t("text")),
        "rows": st.column_config.NumberColumn(t("rows"), format="localized"),
        "share": st.column_config.ProgressColumn(t("share (%)"), min_value=0, max_value=100, format="%.1f"),
    }
    st.dataframe(
        table,
        column_config=config,
        hide_index=True,
        key="screening_classes",
        alt=t("Most frequent texts of {column}", column=column.name),
    )
    if column.distinct > len(column.classes):
        caption(t("the {n} most frequent of {total} texts", n=len(column.classes), total=numbers.number(column.distinct)))
