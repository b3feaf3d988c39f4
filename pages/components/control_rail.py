"""The rail of a control chart: what is charted, where its limits come from and which rules count, in the order in which it is decided."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.errors import Problem
from core.spc.rules import BOOKS, FARTHEST, LONGEST, Rule, RuleBook, rule_book, usual_k
from pages.components import address_settings
from pages.components.choices import fixed
from pages.components.explore_parts import kept_rules, pick
from pages.components.forms import field_widget
from pages.components.layout import caption
from pages.components.text import md, say, t

KEY = "control"
ALL, BASELINE, STAGES, SHIFTS, KNOWN = "all", "baseline", "stages", "shifts", "known"
ASKED, COLUMN_OF = "control_asked", "control_column_of"
CHARTS = {
    "measurement": ("auto", "I-MR", "Xbar-R", "Xbar-S", "EWMA", "CUSUM", "run"),
    "defectives": ("auto", "p", "np"),
    "defects": ("auto", "c", "u"),
}


class Rail:
    """The widgets of the settings, which start from the address or from what a button has asked for.

    A button cannot set the value of a widget that has one, so that the keys of all change with each such wish.
    """

    def __init__(self, dataset: Dataset, column: str) -> None:
        self.names = [c.name for c in dataset.columns if c.name != column]
        self.numeric = [c.name for c in dataset.columns if c.name != column and c.kind == "number"]
        self.fields = wf.ControlSettings.model_fields
        asked = st.session_state.get(ASKED, {}).get(dataset.id)
        given = asked[1] if asked else address_settings.read(wf.ControlSettings, self.names, owner=f"{KEY}.{dataset.id}")
        is_told = given.rules != "nelson" or given.only_rules
        kept = {} if asked or is_told else kept_rules(dataset.id)
        self.values, self.prefix = given.model_dump() | kept, f"{KEY}.{dataset.id}.{asked[0] if asked else 0}"
        asked_of = asked[2] if asked else st.session_state.get(COLUMN_OF, column)
        if asked_of != column:  # a standard, or rows left out with a cause, of one column are none of another
            self.values |= {"known_centre": None, "known_sigma": None, "left_out": ()}
        st.session_state[COLUMN_OF] = self.column = column
        self.is_wrong, self.wrong = False, list[str]()

    def settings(self) -> wf.ControlSettings | None:
        """What is chosen, in the order in which it is decided; None where a field has a value that cannot be, which is said beside it.

        Raises:
            SettingProblem: a value that its field does not allow.
        """
        chosen: dict[str, Any] = {"counts": self._kind()}
        chosen |= (
            self._points() if chosen["counts"] == "measurement" else {"size_column": self._column("size_column", self.numeric)}
        )
        offered = CHARTS[chosen["counts"]]
        words = {name: t("proposed") if name == "auto" else t("run chart") if name == "run" else name for name in offered}
        now = self.values["chart"] if self.values["chart"] in offered else offered[0]
        chosen["chart"] = self._choice(say(self.fields["chart"].title or ""), words, now, f"chart.{chosen['counts']}")
        chosen |= self._limits(takes_standard=chosen["counts"] == "measurement" and chosen["chart"] != "run")
        chosen["left_out"] = self.values["left_out"]
        if chosen["chart"] in wf.WITHOUT_RULES:
            return self._rest(chosen)
        books = {book.key: say(book.title) for book in BOOKS}
        about = say(self.fields["rules"].description or "")
        chosen["rules"] = self._choice(say(self.fields["rules"].title or ""), books, self.values["rules"], "rules", about)
        chosen["only_rules"] = self._only_rules(rule_book(chosen["rules"]))
        return self._rest(chosen)

    def _rest(self, chosen: dict[str, Any]) -> wf.ControlSettings | None:
        """What few ask for; a target of EWMA and CUSUM stands here where sigma comes from the points."""
        has_subgroups = bool(chosen.get("subgroup_column")) or (chosen.get("subgroup") or 1) > 1
        used = wf.used_by(chosen["chart"], has_subgroups=has_subgroups) if chosen["counts"] == "measurement" else ()
        names = [name for name in wf.OF_EXPERTS if name in used]
        if "known_centre" not in chosen and chosen["chart"] in ("EWMA", "CUSUM"):
            names.insert(0, "known_centre")
        if names:
            with st.expander(t("More")):
                # The centre of a known standard is none of a chart whose limits come another way.
                start = {"known_centre": None} if self._way() == KNOWN else {}
                chosen |= {name: self._widget(name, of=self.column, **start) for name in names}
        return None if self.is_wrong else wf.ControlSettings.read(chosen)

    def _only_rules(self, book: RuleBook) -> tuple[str, ...]:
        """Each rule of the book on or off, with its own k; nothing where all are on as they are."""
        given = dict(part.partition(":")[::2] for part in self.values["only_rules"]) if book.key == self.values["rules"] else {}
        taken: list[str] = []
        with st.popover(t("Single rules"), icon=":material/checklist:", width="stretch"):
            caption(t("k: points in a row, or of the limits the distance from the centre line in σ. Of “k of n” n is k + 1."))
            for number, rule in book.numbered:
                entry = self._one_rule(book.key, number, rule, given)
                taken += [entry] if entry is not None else []
            if not taken:
                caption(t("Without any other rule the control limits alone count."))
        return () if taken == [str(number) for number, _ in book.numbered] else tuple(taken) or ("1",)

    def _one_rule(self, book: str, number: int, rule: Rule, given: dict[str, str]) -> str | None:
        """The entry of a rule that is on, with its k where that is not the book's."""
        cells = st.columns([0.74, 0.26], vertical_alignment="center")
        key = f"{self.prefix}.{book}.{number}"
        is_on = cells[0].checkbox(
            f"{number}. {md(say(rule.sentence))}", value=not given or str(number) in given, key=f"{key}.on"
        )
        usual, own = usual_k(rule), _number(given.get(str(number), ""))
        kind = float if rule.kind == "limit" else int
        least = kind(0.5 if rule.kind == "limit" else 3 if rule.kind in ("trend", "alternating") else 2)
        most = kind(FARTHEST if rule.kind == "limit" else LONGEST)
        value = kind(min(max(usual if own is None else own, least), most))
        k = cells[1].number_input(
            t("k of rule {number}", number=number),
            least,
            most,
            value=value,
            step=kind(1) if kind is int else 0.5,
            key=f"{key}.k",
            label_visibility="collapsed",
            disabled=not is_on,
        )
        if not is_on:
            return None
        return str(number) if k == usual else f"{number}:{k:g}"

    def _kind(self) -> str:
        titles = {"measurement": t("measurements"), "defectives": t("defective units"), "defects": t("defects")}
        about = say(self.fields["counts"].description or "")
        return self._choice(t("Kind of data"), titles, self.values["counts"], "counts", about)

    def _points(self) -> dict[str, Any]:
        titles = {"one": t("each row"), "size": t("several rows"), "column": t("rows that share a value")}
        now = "column" if self.values["subgroup_column"] else "size" if self.values["subgroup"] else "one"
        picked = self._choice(t("One point is"), titles, now, "point")
        if picked == "size":
            return {"subgroup": self._widget("subgroup", subgroup=self.values["subgroup"] or 5)}
        return {"subgroup_column": self._column("subgroup_column", self.names)} if picked == "column" else {}

    def _limits(self, *, takes_standard: bool) -> dict[str, Any]:
        """The ways to limits, which exclude each other."""
        titles = {
            ALL: t("all points"),
            BASELINE: t("a baseline period"),
            STAGES: t("stages by a column"),
            SHIFTS: t("stages from shifts"),
            **({KNOWN: t("a known standard")} if takes_standard else {}),
        }
        about = t(
            "Limits from a chosen period (Phase I) stay as they are for all later points (Phase II); those of a known standard are not learned at all."
        )
        now = self._way() if self._way() in titles else ALL
        picked = self._choice(t("Limits from"), titles, now, "limits" if takes_standard else "limits.learned", about)
        if picked == KNOWN:
            cells = st.columns(2)
            with cells[0]:
                centre = self._widget("known_centre", of=self.column, in_cell=True)
            with cells[1]:
                sigma = self._widget("known_sigma", of=self.column, in_cell=True)
            self._tell()
            if centre is None or sigma is None:
                caption(t("What is empty is learned from all points."))
            return {"known_centre": centre, "known_sigma": sigma}
        if picked == BASELINE:
            cells = st.columns(2)
            with cells[0]:
                start = self._widget("baseline_start", in_cell=True)
            with cells[1]:
                count = self._widget("baseline", in_cell=True)
            self._tell()
            caption(t("or draw it on the chart"))
            return {"baseline_start": start or 1, "baseline": count}
        if picked == STAGES:
            return {"stage_column": self._column("stage_column", self.names)}
        return {"shifts": picked == SHIFTS}

    def _way(self) -> str:
        if self.values["known_sigma"] is not None:
            return KNOWN
        if self.values["baseline"] is not None or self.values["baseline_start"] > 1:
            return BASELINE
        return STAGES if self.values["stage_column"] else SHIFTS if self.values["shifts"] else ALL

    def _widget(self, name: str, *, of: str = "", in_cell: bool = False, **start: Any) -> Any:
        """The widget of a field, with a sentence below where it has a value that cannot be, which `in_cell` waits for `_tell`.

        What belongs to one column alone has a key of its own for each.
        """
        values = {**self.values, **start}
        value = field_widget(self.fields[name], values[name], key=f"{self.prefix}.{of}{'.' if of else ''}{name}", bounded=False)
        try:
            wf.ControlSettings.read({name: value})
        except Problem as problem:
            what = t("{label}: {value}.", label=say(self.fields[name].title or ""), value=f"{value:g}".replace("-", "−"))
            self.wrong.append(f"{md(what)} {md(say(problem.expected))} {md(t('Correct it to see the chart.'))}")
        if not in_cell:
            self._tell()
        return value

    def _tell(self) -> None:
        """What cannot be, below the fields that were drawn last, over the whole width."""
        for sentence in self.wrong:
            self.is_wrong = True
            st.markdown(f":red[:material/error: {sentence}]")
        self.wrong.clear()

    def _choice(self, label: str, titles: dict[str, str], now: str, name: str, about: str = "") -> str:
        options = list(titles)
        return str(
            st.selectbox(
                md(label),
                options,
                index=options.index(now),
                format_func=fixed(titles, titles.__getitem__),
                key=f"{self.prefix}.{name}",
                help=md(about) or None,
            )
        )

    def _column(self, name: str, names: Sequence[str]) -> str | None:
        """A column of the table, or none."""
        title, about = say(self.fields[name].title or ""), say(self.fields[name].description or "")
        return pick(title, names, self.values[name], key=f"{self.prefix}.{name}", about=about, none=t("none"))


def _number(text: str) -> float | None:
    """A number of the address, None where it is none; what a rule cannot have is cut to what it can."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def ask(dataset_id: str, column: str, settings: wf.ControlSettings) -> None:
    """Settings that a button or a stretch drawn on the chart asks for, for one column."""
    asked = st.session_state.setdefault(ASKED, {})
    asked[dataset_id] = (asked[dataset_id][0] + 1 if dataset_id in asked else 1, settings, column)
