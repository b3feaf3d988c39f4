"""What covering a word takes away from the output."""

from __future__ import annotations

import numpy as np

from core.explain.words import WordEffect, mean_effects, token_effects


def test_covering_a_token_takes_its_own_part_away_and_padding_none() -> None:
    worth = np.array([0.0, 0.5, 10.0, 3.0])  # of the numbers 0 (padding), 1 (unknown), 2 and 3
    windows = np.array([[[0, 2, 3, 7.0]], [[2, 2, 1, -1.0]]], dtype=np.float32)

    def predict(some):
        assert (some[:, 0, 3] == np.where(some[:, 0, 3] == 7, 7, -1)).all(), "other columns stay as they are"
        return worth[some[:, 0, :3].astype(int)].sum(axis=1)

    effects = token_effects(predict, windows, 3, unknown=1, chunk=2)
    np.testing.assert_allclose(effects, [[0, 9.5, 2.5], [9.5, 9.5, 0]])
    assert windows[0, 0, 1] == 2, "what was given is as it was"


def test_effects_are_means_over_remarks_and_twice_in_one_is_their_sum() -> None:
    found = mean_effects([["hot", "hot", "pump"], ["hot"], ["pump"]], [[1.0, 2.0, -0.5], [5.0], [-1.5]])
    assert found == (WordEffect("hot", 4.0, 2), WordEffect("pump", -1.0, 2))
    assert mean_effects([["once"]], [[1.0]], fewest=2) == ()
    assert mean_effects([], []) == ()
