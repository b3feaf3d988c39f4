"""Figures from held-out rows: what is drawn together for an interval, and what no interval is given for."""

import numpy as np
import pandas as pd

from core.evaluation import classification_metrics, ranking_metrics, regression_metrics
from core.jobs.judging import resampling_blocks


def test_after_a_split_by_group_few_groups_give_no_interval_instead_of_a_far_too_narrow_one():
    # Four machines, each with an error of its own: the 400 rows say no more about the next machine than 4 numbers do.
    rng = np.random.default_rng(1)
    machine = np.repeat(np.arange(4), 100)
    table = pd.DataFrame({"machine": machine.astype(float)})
    blocks = resampling_blocks(np.arange(400), table, group="machine", time=None, method="group")
    error = rng.normal(0, 1, 4)[machine] + rng.normal(0, 0.5, 400)
    truth = np.arange(400) % 2
    probability = np.column_stack([1 - rng.random(400), rng.random(400)])
    found = [
        *regression_metrics(np.zeros(400), error, blocks=blocks),
        *classification_metrics(truth, probability, ("a", "b"), blocks=blocks),
        *ranking_metrics(truth, error, blocks=blocks),
    ]
    assert [m.key for m in found if m.low is not None or m.high is not None] == []
    assert all(m.value is not None for m in found if m.key in ("rmse", "accuracy", "roc_auc"))


def test_after_a_split_by_time_few_groups_are_strata_and_stretches_of_time_are_drawn():
    table = pd.DataFrame({"machine": np.repeat([1.0, 2.0], 100), "when": np.tile(np.arange(100.0), 2)})
    blocks = resampling_blocks(np.arange(200), table, group="machine", time="when", method="time")
    assert blocks is not None
    assert len(np.unique(blocks)) == 50
    assert blocks[0] == blocks[100], "rows of one time stand in one block"
