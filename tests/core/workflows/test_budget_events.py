"""What a logic makes of an event, on scores written by hand: an alarm, or the reason why it is none; and where an event is counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.anomalies.alarm_logic import AlarmLogic, begun
from core.anomalies.events import make_events
from core.data.split import TEST, TRAIN, VALIDATION
from core.spc.chart import phases
from core.workflows.anomalies import later_events
from core.workflows.budget_events import budget_events, how_counted, within_beginning

LIMIT = 5.0
#         baseline  | judged
SCORES = [9.0, 1, 1, 1, 6, 1, 1, 7, 8, 9, 1, 9, 9, 9, 1, 4, 1, 1, 1, 1]
N_BASE = 3


def event(first: int, last: int, number: int = 1) -> Any:
    return SimpleNamespace(number=number, first_row=first, last_row=last, start_row=first, group="")


def told(
    k: int, n: int, hold_off: int, events: list[Any], *, counts_alarms: bool = True, later: list[int] | None = None
) -> list[str]:
    logic, of = AlarmLogic(k, n, hold_off), phases(len(SCORES), baseline=np.arange(len(SCORES)) < N_BASE)
    odd = np.array(SCORES)
    found = (
        logic.alarms(logic.statistic(np.where(of.baseline, np.nan, odd), of), LIMIT, of) if later is None else np.array(later)
    )
    average = SimpleNamespace(counts_alarms=counts_alarms, block=6)
    series = SimpleNamespace(rows=np.arange(len(SCORES)), of=of, odd=odd)
    budget: Any = SimpleNamespace(series=series, chosen=SimpleNamespace(logic=logic, limit=LIMIT, average=average), later=found)
    return [str(one.why) for one in budget_events(SimpleNamespace(group_names=None), budget, events)]  # type: ignore[arg-type]


def test_an_event_is_an_alarm_or_below_the_limit_or_gave_it_itself() -> None:
    assert told(1, 1, 0, [event(4, 4), event(15, 15), event(0, 1), event(40, 41)]) == [
        "alarm at row 5",
        "no alarm: its highest score 4 is not above the limit 5",
        "not judged: its rows are among the normal ones that gave the limit",
        "not judged: the model was trained on its rows",
    ]


def test_one_score_is_too_short_for_two_of_three() -> None:
    assert told(2, 3, 0, [event(4, 4), event(7, 9)]) == [
        "no alarm, too short: 1 score above the limit, and never 2 of 3 that follow each other",
        "alarm at row 9",
    ]


def test_quiet_rows_and_the_block_of_an_earlier_alarm_are_named() -> None:
    """Row 5 alarms, then six rows are quiet: rows 8 to 10 are three to five after it, rows 12 to 14 seven and more."""
    assert told(1, 1, 6, [event(7, 9), event(11, 13)]) == [
        "not counted: in the quiet rows after the alarm at row 5",
        "alarm at row 12",
    ]
    assert told(1, 1, 0, [event(11, 13)], counts_alarms=False, later=[4, 9]) == [
        "within the alarm that began at row 10, 2 rows before its first flag"
    ]


def test_alarms_of_two_machines_that_meet_in_the_table_are_two() -> None:
    """Rows 0 to 9 are of one machine, 10 to 19 of the next; within 6 rows alarms of one machine are one."""
    of = phases(20, stages=np.repeat(["a", "b"], 10))
    assert begun(np.array([1, 5, 9, 11, 12, 19]), 6, of).tolist() == [1, 11, 19]
    assert begun(np.array([9, 11]), 6, phases(20)).tolist() == [9]
    assert begun(np.array([], dtype=np.int64), 6, of).tolist() == []


@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [
        ((1, 2), None, "baseline period"),
        ((7, 8), None, None),
        ((4, 5), [np.nan] * 10, "before the test part"),
        ((7, 8), [np.nan] * 10, "have no label"),
        ((7, 8), [0.0] * 10, "counts as a false event"),
        ((7, 8), [0.0] * 8 + [1.0, 1.0], "1 of its flagged rows is labelled: it counts as caught"),
    ],
)
def test_where_an_event_stands_in_the_figures(rows: tuple[int, int], labels: Any, said: str | None) -> None:
    parts = np.array([TRAIN] * 3 + [VALIDATION] * 3 + [TEST] * 4, dtype=np.int8)
    given = None if labels is None else np.array(labels)
    view: Any = SimpleNamespace(rows=np.arange(10), flags=np.ones(10, bool), groups=None, labels=given, parts=parts)
    found = how_counted(SimpleNamespace(parts=parts), view, event(*rows))  # type: ignore[arg-type]
    assert (found is None) if said is None else said in str(found)


def test_an_event_begins_at_its_first_flag_in_time_whatever_the_order_of_the_table() -> None:
    """Rows against time: the table's last row is the first in time and trained; the event of rows 4 to 7 began at row 7, in training."""
    scores, rows = np.array([1.0, 1, 9, 9, 9, 9, 1, 1, 1, 1]), np.arange(10)[::-1]
    (found,) = make_events(scores, 5.0, rows)
    assert (found.first_row, found.last_row, found.start_row) == (4, 7, 7)
    parts = np.array([TEST] * 7 + [TRAIN] * 3, dtype=np.int8)
    results: Any = SimpleNamespace(parts=parts)
    view: Any = SimpleNamespace(rows=rows, flags=scores > 5, groups=None, labels=None, parts=parts[rows])
    assert later_events(results, (found,)) == () and "baseline period" in str(how_counted(results, view, found))


def test_an_event_in_the_beginning_of_another_is_probably_the_same() -> None:
    """Flags at rows 20 and 30; the second began at row 10, so that the first lies in its beginning."""
    first, second, elsewhere = event(20, 22, 1), event(30, 40, 2), event(15, 16, 3)
    elsewhere.group = "B"
    view: Any = SimpleNamespace(events=(first, second, elsewhere), places=np.arange(50))
    said = "event 1 lies between its beginning and its first flag: both are probably one"
    assert str(within_beginning(view, second, 10)) == said
    assert within_beginning(view, second, 25) is None and within_beginning(view, second, None) is None
    assert within_beginning(view, first, 10) is None
    for one in (first, second):
        one.start_row = one.last_row  # of a table that is sorted against time
    turned: Any = SimpleNamespace(events=(first, second), places=np.arange(50)[::-1])
    assert within_beginning(turned, second, 45) is None and within_beginning(turned, first, 45) is not None
