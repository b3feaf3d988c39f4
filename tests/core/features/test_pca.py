"""T² and SPE: against an independent computation, at the border, and where there is nothing to compute."""

import numpy as np
import pytest
from scipy import stats

from core.errors import NotEnoughData, SettingProblem
from core.features.pca import PcaModel, fit_pca, score_pca, spe_limit, t2_limit


@pytest.fixture
def rows():
    rng = np.random.default_rng(4)
    hidden = rng.normal(size=(200, 2))
    return hidden @ rng.normal(size=(2, 5)) + 0.3 * rng.normal(size=(200, 5)) + 10


def test_scores_agree_with_a_covariance_computation(rows):
    model = fit_pca(rows, explained=0.9)
    found = score_pca(model, rows)
    z = (rows - rows.mean(0)) / rows.std(0, ddof=1)
    values, vectors = np.linalg.eigh(np.cov(z.T))
    values, vectors = values[::-1], vectors[:, ::-1]
    k = int(np.searchsorted(np.cumsum(values) / values.sum(), 0.9)) + 1
    kept = z @ vectors[:, :k]
    assert len(model.eigenvalues) == k
    np.testing.assert_allclose(found.t2, (kept**2 / values[:k]).sum(1), rtol=1e-9)
    np.testing.assert_allclose(found.spe, (z**2).sum(1) - (kept**2).sum(1), rtol=1e-7, atol=1e-9)


def test_with_all_components_t2_is_the_mahalanobis_distance(rows):
    found = score_pca(fit_pca(rows, explained=1.0), rows)
    centred = rows - rows.mean(0)
    expected = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(rows.T)), centred)
    np.testing.assert_allclose(found.t2, expected, rtol=1e-8)


def test_mean_t2_of_the_fitted_rows_is_k_times_n_minus_one_over_n(rows):
    model = fit_pca(rows)
    n, k = len(rows), len(model.eigenvalues)
    assert score_pca(model, rows).t2.mean() == pytest.approx(k * (n - 1) / n)


def test_contributions_are_never_negative_and_sum_to_the_score(rows):
    found = score_pca(fit_pca(rows), rows + [0, 0, 4, 0, 0])
    assert (found.contributions >= 0).all()
    np.testing.assert_allclose(found.contributions.sum(1), found.score, rtol=1e-9)


def test_a_broken_correlation_shows_in_spe_and_names_the_column(rows):
    model = fit_pca(rows, explained=0.8)
    odd = rows[:1].copy()
    odd[0, 3] += 6 * rows[:, 3].std()
    found = score_pca(model, odd)
    assert found.spe[0] > model.spe_limit
    assert found.contributions[0].argmax() == 3


def test_t2_limit_by_hand():
    # k = 2, n = 20: 2 · 399 ÷ (20 · 18) · F(0.95; 2, 18) with F = 3.5546 from the table
    assert t2_limit(2, 20, 0.95) == pytest.approx(2 * 399 / 360 * 3.5546, rel=1e-4)


def test_t2_limit_tends_to_chi_square():
    assert t2_limit(3, 10**6, 0.99) == pytest.approx(stats.chi2.ppf(0.99, 3), rel=1e-4)


def test_spe_limit_of_equal_variances_is_close_to_chi_square():
    # m equal variances s: SPE ÷ s is χ²(m); the formula is then the Wilson–Hilferty approximation of it
    assert spe_limit(np.full(6, 2.0), 100.0, 0.99) == pytest.approx(2 * stats.chi2.ppf(0.99, 6), rel=0.01)


def test_spe_limit_falls_back_to_box_where_h_is_not_positive():
    left_over = np.array([1.0] + [0.1] * 40)
    first, second, third = left_over.sum(), (left_over**2).sum(), (left_over**3).sum()
    assert 1 - 2 * first * third / (3 * second**2) <= 0
    expected = second / first * stats.chi2.ppf(0.99, first**2 / second)
    assert spe_limit(left_over, left_over.sum(), 0.99) == pytest.approx(expected)


def test_rows_beyond_each_limit_are_about_one_in_a_hundred():
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(6, 6))
    model = fit_pca(rng.normal(size=(2000, 6)) @ mix, explained=0.7)
    found = score_pca(model, rng.normal(size=(20_000, 6)) @ mix)
    assert np.mean(found.t2 > model.t2_limit) == pytest.approx(0.01, abs=0.004)
    assert np.mean(found.spe > model.spe_limit) == pytest.approx(0.01, abs=0.005)


def test_scores_do_not_depend_on_unit_shift_or_column_order(rows):
    base = score_pca(fit_pca(rows), rows)
    moved = rows[:, ::-1] * [1000, 0.01, 25.4, 1, 7] - 40
    other = score_pca(fit_pca(moved), moved)
    np.testing.assert_allclose(other.t2, base.t2, rtol=1e-7)
    np.testing.assert_allclose(other.spe, base.spe, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other.contributions[:, ::-1], base.contributions, rtol=1e-5, atol=1e-9)


def test_exact_collinearity_gives_a_floor_that_a_real_break_exceeds():
    x = np.random.default_rng(1).normal(size=50)
    model = fit_pca(np.column_stack([x, 2 * x, -x]))
    assert 0 < model.spe_limit < 1e-8
    broken = score_pca(model, np.array([[1.0, 2.0, -1.0], [1.0, 2.1, -1.0]]))
    assert broken.score[0] < 1 < broken.score[1]


def test_a_single_column_is_its_squared_z_score():
    x = np.array([[1.0], [2.0], [3.0], [4.0], [10.0]])
    found = score_pca(fit_pca(x), x)
    np.testing.assert_allclose(found.t2, ((x[:, 0] - 4) / x[:, 0].std(ddof=1)) ** 2)


def test_a_constant_column_is_kept_and_a_step_in_it_is_seen(rows):
    with_constant = np.column_stack([rows, np.full(len(rows), 5.0)])
    model = fit_pca(with_constant)
    odd = with_constant[:1].copy()
    odd[0, -1] += 20
    assert score_pca(model, odd).score[0] > 1


def test_an_empty_cell_gives_nan_and_is_left_out_of_the_fit(rows):
    holed = rows.copy()
    holed[7, 2] = np.nan
    model = fit_pca(holed)
    assert model.n_rows == len(rows) - 1
    assert np.isnan(score_pca(model, holed).score[7])


def test_arrays_give_the_same_model_back(rows):
    model = fit_pca(rows)
    again = PcaModel.from_arrays(model.to_arrays())
    np.testing.assert_array_equal(score_pca(again, rows).score, score_pca(model, rows).score)


def test_input_is_not_changed(rows):
    before = rows.copy()
    score_pca(fit_pca(rows), rows)
    np.testing.assert_array_equal(rows, before)


def test_too_few_rows_and_constant_tables_are_refused():
    with pytest.raises(NotEnoughData, match="at least 3 complete rows"):
        fit_pca(np.ones((2, 3)))
    with pytest.raises(NotEnoughData, match="All columns are constant"):
        fit_pca(np.ones((20, 3)))


@pytest.mark.parametrize("values", [{"explained": 0.0}, {"explained": 1.1}, {"confidence": 1.0}])
def test_shares_outside_zero_to_one_are_refused(rows, values):
    with pytest.raises(SettingProblem, match="share between 0 and 1"):
        fit_pca(rows, **values)
