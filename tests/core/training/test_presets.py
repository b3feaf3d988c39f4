from __future__ import annotations

import pytest

from core.errors import SettingProblem
from core.models import model_by_key
from core.training.presets import PRESETS, preset_settings

LSTM = model_by_key("lstm")


def test_presets_take_longer_in_their_order() -> None:
    epochs = [preset_settings(preset, LSTM, 20_000).epochs for preset in PRESETS]
    assert epochs == sorted(set(epochs))


def test_few_windows_get_small_batches_and_enough_steps() -> None:
    settings = preset_settings("normal", LSTM, 64)
    assert settings.batch_size == 16
    assert settings.epochs * 4 >= 1500


@pytest.mark.parametrize("n_windows", [0, 1, 10**8])
def test_any_number_of_windows_gives_valid_settings(n_windows: int) -> None:
    for preset in PRESETS:
        assert preset_settings(preset, LSTM, n_windows).patience >= 1


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(SettingProblem, match="Did you mean 'quick'"):
        preset_settings("quik", LSTM, 100)


@pytest.mark.parametrize("preset", PRESETS)
def test_only_a_family_that_predicts_from_rows_may_make_more_epochs_and_waits_longer(preset: str) -> None:
    usual = preset_settings(preset, LSTM, 20_000)
    for key, more in (("tabular", True), ("dense", True), ("cnn", False), ("dense_autoencoder", False), ("text_gru", False)):
        found = preset_settings(preset, model_by_key(key), 20_000)
        assert (found.epochs > usual.epochs) is more, key
        assert (found.patience > usual.patience) is more, key
