"""How a model was chosen among several, as screens, the command line and reports show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.messages import Message, msg
from core.models import model_by_key

STATES: Mapping[str, Message] = {
    "waiting": msg("waiting"),
    "running": msg("running"),
    "done": msg("tried"),
    "stopped": msg("stopped"),
    "skipped": msg("not tried"),
    "failed": msg("failed"),
    "pruned": msg("ended early"),
}


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One model that was tried or left out. `figure` is its RMSE or cross-entropy on the validation part.

    `fold_figure` is the same on folds of training and validation part, `share` its part in what was kept (0 to 1), `settings`
    what differs from its defaults. `number` counts from 0.
    """

    number: int
    model: str
    state: str
    figure: float | None
    fold_figure: float | None
    accuracy: float | None
    seconds: float
    share: float
    why: Message | None
    settings: Mapping[str, Any]

    @property
    def title(self) -> Message:
        return model_by_key(self.model).title

    @property
    def state_word(self) -> Message:
        return STATES.get(self.state, msg("waiting"))

    @property
    def is_kept(self) -> bool:
        return self.share > 0


@dataclass(frozen=True, slots=True)
class ChoiceFacts:
    """Why a model was kept: sentences, and every candidate. `measure` is "rmse", "cross_entropy" or "" without figures."""

    chosen: str
    measure: str
    figure: float | None
    sentences: tuple[Message, ...]
    candidates: tuple[CandidateLine, ...]


def choice_of(stored: Mapping[str, Any] | None) -> ChoiceFacts | None:
    """The choice as a run's summary or a manifest holds it; None where the model was asked for by name."""
    if not stored or "candidates" not in stored:
        return None
    return ChoiceFacts(
        str(stored["chosen"]),
        str(stored["measure"]),
        stored["figure"],
        tuple(Message.from_json(s) for s in stored["sentences"]),
        tuple(candidate_line(i, c) for i, c in enumerate(stored["candidates"])),
    )


def candidate_line(number: int, stored: Mapping[str, Any]) -> CandidateLine:
    """One candidate as an event or a summary holds it."""
    return CandidateLine(
        number,
        str(stored["model"]),
        str(stored["state"]),
        stored.get("figure"),
        stored.get("fold_figure"),
        stored.get("accuracy"),
        float(stored.get("seconds") or 0.0),
        float(stored.get("share") or 0.0),
        Message.from_json(stored["why"]) if stored.get("why") else None,
        dict(stored.get("settings") or {}),
    )


def measure_title(measure: str) -> Message:
    """What the figures of a choice are."""
    return msg("cross-entropy") if measure == "cross_entropy" else msg("RMSE")


def candidate_words(line: CandidateLine, measure: str) -> Message:
    """One candidate in a line: "tried, RMSE 3.58 (folds 4.18), 18 s, 50 % of the average"."""
    parts: list[Message] = [line.state_word]
    if line.figure is not None:
        parts.append(msg("{name} {value}", name=measure_title(measure), value=line.figure))
    if line.fold_figure is not None:
        parts.append(msg("on folds {value}", value=line.fold_figure))
    if line.accuracy is not None:
        parts.append(msg("{share} % right", share=round(100 * line.accuracy, 1)))
    if line.seconds:
        parts.append(msg("{seconds} s", seconds=round(line.seconds, 1)))
    if line.settings:
        parts.append(settings_words(line.settings))
    if 0 < line.share < 1:
        parts.append(msg("{share} % of the average", share=round(100 * line.share)))
    elif line.share:
        parts.append(msg("kept"))
    if line.why is not None:
        parts.append(line.why)
    return _joined(parts)


def settings_words(settings: Mapping[str, Any]) -> Message:
    """Settings of a trial in a line: "units 64, learning_rate 0.0021"."""
    text = ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in settings.items())
    return msg("{text}", text=text)


def _joined(parts: Sequence[Message]) -> Message:
    whole = parts[0]
    for part in parts[1:]:
        whole = msg("{first}, {next}", first=whole, next=part)
    return whole
