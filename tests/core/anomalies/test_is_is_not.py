"""Where an event is and is not: counts and tests by hand, and how often nothing is called something."""

from __future__ import annotations

import numpy as np
import pytest

from core.anomalies.is_is_not import agrees_with_label, fisher_p, is_is_not, names_label, shift_names, suspects


def test_shares_and_p_by_hand() -> None:
    """Machines take turns; the event is on A only. Stretches: A 3 with the event, 2 without; B 0 and 5."""
    machine = np.array(["A", "B"] * 5)
    is_event = np.zeros(10, bool)
    is_event[[4, 6, 8]] = True
    lines = {line.value: line for line in is_is_not({"machine": machine}, is_event, np.ones(10, bool))}
    a = lines["A"]
    assert (a.rows, a.share, a.normal_rows, a.normal_share) == (3, 1.0, 2, 2 / 7)
    assert (a.stretches, a.normal_stretches) == (3, 2)
    # Fisher: C(5,3) C(5,0) / C(10,3) = 10 / 120, and the other end, B three times, is as likely: 1/6; two lines: 1/3.
    assert a.p == pytest.approx(1 / 3)
    assert set(lines) == {"A"}, "B has no event row and does not stand out"
    assert not a.stands_out and a.is_more


def test_a_machine_stands_out_where_machines_take_turns() -> None:
    machine = np.array(["M1", "M2", "M3"] * 200)
    is_event = np.zeros(600, bool)
    is_event[300:420:3] = True  # only M1
    found = is_is_not({"machine": machine}, is_event, ~is_event)
    assert (found[0].value, found[0].is_more, found[0].stands_out) == ("M1", True, True)
    assert {line.value for line in found if line.stands_out and not line.is_more} == {"M2", "M3"}, "where it is not"


def test_a_lot_that_was_simply_running_does_not_stand_out() -> None:
    """A stretch of rows lies in one lot or two, whatever its cause: over 200 places none of the lots is accused."""
    lots = np.repeat([f"L{i}" for i in range(20)], 50)
    accused = 0
    for seed in range(200):
        is_event = np.zeros(1000, bool)
        start = int(np.random.default_rng(seed).integers(0, 960))
        is_event[start : start + 40] = True
        accused += any(line.stands_out for line in is_is_not({"lot": lots}, is_event, ~is_event))
    assert accused == 0
    assert all(line.p is None for line in is_is_not({"lot": lots}, lots == "L3", lots != "L3")), "each lot came once"


def test_a_lot_that_carries_most_events_stands_out() -> None:
    """Lot X comes again and again, and 8 of its 10 visits have an event, where 1 of the other 40 has."""
    visits = np.array(["X", "a", "b", "c", "d"] * 10)
    lots = np.repeat(visits, 20)
    is_event = np.zeros(len(lots), bool)
    for visit in [*np.flatnonzero(visits == "X")[:8], 3]:
        is_event[visit * 20 + 5 : visit * 20 + 9] = True
    line = is_is_not({"lot": lots}, is_event, ~is_event)[0]
    assert (line.value, line.stretches, line.normal_stretches, line.stands_out) == ("X", 8, 2, True)


def test_nothing_is_rarely_called_something() -> None:
    """Columns drawn at random row by row, events too: at most 5 in 100 tables have a line that stands out."""
    told = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        columns = {f"c{i}": rng.choice(["a", "b", "c", "d"], 400) for i in range(6)}
        is_event = rng.random(400) < 0.1
        told += any(line.stands_out for line in is_is_not(columns, is_event, ~is_event))
    assert told / 300 <= 0.06


def test_columns_that_part_nothing_are_left_out() -> None:
    is_event = np.arange(3000) < 30
    same, unique = np.full(3000, "one"), np.arange(3000)
    assert is_is_not({"same": same, "serial": unique}, is_event, ~is_event) == ()
    assert is_is_not({"m": np.array(["a", "b"])}, np.array([False, False]), np.array([True, True])) == ()


