"""An attribute agreement study of a dataset's column: who rated which part how, and what the standard says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, SettingProblem, unknown_choice
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.agreement import Agreement, AgreementStudy, agreement_study
from core.spc.crossed import Crossed, cross
from core.spc.individuals import NotDefined
from core.workflows.csv_out import write_csv
from core.workflows.labels import column_named, different, labels_of, percent

MOST_CATEGORIES = 20


class AgreementSettings(Settings):
    """What ratings are compared with, and what they mean."""

    standard_column: str | None = setting(
        None, title="Column of the standard", help="What each part is in truth, the same on all of its rows.", expert=False
    )
    bad: str | None = setting(
        None, title="Bad category", help="The rating that means a defect; needed for misses and false alarms.", expert=False
    )
    order: str | None = setting(
        None, title="Order", help="Categories from lowest to highest, with commas. Empty: they have no order.", expert=False
    )
    confidence: float = setting(0.95, title="Confidence", help="Of the intervals.", ge=0.5, le=0.999)


@dataclass(frozen=True, slots=True)
class AgreementView:
    """An agreement study of one column of ratings."""

    column: str
    part: str
    appraiser: str | None
    study: AgreementStudy
    notes: tuple[Message, ...]

    @property
    def main(self) -> Agreement:
        """What the headline speaks of: all against the standard, else all with each other, else the one appraiser."""
        study = self.study
        found = study.all_against or (study.against[0] if study.against else study.between)
        return found if found is not None else study.within[0]

    @property
    def headline(self) -> Message:
        share, study = self.main.parts, self.study
        told: dict[str, str | int] = {
            "column": self.column,
            "n": share.agreed,
            "of": share.n,
            "percent": percent(share.share),
            "low": percent(share.low),
            "high": percent(share.high),
        }
        if study.standard is not None:
            return msg("'{column}': all ratings of {n} of {of} parts are right, {percent} % ({low} to {high} %)", **told)
        return msg("'{column}': all ratings of {n} of {of} parts are alike, {percent} % ({low} to {high} %)", **told)

    @property
    def weakest(self) -> Message | None:
        """Which appraiser is right least often; None without a standard or with one appraiser."""
        if len(self.study.against) < 2:
            return None
        least = min(self.study.against, key=lambda a: a.parts.share)
        return msg(
            "{who} is right least often: on {percent} % of the parts each time",
            who=least.who,
            percent=percent(least.parts.share),
        )


def agreement_view(
    dataset: Dataset, column: str, part: str, appraiser: str | None, settings: AgreementSettings
) -> AgreementView:
    """Agreement of ratings in categories: each row is one rating of a part by an appraiser.

    Raises:
        DataProblem: a column is missing or named twice, cells are missing or have other numbers of rows, the ratings are no
            categories, or a part has no standard or two.
        SettingProblem: a bad category that is none, or an order that leaves categories out.
        NotEnoughData: there is nothing to compare.
    """
    named = (column, part, appraiser, settings.standard_column)
    different({str(i): name for i, name in enumerate(named)})
    for name in named:
        if name is not None:
            column_named(dataset, name)
    table = dataset.rows([name for name in named if name is not None]).read()
    cells = {name: labels_of(table[name]) for name in named if name is not None}
    kept = np.logical_and.reduce([cells[n] != np.array(None) for n in (column, part, appraiser) if n is not None])
    cells = {name: labels[kept] for name, labels in cells.items()}
    layout = cross(cells[part], None if appraiser is None else cells[appraiser])
    if isinstance(layout, NotDefined):
        raise DataProblem(
            msg("This is no complete agreement study: {reason}.", reason=layout.reason),
            msg("Expected each appraiser to rate each part equally often, one rating a row."),
            msg("Rate what is missing, or leave out the parts or appraisers named."),
        )
    standard = None if settings.standard_column is None else _standard(cells[settings.standard_column], layout)
    categories = _categories(column, [*cells[column], *([] if standard is None else standard)], settings.order)
    places = {name: i for i, name in enumerate(categories)}
    if settings.bad is not None and settings.bad not in places:
        raise unknown_choice("bad", settings.bad, categories)
    codes = np.array([places[label] for label in cells[column]], dtype=np.int64)
    found = agreement_study(
        codes[layout.rows],
        layout,
        categories,
        standard=None if standard is None else np.array([places[label] for label in standard], dtype=np.int64),
        bad=None if settings.bad is None else places[settings.bad],
        ordered=settings.order is not None,
        confidence=settings.confidence,
    )
    if isinstance(found, NotDefined):
        raise NotEnoughData(
            msg("There is no agreement to tell: {reason}.", reason=found.reason),
            msg("Agreement needs two ratings of a part, or one and a standard."),
            msg("Name a column of appraisers or of the standard, or rate the parts again."),
        )
    notes, left_out = found.notes, int((~kept).sum())
    if left_out:
        notes = (
            *notes,
            msg_n("{n} row without rating, part or appraiser was left out", "{n} rows without rating, part or appraiser were left out", left_out),
        )  # fmt: skip
    return AgreementView(column, part, appraiser, found, notes)


def export_agreement(view: AgreementView, path: Path) -> None:
    """Every rating with its part, appraiser, trial and standard as CSV, with whether it is right."""
    study = view.study
    p, o, r = study.codes.shape
    places = np.indices((p, o, r)).reshape(3, -1)
    names = np.array(study.categories, dtype=object)
    table = pd.DataFrame(
        {
            "part": np.array(study.layout.parts, dtype=object)[places[0]],
            "appraiser": np.array(study.layout.operators, dtype=object)[places[1]],
            "trial": places[2] + 1,
            "rating": names[study.codes.ravel()],
        }
    )
    if study.standard is not None:
        table["standard"] = names[study.standard[places[0]]]
        table["right"] = study.codes.ravel() == study.standard[places[0]]
    write_csv(table, path, formula_safe=True)


def _standard(labels: NDArray[np.object_], layout: Crossed) -> list[str]:
    """The standard of each part, (parts,)."""
    found = []
    for name, rows in zip(layout.parts, layout.rows.reshape(len(layout.parts), -1), strict=True):
        own = list(dict.fromkeys(label for label in labels[rows] if label is not None))
        if len(own) != 1:
            raise DataProblem(
                msg("Part '{part}' has no standard.", part=name)
                if not own
                else msg("Part '{part}' has more than one standard: {standards}.", part=name, standards=", ".join(own)),
                msg("Expected one standard a part, on each of its rows."),
                msg("Correct the column of the standard."),
            )
        found += own
    return found


def _categories(column: str, labels: Sequence[str], order: str | None) -> list[str]:
    """The categories in use, in the order given, else numbers by size and texts by alphabet."""
    there = list(dict.fromkeys(labels))
    if len(there) > MOST_CATEGORIES:
        raise DataProblem(
            msg("Column '{column}' holds {n} different values.", column=column, n=len(there)),
            msg("An agreement study sorts parts into categories, {n} at most.", n=MOST_CATEGORIES),
            msg("Choose the column of ratings; measurements belong into a gage study."),
        )
    if order is not None:
        given = [name.strip() for name in order.split(",") if name.strip()]
        missing = [name for name in there if name not in given]
        if missing or len(set(given)) < len(given):
            raise SettingProblem(
                msg("order is '{order}'.", order=order),
                msg("Expected each category once: {categories}.", categories=", ".join(sorted(there))),
                msg("Write them from lowest to highest, with commas."),
                name="order",
                value=order,
            )
        return given
    try:
        return sorted(there, key=float)
    except ValueError:
        return sorted(there)
