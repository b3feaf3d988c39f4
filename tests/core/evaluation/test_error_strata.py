"""Error by stratum: by hand, and how often a stratum is called worse where none is."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.error_strata import error_strata


def names(*parts: tuple[str | None, int]) -> np.ndarray:
    return np.array([name for name, n in parts for _ in range(n)], dtype=object)


def test_values_by_hand() -> None:
    errors = np.array([1.0, -1.0, 3.0, 3.0, np.nan, 5.0])
    labels = names(("a", 2), ("b", 3), (None, 1))
    found = {s.stratum: s for s in error_strata(errors, [("machine", labels)])}
    assert (found["a"].n, found["a"].error, found["a"].bias) == (2, 1.0, 0.0)
    assert (found["b"].n, found["b"].error, found["b"].bias, found["b"].others) == (2, 3.0, 3.0, 1.0)
    assert found["b"].p is None  # two rows tell nothing


def test_the_bad_machine_stands_first() -> None:
    rng = np.random.default_rng(0)
    labels = names(("m1", 100), ("m2", 100), ("m3", 100))
    errors = rng.normal(0, np.where(labels == "m2", 3.0, 1.0).astype(float))
    found = error_strata(errors, [("machine", labels), ("shift", np.tile(names(("day", 1), ("night", 1)), 150))])
    assert (found[0].column, found[0].stratum) == ("machine", "m2")
    assert found[0].is_worse
    assert not any(s.is_worse for s in found[1:])


def test_wrong_rows_of_classes_by_fisher() -> None:
    from scipy.stats import fisher_exact

    wrong = np.r_[np.ones(8), np.zeros(12), np.ones(2), np.zeros(18)]
    found = error_strata(wrong, [("lot", names(("x", 20), ("y", 20)))], are_classes=True)
    p = fisher_exact([[8, 12], [2, 18]])[1]
    assert found[0].stratum == "x"
    assert (found[0].error, found[0].others) == (0.4, 0.1)
    assert found[0].p == pytest.approx(min(1.0, 2 * p))  # Holm: two strata were looked at


@pytest.mark.parametrize("are_classes", [True, False])
def test_where_none_differs_one_is_called_worse_in_at_most_one_of_twenty_tables(are_classes: bool) -> None:
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(200):
        labels = rng.integers(0, 12, 600).astype(str).astype(object)
        errors = (rng.random(600) < 0.1).astype(float) if are_classes else rng.standard_t(6, 600)
        called += any(s.is_worse for s in error_strata(errors, [("machine", labels)], are_classes=are_classes))
    assert called <= 200 * 0.05 + 3 * np.sqrt(200 * 0.05 * 0.95)


def test_rows_that_hang_together_count_as_one() -> None:
    """Whole lots are wrong or right: 40 lots of 50 rows, and no machine is worse; row by row one would be in most tables."""
    rng = np.random.default_rng(2)
    apart = together = 0
    for _ in range(60):
        lots = np.repeat(np.arange(40), 50)
        wrong = (rng.random(40) < 0.3).astype(float)[lots]
        machine = np.repeat(rng.permutation(np.repeat(["a", "b"], 20)), 50).astype(object)
        strata = [("machine", machine)]
        apart += any(s.is_worse for s in error_strata(wrong, strata, are_classes=True))
        together += any(s.is_worse for s in error_strata(wrong, strata, are_classes=True, blocks=lots))
    assert together <= 8
    assert apart > 30


@pytest.mark.parametrize("are_classes", [True, False])
@pytest.mark.parametrize("is_blocked", [True, False])
def test_sums_taken_once_give_what_each_stratum_gives_by_itself(are_classes: bool, is_blocked: bool) -> None:
    """Against scipy's test on the two sides themselves, row by row or by the mean of each block; some rows have no label or no error."""
    from scipy.stats import fisher_exact, ttest_ind

    rng = np.random.default_rng(5)
    n = 900
    labels = rng.choice(np.array(["a", "b", "c", None], dtype=object), n, p=[0.5, 0.3, 0.1, 0.1])
    errors = (rng.random(n) < 0.2).astype(float) if are_classes else rng.normal(3.0, 0.5, n)
    errors[::50] = np.nan
    blocks = np.arange(n) // 15
    found = error_strata(errors, [("m", labels)], are_classes=are_classes, blocks=blocks if is_blocked else None)
    assert len(found) == 3
    expected = {}
    for name in "abc":
        sides = []
        for inside in (labels == name, (labels != name) & (labels != np.array(None))):
            rows = inside & np.isfinite(errors)
            values = errors[rows] if are_classes else errors[rows] ** 2
            means = [values[blocks[rows] == b].mean() for b in np.unique(blocks[rows])]
            sides.append((values, np.array(means) if is_blocked else values))
        if are_classes and not is_blocked:
            table = [[int(v.sum()), int(len(v) - v.sum())] for v, _ in sides]
            p = fisher_exact(table)[1]
        else:
            p = ttest_ind(sides[0][1], sides[1][1], equal_var=False).pvalue
        expected[name] = (len(sides[0][0]), sides[0][0].mean(), sides[1][0].mean(), p)
    raw = sorted(p for *_, p in expected.values())
    holm = {p: min(1.0, max((3 - i) * q for i, q in enumerate(raw[: raw.index(p) + 1]))) for p in raw}
    for s in found:
        rows, own, other, p = expected[s.stratum]
        root = 1.0 if are_classes else 0.5
        assert (s.n, s.error, s.others) == (rows, pytest.approx(own**root), pytest.approx(other**root))
        assert s.p == pytest.approx(holm[p], rel=1e-6)
        assert s.bounds[0] is not None and s.bounds[0] < s.error < (s.bounds[1] or 0)


def test_errors_that_are_all_alike_differ_in_nothing_and_two_levels_in_all() -> None:
    labels = np.tile(names(("x", 1), ("y", 1)), 30)
    same = error_strata(np.full(60, 0.1), [("m", labels)], blocks=np.repeat(np.arange(20), 3))
    assert [s.p for s in same] == [1.0, 1.0]
    apart = error_strata(np.where(labels == "x", 0.1, 0.3), [("m", labels)], blocks=np.repeat(np.arange(20), 3))
    assert [s.p for s in apart] == [0.0, 0.0] and apart[0].stratum == "y"