def test_suspects_are_counted_by_lot() -> None:
    lots = np.array(["L1", "L1", "L2", "L2", "L2", None, 7.0], dtype=object)
    found = suspects("lot", lots, np.array([False, True, True, True, False, True, True]))
    assert [(s.value, s.rows, s.of) for s in found] == [("L2", 2, 3), ("7", 1, 1), ("L1", 1, 2)]


def test_shifts_begin_where_they_are_said_to() -> None:
    times = np.array(["2026-03-01T06:00", "2026-03-01T17:59", "2026-03-01T18:00", "NaT"], "datetime64[s]")
    assert shift_names(times, 12, 6).tolist() == ["06:00–18:00", "06:00–18:00", "18:00–06:00", ""]


def test_the_exact_test_is_that_of_scipy() -> None:
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(4)
    for _ in range(200):
        of_a, of_c = int(rng.integers(1, 40)), int(rng.integers(1, 400))
        a, c = int(rng.integers(0, of_a + 1)), int(rng.integers(0, of_c + 1))
        wanted = fisher_exact([[a, of_a - a], [c, of_c - c]]).pvalue
        assert fisher_p(a, of_a, c, of_c) == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_long_stretches_are_no_finding() -> None:
    """Product A runs 600 rows, B 60, in turn; single event rows at random: a line stands out in at most about one of twenty tables."""
    rng = np.random.default_rng(5)
    product = np.tile(np.repeat(np.array(["A", "B"], dtype=object), [600, 60]), 60)
    found = 0
    for _ in range(20):
        is_event = np.zeros(len(product), dtype=bool)
        is_event[rng.choice(len(product), 60, replace=False)] = True
        found += any(line.stands_out for line in is_is_not({"product": product}, is_event, ~is_event))
    assert found <= 4


def test_a_value_with_short_stretches_is_found_where_the_event_is_in_it() -> None:
    rng = np.random.default_rng(6)
    product = np.tile(np.repeat(np.array(["A", "B"], dtype=object), [600, 60]), 60)
    inside = np.flatnonzero(product == "B")
    is_event = np.zeros(len(product), dtype=bool)
    is_event[rng.choice(inside, 40, replace=False)] = True
    first = is_is_not({"product": product}, is_event, ~is_event)[0]
    assert first.stands_out
    lines = {line.value: line for line in is_is_not({"product": product}, is_event, ~is_event)}
    assert lines["B"].is_more


def test_a_column_that_agrees_with_the_label_is_told() -> None:
    """The name of the fault, or its code that is empty in normal rows, agrees; tools, lots and a coincidence do not."""
    label = np.array([0, 0, 0, 0, 1, 1, 1, 0, np.nan, 0], float)
    assert agrees_with_label(
        np.where(label == 1, ["a", "a", "a", "a", "leak", "leak", "clog", "a", "a", "a"], "healthy"), label
    )
    assert agrees_with_label(np.where(label == 1, 17.0, np.nan), label)
    assert agrees_with_label(label, label) and agrees_with_label(1 - np.nan_to_num(label), label)
    assert not agrees_with_label(np.array(["T1", "T2"] * 5), label)
    assert not agrees_with_label(np.array(["L1"] * 4 + ["L2"] * 3 + ["L3"] * 3), label), (
        "a lot that has all of the fault may be its cause"
    )
    assert not agrees_with_label(np.full(10, "one"), label) and not agrees_with_label(np.arange(10), np.zeros(10))
    spindle = np.array(["S1"] * 4 + ["S2"] * 3 + ["S1", "S2", "S1"])
    assert agrees_with_label(spindle, label), "cells do not tell a cause from a name of the fault"


@pytest.mark.parametrize(
    ("name", "is_label"),
    [
        *(
            (name, True)
            for name in ("fault_name", "FaultName", "label 2", "Failure mode", "class", "is_anomaly", "故障", "缺陷类型")
        ),
        *(
            (name, False)
            for name in ("spindle", "lot", "fault_spindle", "product_class", "code", "name", "主轴", "批次", "故障主轴")
        ),
        ("炉号 fault", False),
    ],
)
def test_only_a_name_of_nothing_but_label_words_is_one(name: str, is_label: bool) -> None:
    assert names_label(name) is is_label
