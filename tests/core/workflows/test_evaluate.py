"""A file of scores against the truth: how rows are matched, with figures that can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import workflows as wf
from core.data.options import ReadOptions
from core.errors import DataProblem

Write = Callable[[str, str], Path]
VALUES = "part,prediction,lower,upper\n1,10,9,11\n2,20,19,21\n3,30,29,31\n4,40,39,41\n"
TRUTH = "part,width\n1,11\n2,20\n3,28\n4,40\n"  # errors -1, 0, 2, 0: mae 3/4, rmse √(5/4)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def figures(scores: Path, truth: Path, column: str, options: ReadOptions | None = None) -> dict[str, float | None]:
    return {m.key: m.value for m in wf.evaluate_file(scores, truth, column, options)}


def test_values_are_matched_by_key_whatever_the_order_of_the_rows(write: Write) -> None:
    shuffled = "part,width\n4,40\n2,20\n1,11\n3,28\n"
    found = figures(write("s.csv", VALUES), write("t.csv", shuffled), "width")
    assert (found["mae"], found["rmse"]) == (0.75, pytest.approx(1.25**0.5))


@pytest.mark.parametrize("text_side", ["truth", "scores"])
def test_numbers_in_one_file_match_texts_in_the_other(write: Write, text_side: str) -> None:
    more = TRUTH + "A7,99\n"
    scores, truth = (VALUES, more) if text_side == "truth" else (VALUES + "A7,99,98,100\n", TRUTH)
    assert figures(write("s.csv", scores), write("t.csv", truth), "width")["mae"] == 0.75


def test_padded_numbers_match_when_only_one_text_is_that_number(write: Write) -> None:
    padded = "part,width\n001,11\n002,20\n003,28\n004,40\nX,1\n"
    assert figures(write("s.csv", VALUES), write("t.csv", padded), "width")["mae"] == 0.75


def test_two_texts_for_one_number_are_refused_in_a_sentence(write: Write) -> None:
    both = TRUTH + "01,12\nA7,99\n"
    with pytest.raises(DataProblem, match="'1' and '01' are the same number"):
        wf.evaluate_file(write("s.csv", VALUES), write("t.csv", both), "width")


def test_times_do_not_match_numbers(write: Write) -> None:
    times = "part,width\n" + "".join(f"2026-01-0{i} 06:00:00,{i}\n" for i in range(1, 5))
    with pytest.raises(DataProblem, match="'part' cannot be compared: it holds times in one file only"):
        wf.evaluate_file(write("s.csv", VALUES), write("t.csv", times), "width")


def test_keys_that_meet_nowhere_are_refused(write: Write) -> None:
    with pytest.raises(DataProblem, match="No row of the scores matches the truth by part"):
        wf.evaluate_file(write("s.csv", VALUES), write("t.csv", "part,width\n7,1\n8,2\n"), "width")


def test_without_a_key_both_files_need_as_many_rows(write: Write) -> None:
    scores = write("s.csv", "row,prediction\n0,10\n1,20\n2,30\n")
    assert figures(scores, write("t.csv", "width\n11\n20\n28\n"), "width")["mae"] == 1.0
    with pytest.raises(DataProblem, match="The scores have 3 rows and the truth has 2"):
        wf.evaluate_file(scores, write("t.csv", "width\n11\n20\n"), "width")


def test_a_key_twice_in_the_truth_is_refused_unless_the_files_run_in_step(write: Write) -> None:
    scores = write("s.csv", "lot,prediction\nA,10\nA,20\nB,30\n")
    in_step = write("t.csv", "lot,width\nA,11\nA,20\nB,28\n")
    assert figures(scores, in_step, "width")["mae"] == 1.0
    with pytest.raises(DataProblem, match="The key lot occurs more than once in the truth"):
        wf.evaluate_file(scores, write("u.csv", "lot,width\nA,11\nB,28\nA,20\n"), "width")


LIVES = "unit,cycle,prediction,lower,upper\n1,1,50,40,60\n1,2,30,20,40\n2,1,70,60,80\n2,2,44,30,50\n"


def test_remaining_life_is_judged_on_the_last_row_of_each_group(write: Write) -> None:
    # Last rows 30 and 44 against 20 and 57: d = 10 and -13, so phm08 = 2 (e - 1) and mae = 23 / 2.
    found = figures(write("s.csv", LIVES), write("t.csv", "unit,rul\n2,57\n1,20\n"), "rul")
    assert found["mae"] == 11.5
    assert found["phm08"] == pytest.approx(2 * (2.718281828 - 1), abs=1e-6)


def test_the_last_row_is_that_of_the_latest_cycle_and_not_of_the_file(write: Write) -> None:
    head, first, last, *others = LIVES.splitlines()
    shuffled = "\n".join([head, last, first, *reversed(others)]) + "\n"
    assert figures(write("s.csv", shuffled), write("t.csv", "unit,rul\n1,20\n2,57\n"), "rul")["mae"] == 11.5


def test_classes_are_judged_for_the_rarer_one(write: Write) -> None:
    # Truth F P P P F P: predicted F F P P P P, so tp = 1, fp = 1, fn = 1, and 4 of 6 are right.
    rows = [("F", 0.9), ("F", 0.6), ("P", 0.2), ("P", 0.1), ("P", 0.4), ("P", 0.3)]
    scores = "id,prediction,probability_F,probability_P\n" + "".join(
        f"{i},{name},{p},{1 - p:.1f}\n" for i, (name, p) in enumerate(rows, 1)
    )
    truth = "id,result\n" + "".join(f"{i},{name}\n" for i, name in enumerate("FPPPFP", 1))
    found = figures(write("s.csv", scores), write("t.csv", truth), "result")
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5)
    # Probabilities of F for the true F: 0.9 (above all 4) and 0.4 (above 3 of 4): AUC 7/8.
    assert found["roc_auc"] == pytest.approx(7 / 8)


def test_flags_are_judged_against_labels(write: Write) -> None:
    # Labels 0 0 0 1 1, flags 0 1 0 1 0: tp = 1, fp = 1, fn = 1, tn = 2. The unscored sixth row counts nowhere.
    scores = "id,score,flag,why_not\n1,0.1,0,\n2,0.7,1,\n3,0.2,0,\n4,0.9,1,\n5,0.5,0,\n6,,,no value\n"
    truth = "id,label\n1,0\n2,0\n3,0\n4,1\n5,1\n6,1\n"
    found = figures(write("s.csv", scores), write("t.csv", truth), "label")
    assert (found["precision"], found["recall"]) == (0.5, 0.5)
    assert (found["far"], found["mar"]) == (pytest.approx(1 / 3), 0.5)
    assert found["flagged_fraction"] == 0.4
    assert found["roc_auc"] == pytest.approx(5 / 6)


def test_a_header_above_texts_is_no_question_here(write: Write) -> None:
    scores = "lot,prediction,probability_bad,probability_good\n" + "".join(f"L{i},good,0.2,0.8\n" for i in range(6))
    truth = "lot,result\n" + "".join(f"L{i},good\n" for i in range(6))
    assert figures(write("s.csv", scores), write("t.csv", truth), "result")["accuracy"] == 1.0


DAYS = "when,width\n" + "".join(f"0{d}/04/2026 06:00:00,{d}\n" for d in range(1, 4))
BY_DAY = "when,prediction\n" + "".join(f"2026-04-0{d} 06:00:00,{d}\n" for d in range(1, 4))


def test_an_open_order_of_day_and_month_says_what_to_write(write: Write) -> None:
    with pytest.raises(DataProblem, match=r"--set day_first=true .*--set day_first=false"):
        wf.evaluate_file(write("s.csv", BY_DAY), write("t.csv", DAYS), "width")


def test_the_truth_is_read_as_told(write: Write) -> None:
    scores, truth = write("s.csv", BY_DAY), write("t.csv", DAYS)
    assert figures(scores, truth, "width", ReadOptions(day_first=True))["mae"] == 0.0
    with pytest.raises(DataProblem, match="No row of the scores matches"):
        wf.evaluate_file(scores, truth, "width", ReadOptions(day_first=False, encoding="utf-8"))
