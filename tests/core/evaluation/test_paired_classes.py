"""McNemar's test against a published example, the binomial by hand, and its level by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.paired_classes import mcnemar, mid_p


def test_published_example() -> None:
    """Bentur et al. 2009 in Fagerland et al. 2013, table 1 and supplement: 21 children, 1 and 7 discordant: mid-P .0391."""
    first = np.r_[np.ones(1, bool), np.ones(1, bool), np.zeros(7, bool), np.zeros(12, bool)]
    second = np.r_[np.ones(1, bool), np.zeros(1, bool), np.ones(7, bool), np.zeros(12, bool)]
    found = mcnemar(first, second)
    assert (found.n, found.both_right, found.first_only, found.second_only, found.both_wrong) == (21, 1, 1, 7, 12)
    assert found.p == pytest.approx(0.0391, abs=5e-5)
    assert found.is_clear


def test_mid_p_by_hand() -> None:
    # (1 of 3): twice (1/8 + 3/8) less 3/8.
    assert mid_p(1, 2) == pytest.approx(2 * 4 / 8 - 3 / 8)
    # Equal numbers, 2 and 2: one less half of 6/16.
    assert mid_p(2, 2) == pytest.approx(1 - 3 / 16)
    assert mid_p(0, 0) == 1.0
    assert mid_p(9, 4) == mid_p(4, 9)


def test_level_is_kept() -> None:
    """Two models of equal skill: at most about 5 % of 2,000 tests are clear (bound at 3 standard errors)."""
    rng = np.random.default_rng(0)
    clear = sum(mcnemar(rng.random(200) < 0.8, rng.random(200) < 0.8).is_clear for _ in range(2000))
    assert clear <= 2000 * 0.05 + 3 * np.sqrt(2000 * 0.05 * 0.95)
