"""What has to be said about a plan before it is started."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import TRAIN, VALIDATION, Split
from core.features.plan import unread_text
from core.features.targets import class_texts
from core.jobs.judging import label_flags
from core.messages import Message, msg_n
from core.training.forecast_rows import repeated_times
from core.training.prepare import is_label
from core.training.resolve import Resolved

FEWEST_HEALTHY_ROWS = 50


def plan_notes(table: pd.DataFrame, split: Split, resolved: Resolved) -> tuple[Message, ...]:
    """Notes on the split of a plan: known faults in the rows that an anomaly model takes for healthy, series taken for one.

    Args:
        table: One row a dataset row, in dataset order, with the target column where there is one.
        split: The parts of those rows.
        resolved: The request with every choice closed.
    """
    if resolved.past is not None:
        return repeated_times(table, resolved.time, resolved.group)
    if resolved.request.task != "anomaly" or resolved.target is None or not is_label(table[resolved.target]):
        return ()
    faulty = known_faults(table[resolved.target])
    n = int(np.count_nonzero(faulty & np.isin(split.parts, (TRAIN, VALIDATION))))
    if n == 0:
        return ()
    healthy = int(np.argmax(faulty))
    if healthy < FEWEST_HEALTHY_ROWS:
        return (
            msg_n(
                "{n} row with a known fault stands in the baseline period; choose a split whose first part is healthy.",
                "{n} rows with a known fault stand in the baseline period; choose a split whose first part is healthy.",
                n,
            ),
        )
    return (
        msg_n(
            "{n} row with a known fault stands in the baseline period; choose a split whose first part is healthy, "
            "for example the first {m} rows.",
            "{n} rows with a known fault stand in the baseline period; choose a split whose first part is healthy, "
            "for example the first {m} rows.",
            n,
            m=healthy,
        ),
    )


def text_sentence(resolved: Resolved) -> Message | None:
    """Which column is read as free text, or that what is trained reads none of it; None where there is none."""
    choice = resolved.text_choice
    if choice is None:
        return None
    return choice.sentence if resolved.reads_text else unread_text(choice.column)


def known_faults(cells: pd.Series) -> NDArray[np.bool_]:
    """Rows (n_rows,) whose label names a fault; rows without a label are not among them."""
    codes, values = pd.factorize(cells)
    flags = np.append(label_flags(class_texts(pd.Series(values))) == 1, False)  # the last one is met by code −1: no label
    return flags[codes]
