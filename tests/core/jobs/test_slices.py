"""What a network of the automatic choice is given of the time, and that one whose slice is too short for it makes way for others."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.jobs import auto
from core.jobs.slices import FEWEST_EPOCHS, START_SECONDS, Need, Pace, ended_early, network_need, slice_seconds
from core.messages import Message
from core.models import Estimate, model_by_key
from core.training.events import Event
from tests.core.jobs.test_auto import Ground, bent_table


def test_a_network_needs_its_start_and_at_least_eight_epochs_or_all_that_it_may_make() -> None:
    assert network_need(2.0, 60) == Need(likely=12 + 2 * 30, least=12 + 2 * 8, epoch=2.0)
    assert network_need(2.0, 5).least == 12 + 2 * 5


def test_a_slice_is_an_equal_part_or_more_where_the_others_keep_what_they_need_at_least() -> None:
    others = [Need(likely=50, least=20), Need(likely=30, least=15)]
    assert slice_seconds(90, 200, others) == 90 - 35, "all but what the others need at least"
    assert slice_seconds(90, 40, others) == 40, "no more than it needs, but"
    assert slice_seconds(90, 10, others) == 30, "an equal part is always its own"
    assert slice_seconds(18, 200, others) == 9, "one of the two does not fit into 18 s at all, and does not count"
    assert slice_seconds(90, 200, []) == 90
    slow = [Need(likely=900, least=60), Need(likely=900, least=80)]
    assert slice_seconds(100, 200, slow) == 50, "half of it, however much two slow ones behind it would need"
    assert slice_seconds(100, 40, slow) == 40


def batch(epoch: int, fraction: float) -> Event:
    return Event("batch", {"epoch": epoch, "fraction": fraction})


def test_the_pace_of_a_fit_is_read_within_its_first_epoch_but_never_from_the_calls_that_trace() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    for seconds, event in ((9.0, batch(1, 0.01)), (12.0, batch(1, 0.10)), (13.0, batch(1, 0.15))):
        now[0] = seconds
        pace.add(event)
        assert pace.epoch_seconds is None and not pace.is_too_slow(seconds, 20), "one second says too little"
    now[0] = 16.0
    pace.add(batch(1, 0.30))
    assert pace.epoch_seconds == pytest.approx(4 / 0.2)
    # 7.7 epochs of 20 s are still to come, 154 s behind the 16 s that are gone.
    assert pace.is_too_slow(16, 169) and not pace.is_too_slow(16, 171)


def test_a_first_epoch_that_only_traced_makes_no_network_slow() -> None:
    pace = Pace(lambda: 0.0)
    pace.add(Event("epoch", {"epoch": 1, "seconds": 15.0}))
    assert pace.epoch_seconds is None and not pace.is_too_slow(15, 20)
    pace.add(Event("epoch", {"epoch": 2, "seconds": 0.5}))
    assert pace.epoch_seconds == 0.5 and not pace.is_too_slow(16, 20), "6 more epochs take 3 s"
    pace.add(Event("epoch", {"epoch": 8, "seconds": 40.0}))
    assert not pace.is_too_slow(60, 20), "it has its eight epochs"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An automatic choice of one minute on a table with the networks 'tabular' and 'dense'; what an epoch takes is the test's."""
    ground = Ground(tmp_path, bent_table(240), "regression", budget_minutes=1.0)
    made = auto._Auto(
        SimpleNamespace(folder=tmp_path / "job", emit=lambda e: None, stop_requested=lambda: False),
        ground.resolved,
        ground.prepared,
    )  # type: ignore[arg-type]
    seconds: dict[str, float] = {}

    def cost(resolved: Any, *_: Any) -> Estimate:
        return Estimate(1, 1, seconds.get(resolved.spec.key, 0.01))

    monkeypatch.setattr(auto, "cost_of", cost)
    made.seconds_of = seconds
    return made


def order(made: Any) -> list[str]:
    """The order in which the candidates come up; each is done at once."""
    found = []
    for number in made._order():
        found.append(made.candidates[number].model)
        made.candidates[number].state = "done"
    return found


def networks(keys: list[str]) -> list[str]:
    return [k for k in keys if model_by_key(k).role == "network"]


def test_a_network_that_fits_into_its_slice_keeps_its_place_and_a_slow_one_goes_behind_the_others(made: Any) -> None:
    assert networks(order(made)) == ["tabular", "dense"]


def test_a_slow_network_waits_until_the_quick_one_had_its_minutes(made: Any) -> None:
    # One minute leaves 0.79 x 60 = 47.4 s. 12 + 8 x 4 = 44 s of 'tabular' fit, but not beside 12.08 s of 'dense'.
    made.seconds_of["tabular"] = 4.0
    assert networks(order(made)) == ["dense", "tabular"]
    assert made.behind == {next(t.number for t in made.candidates if t.model == "tabular")}


def test_a_network_that_takes_too_long_for_all_that_is_left_is_left_out_in_words(made: Any) -> None:
    made.seconds_of["tabular"] = 5.0
    tried = next(t for t in made.candidates if t.model == "tabular")
    left_out = made._try(tried)
    assert left_out.state == "skipped"
    words = str(Message.from_json(left_out.why))
    assert "one epoch takes 5 s" in words and "8 epochs" in words and "47 s that were left" in words
    assert "went to the others" in words


@pytest.mark.parametrize(("others_wait", "ends"), [(True, True), (False, False)])
def test_a_network_that_turns_out_too_slow_gives_its_minutes_to_those_that_wait(
    others_wait: bool, ends: bool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [made.began]
    monkeypatch.setattr(auto, "time", SimpleNamespace(monotonic=lambda: now[0]))
    tried = next(t for t in made.candidates if t.model == "tabular")
    if not others_wait:
        for other in made.candidates:
            other.state = "done"
    turn = made._turn(tried, made._need(tried))
    for seconds, event in ((8.0, batch(1, 0.01)), (10.0, batch(1, 0.05)), (12.0, batch(1, 0.25))):
        now[0] = made.began + seconds
        turn.emit(event)
    # 10 s an epoch: eight of them do not fit into 47 s.
    assert turn.is_due() is ends
    assert (tried.number in made.given_up) is ends
    if ends:
        assert made.given_up[tried.number] == pytest.approx(10)
        assert "after 0 epochs: one takes about 10 s here" in str(ended_early(0, made.given_up[tried.number]))
    assert START_SECONDS + FEWEST_EPOCHS * 10 > 47.4


def test_of_two_slow_networks_that_do_not_both_fit_the_first_and_quicker_one_comes_first(made: Any) -> None:
    # 47.4 s are left: 12 + 8 x 3 = 36 s of 'tabular' do not fit into its half, 12 + 8 x 3.5 = 40 s of 'dense' neither.
    made.seconds_of["tabular"], made.seconds_of["dense"] = 3.0, 3.5
    assert networks(order(made)) == ["tabular", "dense"]
    assert not made.behind


def test_a_candidate_of_an_earlier_attempt_counts_only_if_it_was_fitted_on_the_same_features(made: Any) -> None:
    ridge = next(t for t in made.candidates if t.model == "ridge")
    done = made._try(ridge)
    assert made.kept.read(ridge.number) is not None and made.is_of_these_features(done)
    path = made.kept.of(ridge.number) / "bundle" / "manifest.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["pipeline"]["features"]["features"] = stored["pipeline"]["features"]["features"][:-1]
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert not made.is_of_these_features(done)
