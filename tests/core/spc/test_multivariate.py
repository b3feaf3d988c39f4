"""T²/SPE charts: limits come from the baseline rows only."""

import numpy as np
import pandas as pd
import pytest

from core.features.pca import fit_pca, score_pca
from core.spc.multivariate import t2_spe_chart, t2_spe_fit, t2_spe_scores


@pytest.fixture
def table():
    rng = np.random.default_rng(2)
    hidden = rng.normal(size=(300, 1))
    values = hidden @ np.ones((1, 3)) + 0.2 * rng.normal(size=(300, 3))
    values[250:, 1] += 3
    return pd.DataFrame(values, columns=["a", "b", "c"], index=pd.RangeIndex(300, name="row"))


def test_limits_do_not_see_rows_outside_the_baseline(table):
    chart = t2_spe_chart(table, ["a", "b", "c"], np.arange(200))
    worse = table.copy()
    worse.iloc[200:] *= 50
    again = t2_spe_chart(worse, ["a", "b", "c"], np.arange(200))
    assert (again.t2_limit, again.spe_limit) == (chart.t2_limit, chart.spe_limit)
    assert chart.n_baseline == 200


def test_the_shifted_rows_are_out_and_the_shifted_column_leads(table):
    chart = t2_spe_chart(table, ["a", "b", "c"], np.arange(200))
    assert chart.out[250:].mean() > 0.95
    assert chart.out[:250].mean() < 0.04
    assert (chart.contributions[250:].argmax(1) == 1).mean() > 0.95


def test_chart_uses_the_maths_of_core_features(table):
    chart = t2_spe_chart(table, ["a", "c"], np.arange(200))
    expected = score_pca(fit_pca(table[["a", "c"]].to_numpy()[:200]), table[["a", "c"]].to_numpy())
    np.testing.assert_allclose(chart.score, expected.score)
    model = t2_spe_fit(table[["a", "c"]].iloc[:200])
    np.testing.assert_allclose(t2_spe_scores(model, table[["a", "c"]]).t2, chart.t2)


def test_a_row_with_an_empty_cell_is_not_judged(table):
    table.iloc[260, 0] = np.nan
    chart = t2_spe_chart(table, ["a", "b", "c"], np.arange(200))
    assert np.isnan(chart.score[260])
    assert not chart.out[260]
