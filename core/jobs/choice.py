"""Which of the candidates is kept, or which average of them, and why, in words. Reads validation figures only.

Rule. The candidate with the smallest figure leads. Where the validation part is small, those that look best on it are compared
on folds of training and validation part, as far as time allows; any other takes the lead only if it is better than the best
of them by more than one standard error, and so does, without folds, a network beside a shallow family: its training was ended
by the very rows that judge it. An ensemble takes the lead's place if, chosen on
four fifths of the rows and judged on the last, each fifth in turn, it is better than the best single model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.selection import ensemble_gain, ensemble_weights, paired_gain, weighted
from core.jobs.candidates import Ground, Kept, Tried, loss_of_mask
from core.messages import Message, msg, msg_n
from core.models import ENSEMBLE_KEY, baseline_for, model_by_key


@dataclass(frozen=True, slots=True)
class Choice:
    """`weights` by the number of the candidate; more than one is an ensemble.

    `figure` is that of the choice on the rows it was judged on, `sentences` say why.
    """

    weights: Mapping[int, float]
    figure: float | None
    sentences: tuple[Message, ...]

    @property
    def is_ensemble(self) -> bool:
        return len(self.weights) > 1


def choose(ground: Ground, tried: Sequence[Tried], kept: Kept) -> Choice | None:
    """The choice among usable candidates, or None where there is none."""
    usable = [t for t in tried if t.is_usable]
    if not usable:
        return None
    if ground.auto.request.task == "anomaly":
        title = model_by_key(usable[0].model).title
        return Choice({usable[0].number: 1.0}, None, (_anomaly_sentence(title),))
    outputs = {t.number: kept.outputs(t.number) for t in usable}
    known = {number: found for number, found in outputs.items() if found is not None}
    lead = _lead(ground, usable, known, kept)
    average = _ensemble(ground, usable, known, kept)
    if average is not None and len(average[0]) > 1:
        return Choice(average[0], average[1], _ensemble_sentences(ground, usable, average, lead))
    figure = lead.figure if lead.fold_figure is None else lead.fold_figure
    return Choice({lead.number: 1.0}, figure, _single_sentences(ground, usable, lead, tried_average=average is not None))


def _lead(ground: Ground, usable: Sequence[Tried], outputs: Mapping[int, NDArray[np.float64]], kept: Kept) -> Tried:
    folded = [t for t in usable if t.fold_figure is not None]
    shallow = [t for t in usable if not t.is_network]
    first = folded or (shallow if ground.is_small else usable) or list(usable)
    lead = min(first, key=_figure_of)
    rest = sorted((t for t in usable if t not in first), key=lambda t: t.figure or np.inf)
    loss, units = ground.loss(ground.rows), ground.units(ground.rows)
    for other in rest:
        before, after = (_on_validation(ground, t, outputs, kept) for t in (lead, other))
        if paired_gain(loss(before), loss(after), units).is_clear:
            lead = other
    return lead


def _figure_of(tried: Tried) -> float:
    found = tried.figure if tried.fold_figure is None else tried.fold_figure
    return np.inf if found is None else found


def _on_validation(ground: Ground, tried: Tried, outputs: Mapping[int, NDArray[np.float64]], kept: Kept) -> NDArray[np.float64]:
    """Outputs on the validation rows, from folds where there are some: those are of models that saw more rows."""
    folds = kept.outputs(tried.number, "folds") if tried.fold_figure is not None else None
    if folds is None or ground.fold_rows is None:
        return outputs[tried.number]
    order = np.argsort(ground.fold_rows)
    return folds[order[np.searchsorted(ground.fold_rows, ground.rows, sorter=order)]]


def _ensemble(
    ground: Ground, usable: Sequence[Tried], outputs: Mapping[int, NDArray[np.float64]], kept: Kept
) -> tuple[dict[int, float], float, float] | None:
    """Weights, figure and figure on the validation rows of the average that pays; None where none was worth a try, one weight where it does not pay."""
    folded = [t for t in usable if t.fold_figure is not None]
    pools = []
    if len(folded) > 1 and ground.fold_rows is not None:
        pools.append((folded, ground.fold_rows, [kept.outputs(t.number, "folds") for t in folded]))
    if len(usable) > 1 and len(folded) < len(usable):
        pools.append((list(usable), ground.rows, [_on_validation(ground, t, outputs, kept) for t in usable]))
    found: list[tuple[dict[int, float], float, float]] = []
    for members, rows, given in pools:
        known = [o for o in given if o is not None]
        units, loss = ground.units(rows), ground.loss(rows)
        gain = ensemble_gain(known, loss_of_mask(ground, rows), units, ground.auto.request.seed)
        if not gain.is_any:
            continue
        weights = ensemble_weights(known, loss)
        if np.count_nonzero(weights) < 2:
            continue
        by_number = {t.number: float(w) for t, w in zip(members, weights, strict=True) if w > 0}
        on_validation = weighted([_on_validation(ground, t, outputs, kept) for t in members], weights)
        same_rows = ground.figure(ground.loss(ground.rows)(on_validation))
        found.append((by_number, ground.figure(loss(weighted(known, weights))), same_rows))
    if found:
        return min(found, key=lambda f: f[2])
    return ({}, np.nan, np.nan) if pools else None


def figure_words(ground: Ground, figure: float | None) -> Message:
    """A figure with its name: RMSE, or cross-entropy."""
    if figure is None:
        return msg("no figure")
    if ground.is_classes:
        return msg("cross-entropy {value}", value=figure)
    return msg("RMSE {value}", value=figure)


def _where(ground: Ground, is_folds: bool) -> Message:
    if is_folds and ground.fold_rows is not None:
        return msg_n(
            "on {n} row, each predicted by a model that had not seen its fold",
            "on {n} rows, each predicted by a model that had not seen its fold",
            len(ground.fold_rows),
        )
    return msg_n("on {n} validation row", "on {n} validation rows", len(ground.rows))


def _single_sentences(ground: Ground, usable: Sequence[Tried], lead: Tried, *, tried_average: bool) -> tuple[Message, ...]:
    is_folds = lead.fold_figure is not None
    figure = lead.fold_figure if is_folds else lead.figure
    facts = {"model": model_by_key(lead.model).title, "figure": figure_words(ground, figure), "where": _where(ground, is_folds)}
    if len(usable) == 1:
        return (msg("{model} was kept: it is the only model that was tried in time ({figure} {where}).", **facts),)
    first = msg("{model} was chosen from {n} models: {figure} {where}.", n=len(usable), **facts)
    sentences = [first, *_beside_baseline(ground, usable, lead.model, lead.figure, is_folds)]
    if ground.is_small:
        sentences.append(_small_sentence(ground, usable))
    if tried_average:
        sentences.append(msg("An average of several models is not better than the best of them."))
    return tuple(sentences)


def _ensemble_sentences(
    ground: Ground, usable: Sequence[Tried], average: tuple[Mapping[int, float], float, float], lead: Tried
) -> tuple[Message, ...]:
    weights, figure, on_validation = average
    by_number = {t.number: t for t in usable}
    order = sorted(weights, key=lambda n: -weights[n])
    parts = [
        msg("{model} {share} %", model=model_by_key(by_number[n].model).title, share=round(100 * weights[n])) for n in order
    ]
    is_folds = all(by_number[n].fold_figure is not None for n in order)
    lead_figure = lead.fold_figure if is_folds else lead.figure
    first = msg(
        "The average of {n} models was chosen: {figure} {where}; the best single one, {model}, has {single}.",
        n=len(weights),
        figure=figure_words(ground, figure),
        where=_where(ground, is_folds),
        model=model_by_key(lead.model).title,
        single=figure_words(ground, lead_figure),
    )
    shares = msg("Shares: {parts}.", parts=joined(parts))
    guard = msg("Chosen on four fifths of these rows and judged on the last, each fifth in turn, it was better.")
    more = (_small_sentence(ground, usable),) if ground.is_small else ()
    return (first, shares, guard, *_beside_baseline(ground, usable, ENSEMBLE_KEY, on_validation, is_folds), *more)


def joined(parts: Sequence[Message]) -> Message:
    """Parts of a list as one message: "a, b, c"."""
    whole = parts[0]
    for part in parts[1:]:
        whole = msg("{first}, {next}", first=whole, next=part)
    return whole


def _beside_baseline(
    ground: Ground, usable: Sequence[Tried], chosen: str, figure: float | None, is_folds: bool
) -> tuple[Message, ...]:
    """The chosen model beside the simple baseline, both on the validation rows."""
    keys = baseline_for(ground.auto.request.task, has_text=ground.auto.reads_text)
    if chosen in keys:
        return (msg("It is the simple baseline itself: nothing that was tried is better."),)
    there = [t for key in keys for t in usable if t.model == key]
    if ground.auto.past is not None:  # of two earlier values the better one on these rows
        there.sort(key=lambda t: np.inf if t.figure is None else t.figure)
    baseline = next(iter(there), None)
    if baseline is None or figure is None:
        return ()
    title, other = model_by_key(baseline.model).title, figure_words(ground, baseline.figure)
    if not is_folds:
        return (msg("The baseline, {model}, has {other} there.", model=title, other=other),)
    return (
        msg(
            "On the {n} validation rows alone it has {figure}, the baseline, {model}, {other}.",
            n=len(ground.rows),
            figure=figure_words(ground, figure),
            model=title,
            other=other,
        ),
    )


def _small_sentence(ground: Ground, usable: Sequence[Tried]) -> Message:
    n, folded = len(ground.rows), sum(t.fold_figure is not None for t in usable)
    if ground.folds is None or not folded:
        return msg(
            "The validation part is small ({n} rows): a network had to be better than the best other model by more than one "
            "standard error.",
            n=n,
        )
    return msg(
        "The validation part is small ({n} rows), so the {k} best models were judged once more on folds of training and "
        "validation part; another one had to be better by more than one standard error.",
        n=n,
        k=folded,
    )


def _anomaly_sentence(model: Message) -> Message:
    return msg(
        "{model} was taken by rule: which detector is best cannot be chosen without labels, and labels only judge.", model=model
    )


def choice_json(ground: Ground, tried: Sequence[Tried], choice: Choice, budget: float) -> dict[str, Any]:
    """How the model was chosen, as the run's summary and the manifest keep it."""
    left_out = ground.auto.portfolio.left_out if ground.auto.portfolio is not None else ()
    rows: list[Mapping[str, Any]] = [
        {
            "model": t.model,
            "state": t.state,
            "figure": t.figure,
            "fold_figure": t.fold_figure,
            "accuracy": t.accuracy,
            "seconds": round(t.seconds + t.fold_seconds, 2),
            "share": choice.weights.get(t.number, 0.0),
            "why": t.why,
            "settings": t.options,
        }
        for t in tried
    ]
    rows += [{"model": key, "state": "skipped", "why": why.to_json(), "share": 0.0, "seconds": 0.0} for key, why in left_out]
    single = next((t.model for t in tried if t.number in choice.weights), "")
    return {
        "chosen": ENSEMBLE_KEY if choice.is_ensemble else single,
        "measure": "" if choice.figure is None else "cross_entropy" if ground.is_classes else "rmse",
        "figure": choice.figure,
        "rows": len(ground.rows),
        "fold_rows": 0 if ground.fold_rows is None else len(ground.fold_rows),
        "budget_minutes": budget / 60,
        "sentences": [s.to_json() for s in choice.sentences],
        "candidates": rows,
    }
