"""The features of MiniRocket against slow sums written from the paper, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.random_kernels import POSITIONS, RandomKernels, fit_kernels, kernel_features, spread_dilations


def slow_convolution(window: np.ndarray, kernel: int, dilation: int, is_padded: bool) -> list[float]:
    """The kernel laid over every place of one series, row by row, zeros outside."""
    weights = [2.0 if i in POSITIONS[kernel] else -1.0 for i in range(9)]
    rows, found = len(window), []
    for centre in range(rows):
        reached = [centre + (i - 4) * dilation for i in range(9)]
        if is_padded or (reached[0] >= 0 and reached[-1] < rows):
            found.append(sum(w * window[r] for w, r in zip(weights, reached, strict=True) if 0 <= r < rows))
    return found


@pytest.mark.parametrize(("rows", "channels"), [(9, 1), (24, 3), (50, 12), (300, 1)])
def test_features_are_the_shares_that_the_slow_sums_give(rows: int, channels: int) -> None:
    # Whole numbers: sums in float32 are exact, so that both ways must agree on every comparison.
    windows = np.random.default_rng(rows).integers(-50, 50, size=(3, rows, channels)).astype(np.float32)
    kernels = fit_kernels(windows, 400, seed=1)
    found = kernel_features(kernels, windows)
    assert found.shape == (3, kernels.n_features)
    column = 0
    for place, (dilation, count) in enumerate(zip(kernels.dilations, kernels.counts, strict=True)):
        for kernel in range(84):
            chosen = kernels.channels[84 * place + kernel]
            for window in range(3):
                values = slow_convolution(
                    windows[window][:, chosen].sum(axis=1), kernel, int(dilation), (place + kernel) % 2 == 0
                )
                for i in range(count):
                    share = sum(v > kernels.biases[column + i] for v in values) / len(values)
                    assert found[window, column + i] == np.float32(share)
            column += count
    assert column == kernels.n_features


def test_every_kernel_has_three_weights_of_two_and_ignores_a_constant() -> None:
    assert len(set(POSITIONS)) == 84
    windows = np.random.default_rng(0).integers(-9, 9, size=(5, 20, 2)).astype(np.float32)
    kernels = fit_kernels(windows, 84, seed=0)
    inside = [k for k in range(84) if k % 2 == 1]  # with padding the constant meets the zeros outside
    assert np.array_equal(kernel_features(kernels, windows)[:, inside], kernel_features(kernels, windows + 100)[:, inside])


def test_a_window_has_the_same_features_alone_and_in_any_batch() -> None:
    windows = np.random.default_rng(0).normal(size=(5_000, 17, 4)).astype(np.float32)
    kernels = fit_kernels(windows, 168, seed=3)
    together = kernel_features(kernels, windows)
    for place in (0, 2_047, 4_999):
        assert np.array_equal(kernel_features(kernels, windows[place : place + 1])[0], together[place])


def test_the_seed_alone_decides_the_kernels_and_arrays_bring_them_back() -> None:
    windows = np.random.default_rng(0).normal(size=(40, 30, 5)).astype(np.float32)
    first, same, other = (fit_kernels(windows, 500, seed=s) for s in (4, 4, 5))
    assert np.array_equal(first.biases, same.biases) and np.array_equal(first.channels, same.channels)
    assert not np.array_equal(first.biases, other.biases)
    stored = RandomKernels.from_arrays(first.to_arrays())
    assert np.array_equal(kernel_features(stored, windows), kernel_features(first, windows))
    assert first.channels.any(axis=1).all() and first.channels.sum(axis=1).max() <= 5


@pytest.mark.parametrize("rows", [9, 10, 49, 50, 1_000])
@pytest.mark.parametrize("wanted", [84, 200, 2_000, 9_996])
def test_dilations_fit_the_window_and_the_number_of_features(rows: int, wanted: int) -> None:
    dilations, counts = spread_dilations(rows, wanted)
    assert dilations[0] == 1 and 8 * dilations[-1] <= rows - 1
    assert (np.diff(dilations) > 0).all() and (counts >= 1).all()
    assert 84 * counts.sum() == wanted // 84 * 84


def test_windows_of_one_value_throughout_give_finite_features() -> None:
    windows = np.full((4, 12, 2), 3.0, dtype=np.float32)
    assert np.isfinite(kernel_features(fit_kernels(windows, 84, seed=0), windows)).all()
