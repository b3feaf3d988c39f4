"""Why a chart of scores judges what it judges, with which limits, and what its promise does not cover, in sentences."""

from __future__ import annotations

from core.anomalies.score_limits import Limits, Side
from core.messages import Message, msg, msg_n
from core.spc.autocorrelated import Predictor
from core.spc.p_words import p_words
from core.spc.serial import Portmanteau

LEVEL = 0.05
ALONE = 1.05
"""Below this mean size of a cluster extreme values come alone."""


def chart_words(
    fitted: Predictor,
    limits: Limits,
    tests: tuple[Portmanteau, Portmanteau, Portmanteau],
    *,
    asked: float,
    side: Side,
    unjudged: int,
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """The reasons and the notes. `tests`: of Phase I less its season, of what is judged, and of its spread."""
    return _why(fitted, limits, tests), _notes(fitted, limits, tests, asked, side, unjudged)


def _why(fitted: Predictor, limits: Limits, tests: tuple[Portmanteau, Portmanteau, Portmanteau]) -> tuple[Message, ...]:
    found = []
    if len(fitted.waves):
        found.append(msg("A season of {n} rows was taken away, as it was in Phase I.", n=fitted.period))
    first = tests[0]
    if first.p_value > LEVEL:
        found.append(msg("The values of Phase I do not hang together (Ljung-Box, {p}).", p=p_words(first.p_value)))
    else:
        found.append(msg("Neighbouring values of Phase I hang together (Ljung-Box, {p}).", p=p_words(first.p_value)))
        found.append(_dependent(fitted))
    found.append(_shape(limits))
    return tuple(found)


def _dependent(fitted: Predictor) -> Message:
    if fitted.kind == "AR":
        return msg_n(
            "Judged is how far each value is from what the one before lets expect (autoregression).",
            "Judged is how far each value is from what the {n} before let expect (autoregression).",
            fitted.order,
        )
    if fitted.kind == "moving centre":
        return msg(
            "Judged is the step of each value from a centre line that follows the level (EWMA, weight {weight}).",
            weight=fitted.weight,
        )
    return msg("Judged is the level itself, with limits that count values which are high together as one.")


def _shape(limits: Limits) -> Message:
    if limits.shape == "normal":
        return msg("Their shape is near normal: the limits are those of {n} normal values.", n=limits.n)
    if limits.shape == "conformal":
        return msg("Their shape is not normal: the limits come from the ranks of {n} values.", n=limits.n)
    if limits.cluster < ALONE:
        return msg("Extreme values come alone all the same: the limits come from the ranks of {n} values.", n=limits.n)
    return msg(
        "Extreme values come {c} together: the limits come from the ranks of {n} values, which count as {m}.",
        c=limits.cluster,
        n=limits.n,
        m=round(limits.n / limits.cluster),
    )


def _notes(
    fitted: Predictor,
    limits: Limits,
    tests: tuple[Portmanteau, Portmanteau, Portmanteau],
    asked: float,
    side: Side,
    unjudged: int,
) -> tuple[Message, ...]:
    found = []
    if limits.missing:
        found.append(
            msg(
                "There are too few rows in Phase I to promise {asked} % false alarms; {rate} % can be promised.",
                asked=100 * asked,
                rate=100 * limits.rate,
            )
        )
        found.append(msg_n("{n} more row of Phase I is needed.", "{n} more rows of Phase I are needed.", limits.missing))
    if limits.shape == "clusters" and limits.cluster >= ALONE:
        found.append(msg("False alarms come in bursts: the share of points is promised, not that they are spread evenly."))
        found.append(
            msg("The limits of the EWMA are an estimate, as its points hang together twice: through it and by themselves.")
        )
    if tests[1].p_value <= 0.01 and limits.shape == "clusters":
        found.append(msg("What is judged still hangs together, so that the promise is an estimate."))
    if tests[2].p_value <= 0.01:
        found.append(
            msg("Calm and restless stretches alternate in Phase I: a restless one brings more false alarms than a calm one.")
        )
    if fitted.kind == "AR" and fitted.keeps < 0.5:
        found.append(
            msg(
                "A lasting shift shows in full at its first row and at {share} % of its size later.",
                share=100 * max(fitted.keeps, 0.0),
            )
        )
    if fitted.kind == "moving centre":
        found.append(msg("The level wanders: steps are seen, a slow drift is followed and not seen."))
    if unjudged:
        found.append(
            msg_n(
                "{n} row is not judged: a value that it hangs on is empty or lies before the series.",
                "{n} rows are not judged: a value that they hang on is empty or lies before the series.",
                unjudged,
            )
        )
    return tuple(found)
