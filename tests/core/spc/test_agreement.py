"""Kappas and attribute agreement: published examples, scikit-learn, simulation, and what has no kappa."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from core.spc.agreement import Agreement, AgreementStudy, agreement_study, proportion
from core.spc.crossed import Crossed, cross
from core.spc.individuals import NotDefined
from core.spc.kappa import Concordance, Kappa, cohen_kappa, counts_of, fleiss_kappa, kendall_w

# Fleiss (1971): 30 patients, 6 raters, 5 diagnoses, as printed in the R package irr ("diagnoses") and the tests of statsmodels.
DIAGNOSES = (
    "444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 144444 224445 333335 "
    "111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 111155 224444 133333 555555"
)
# R package irr, "anxiety": 20 subjects, 3 raters, scale 1 to 6.
ANXIETY = "332 361 344 464 523 542 221 346 531 231 221 632 133 533 221 221 113 233 432 342"
# jaspQualityControl, tests/testthat/AAALong.csv: black spots on 15 rings (Yes or No), 3 trials each by EG, BL and MH, and the standard.
STANDARD = "YNYYYNYNNYNYYYY"
RATED = {
    "EG": "YYY NNN YYY YNN YYY YYY YYY NNN NNN YYY NNN YYY YYY NNN YYY",
    "BL": "YYY NNN YYY YNN YYY YYY NNN NNN NNN YYY NNN YYY YYY NNN YYY",
    "MH": "YYY YYY YYY YYY YYY YYY YYY NNY YNN YYY YNY YYY YYY NNN YYY",
}


def digits(rows: str) -> NDArray[np.int64]:
    return np.array([[int(c) for c in row] for row in rows.split()])


def kappa_of(found: Kappa | NotDefined) -> Kappa:
    assert isinstance(found, Kappa)
    return found


def test_fleiss_kappa_of_the_psychiatric_diagnoses_is_the_published_one() -> None:
    counts = counts_of(digits(DIAGNOSES) - 1, 5)
    found = kappa_of(fleiss_kappa(counts))
    # irr 0.84: kappam.fleiss(diagnoses) gives 0.4302445, z 17.65183.
    assert found.value == pytest.approx(0.4302445, abs=5e-8)
    assert found.value / found.error_by_chance == pytest.approx(17.65183, abs=5e-6)
    each = [kappa_of(fleiss_kappa(np.stack([c, 6 - c], axis=1))) for c in counts.T]
    # irr, detail=TRUE: kappas and z by category.
    assert [k.value for k in each] == pytest.approx([0.245, 0.245, 0.520, 0.471, 0.566], abs=5e-4)
    assert [k.value / k.error_by_chance for k in each] == pytest.approx([5.192, 5.192, 11.031, 9.994, 12.009], abs=5e-4)


def test_cohen_kappa_and_its_errors_are_those_of_sas() -> None:
    # Printout of SAS in the tests of statsmodels (test_inter_rater.py).
    found = kappa_of(cohen_kappa([[0, 4, 1], [0, 8, 0], [0, 1, 5]]))
    printed = [found.value, found.error, found.low, found.high, found.error_by_chance, found.p]
    assert printed == pytest.approx([0.4842, 0.1380, 0.2137, 0.7547, 0.1484, 0.0011], abs=6e-5)


@pytest.mark.parametrize("k", [2, 3, 6])
def test_cohen_kappa_is_that_of_scikit_learn(k: int) -> None:
    rng = np.random.default_rng(k)
    one = rng.integers(0, k, 200)
    other = np.where(rng.random(200) < 0.6, one, rng.integers(0, k, 200))
    table = np.zeros((k, k))
    np.add.at(table, (one, other), 1)
    assert kappa_of(cohen_kappa(table)).value == pytest.approx(cohen_kappa_score(one, other))


def test_kendall_w_of_the_anxiety_ratings_is_the_published_one() -> None:
    found = kendall_w(digits(ANXIETY))
    assert isinstance(found, Concordance)
    # irr: kendall(anxiety, TRUE) gives W 0.54, chi-square 30.8, p 0.0429.
    assert (found.w, found.chi_square, found.p) == (
        pytest.approx(0.54, abs=5e-3),
        pytest.approx(30.8, abs=0.05),
        pytest.approx(0.0429, abs=5e-5),
    )


def test_the_interval_of_fleiss_kappa_holds_the_truth() -> None:
    # Two categories; with probability a all 4 raters follow the part (fair coin), else each guesses: kappa is the share of pairs that
    # both follow. A rater follows with probability 0.8, so that kappa is 0.64.
    rng, inside, runs = np.random.default_rng(8), 0, 400
    for _ in range(runs):
        truth = rng.integers(0, 2, (40, 1))
        codes = np.where(rng.random((40, 4)) < 0.8, truth, rng.integers(0, 2, (40, 4)))
        found = kappa_of(fleiss_kappa(counts_of(codes, 2)))
        assert found.low is not None and found.high is not None
        inside += found.low <= 0.64 <= found.high
    assert 0.91 <= inside / runs <= 0.98, inside / runs


def test_kappa_by_chance_is_as_often_significant_as_it_says() -> None:
    rng, runs = np.random.default_rng(9), 500
    p = [kappa_of(fleiss_kappa(counts_of(rng.integers(0, 3, (30, 3)), 3))).p for _ in range(runs)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / runs))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (fleiss_kappa([[3, 0], [3, 0]]), "only one category"),
        (fleiss_kappa([[3, 0]]), "two or more things"),
        (fleiss_kappa([[1, 0], [0, 1]]), "two or more ratings each"),
        (fleiss_kappa(np.zeros((0, 2))), "two or more things"),
        (cohen_kappa([[7, 0], [0, 0]]), "only one category"),
        (cohen_kappa([[1, 0], [0, 0]]), "two or more ratings"),
        (kendall_w([[1, 1], [2, 2]]), "three or more things"),
        (kendall_w([[1, 1]] * 4), "rated alike"),
    ],
)
def test_what_has_no_kappa_says_why(found: object, says: str) -> None:
    assert isinstance(found, NotDefined)
    assert says in str(found.reason)


def test_full_agreement_is_one_and_has_no_interval() -> None:
    for found in (fleiss_kappa([[4, 0], [0, 4], [4, 0]]), cohen_kappa([[5, 0], [0, 6]])):
        kappa = kappa_of(found)
        assert kappa.value == pytest.approx(1.0) and kappa.low is None is kappa.error


def test_unequal_ratings_are_refused() -> None:
    with pytest.raises(ValueError, match="rated equally often"):
        fleiss_kappa([[2, 1], [1, 1]])


def rings(**settings: object) -> AgreementStudy:
    codes = np.stack([[[c == "Y" for c in part] for part in text.split()] for text in RATED.values()], axis=1).astype(np.int64)
    p, o, r = codes.shape
    layout = cross(np.repeat(np.arange(p), o * r).astype(str), np.tile(np.repeat(list(RATED), r), p))
    assert isinstance(layout, Crossed)
    standard = np.array([int(c == "Y") for c in STANDARD])
    found = agreement_study(codes, layout, ["No", "Yes"], standard=standard, bad=1, **settings)  # type: ignore[arg-type]
    assert isinstance(found, AgreementStudy)
    return found


def told(agreement: Agreement) -> list[float]:
    share = agreement.parts
    return [share.agreed, 100 * share.low, 100 * share.high]


def test_shares_and_intervals_of_the_rings_are_those_of_jasp() -> None:
    # jaspQualityControl, tests/testthat/test-msaAttribute.R.
    found = rings()
    assert [told(a) for a in found.within] == [
        pytest.approx(x, abs=6e-4) for x in ([14, 68.052, 99.831], [14, 68.052, 99.831], [12, 51.911, 95.669])
    ]
    assert [told(a) for a in found.against] == [
        pytest.approx(x, abs=6e-4) for x in ([12, 51.911, 95.669], [11, 44.9, 92.213], [9, 32.287, 83.664])
    ]
    assert found.between is not None and found.all_against is not None
    assert told(found.between) == pytest.approx([9, 32.287, 83.664], abs=6e-4)
    assert told(found.all_against) == pytest.approx([7, 21.267, 73.414], abs=6e-4)


def test_kappas_of_the_rings_are_those_of_jasp() -> None:
    found = rings()
    assert [kappa_of(a.kappa).value for a in found.within] == pytest.approx([0.905462184873949, 0.91, 0.543918918918919])
    assert found.between is not None and kappa_of(found.between.kappa).value == pytest.approx(0.641666666666666)
    assert [kappa_of(a.kappa).value for a in found.against] == pytest.approx(
        [0.612903225806452, 0.492307692307692, 0.264150943396226]
    )
    letters = {who: [c for c in text if c != " "] for who, text in RATED.items()}
    for pair in found.pairs:  # all 45 ratings, trial beside trial, as in the cross-tabs of AIAG
        one, other = pair.who.split(" – ")
        assert kappa_of(pair.kappa).value == pytest.approx(cohen_kappa_score(letters[one], letters[other]))
    assert [a.verdict for a in found.against] == ["conditional", "conditional", "unacceptable"]


def test_misses_and_false_alarms_of_the_rings_are_those_of_jasp() -> None:
    shares = {m.who: (m.misses, m.false_alarms) for m in rings().mistakes}
    printed = {"EG": (16.67, 20.0), "BL": (26.67, 20.0), "MH": (10.0, 66.67)}
    for who, both in printed.items():
        assert [100 * s.share for s in shares[who] if s is not None] == pytest.approx(both, abs=5e-3)


def test_with_two_categories_both_have_the_kappa_of_all() -> None:
    for agreement in (*rings().within, *rings().against):
        whole = kappa_of(agreement.kappa).value
        assert [kappa_of(k).value for k in agreement.kappas] == pytest.approx([whole, whole])


def test_ordered_categories_get_an_order() -> None:
    found = rings(ordered=True)
    assert all(isinstance(a.order, Concordance) for a in found.within)
    assert all(isinstance(a.order, float) and 0 < a.order <= 1 for a in found.against)
    assert rings().within[0].order is None


def test_one_trial_one_appraiser_and_no_standard_are_said() -> None:
    codes = np.array([0, 1, 0, 1])[:, None, None]
    layout = cross(list("abcd"))
    assert isinstance(layout, Crossed)
    nothing = agreement_study(codes, layout, ["x", "y"])
    assert isinstance(nothing, NotDefined) and "nothing can be compared" in str(nothing.reason)
    found = agreement_study(codes, layout, ["x", "y"], standard=np.array([0, 1, 1, 1]))
    assert isinstance(found, AgreementStudy)
    assert found.within == () and found.between is None and found.mistakes == ()
    notes = " ".join(str(n) for n in found.notes)
    assert "once" in notes and "one appraiser" in notes and "bad was not said" in notes


def test_a_standard_without_bad_parts_has_no_misses() -> None:
    codes = np.array([[0, 1], [0, 0]])[:, None, :]
    layout = cross(list("aabb"))
    assert isinstance(layout, Crossed)
    found = agreement_study(codes, layout, ["good", "bad"], standard=np.array([0, 0]), bad=1)
    assert isinstance(found, AgreementStudy)
    (mistakes,) = found.mistakes
    assert mistakes.misses is None and mistakes.false_alarms is not None and mistakes.false_alarms.share == 0.25


def test_the_exact_interval_ends_at_zero_and_one() -> None:
    assert proportion(0, 10).low == 0.0 and proportion(10, 10).high == 1.0
    # 1 − 0.025^(1/10), the closed form at 0 of n.
    assert proportion(0, 10).high == pytest.approx(1 - 0.025**0.1)
