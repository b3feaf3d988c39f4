"""What screens show of free text: the remark beside a scored row, and which words mattered to the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.room import Room
from core.data.rows import FrameRows, take_rows
from core.data.tokens import tokens_of
from core.errors import SettingProblem
from core.explain.words import WordEffect, mean_effects, token_effects
from core.features import ForecastTarget
from core.features.targets import ClassTarget, target_from_json
from core.features.texts import UNKNOWN
from core.messages import msg
from core.serving import load_bundle
from core.serving.bundle import Bundle
from core.workflows.class_rows import class_rule
from core.workflows.results import Results
from core.workflows.score_rows import scored_rows
from core.workflows.workspace import Workspace

REMARK = "remark_text"
MOST_CHARACTERS = 500
MOST_REMARKS = 300
MOST_COVERED = 20_000
FEWEST_REMARKS = 3
SMALL_SHARE = 0.01  # of the largest effect: below it a word is not worth a line


@dataclass(frozen=True, slots=True)
class WordView:
    """Effects of words on the probability of the class `positive`, or on the value where that is None.

    `words` are those of the whole model, over `n` remarks of the test part; of one row, in the order of its remark, with the
    class `called` for it, None where no class is predicted or the row could not be scored.
    """

    positive: str | None
    unit: str
    n: int
    words: tuple[WordEffect, ...]
    called: str | None = None


def text_column(results: Results) -> str | None:
    """The column of free text that the model reads, or None."""
    text = results.manifest.pipeline["features"].get("text")
    return None if not text else str(text["column"])


def with_remarks(results: Results, shown: pd.DataFrame) -> pd.DataFrame:
    """Scored rows with the remark that the model read, in the column `REMARK` behind the key columns, cut at 500 characters.

    As they are where it read none. Only for a screen: files of scores hold no remarks.
    """
    name = text_column(results)
    if name is None or not len(shown):
        return shown
    rows = shown["row"].to_numpy(dtype=np.int64)
    order = np.argsort(rows, kind="stable")
    cells = take_rows(results.dataset.rows([name]), rows[order], [name])[name].astype("str").where(lambda c: c.notna(), "")
    texts = np.empty(len(rows), dtype=object)
    texts[order] = [text[:MOST_CHARACTERS] for text in cells]
    place = 1 + max(i for i, column in enumerate(shown.columns) if column in ("row", "part", results.group, results.time))
    return pd.concat([shown.iloc[:, :place], pd.DataFrame({REMARK: texts}, index=shown.index), shown.iloc[:, place:]], axis=1)


def telling_words(ws: Workspace, results: Results, positive: str | None = None) -> WordView:
    """Which words move the model most, over at most 300 remarks of the test part; words of fewer than three are left out.

    Raises:
        SettingProblem: the model reads no free text, or a window of more than one row.
    """
    bundle = _bundle(ws, results)
    length = bundle.pipeline.plan.n_tokens
    rows = results.part_rows("test")
    most = min(MOST_REMARKS, max(1, MOST_COVERED // max(1, length)))
    taken = rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    words, effects, chosen = _effects(bundle, results, taken, positive)
    return WordView(chosen, results.unit, len(words), mean_effects(words, effects, FEWEST_REMARKS))


def words_of_row(
    ws: Workspace,
    results: Results,
    row: int,
    explained: str | None = None,
    *,
    threshold: float | None = None,
    positive: str | None = None,
) -> WordView:
    """The words of one row's remark in their order, each with what it adds to the probability of the class `explained`.

    Args:
        explained: By default the class that was called for this row, at a decision limit as in `scored_rows`; where the row
            could not be scored, the class to catch.

    Raises:
        SettingProblem: as `telling_words`, or there is no such row or class.
    """
    if not 0 <= row < results.n_rows:
        raise SettingProblem(
            msg("There is no row {row}.", row=row),
            msg("Expected a row from 0 to {last}.", last=results.n_rows - 1),
            msg("Name a row of the table."),
        )
    called = _called(results, row, threshold, positive)
    words, effects, chosen = _effects(_bundle(ws, results), results, np.array([row]), explained or called or positive)
    found = [WordEffect(w, float(e), 1) for w, e in zip(words[0], effects[0], strict=True)] if words else []
    return WordView(chosen, results.unit, len(words), tuple(found), called)


def _called(results: Results, row: int, threshold: float | None, positive: str | None) -> str | None:
    """The class that was called for a row."""
    if results.task != "classification":
        return None
    found = scored_rows(results, np.array([row]), threshold, positive)["prediction"].iloc[0]
    return None if pd.isna(found) else str(found)


def _bundle(ws: Workspace, results: Results) -> Bundle:
    bundle = load_bundle(ws.store.path(results.run.id, "bundle"), check=False)
    if bundle.pipeline.plan.text is None or bundle.pipeline.width != 1:
        raise SettingProblem(
            msg("The words of this model cannot be covered one by one."),
            msg("Expected a model that reads free text, one row at a time."),
            msg("Open a run of a text family with a window of one row."),
        )
    return bundle


def _effects(
    bundle: Bundle, results: Results, rows: NDArray[np.int64], positive: str | None
) -> tuple[list[list[str]], list[NDArray[np.float64]], str | None]:
    """Words of the remarks of some rows, what each adds, and the class whose probability is meant."""
    text, target = bundle.pipeline.plan.text, target_from_json(bundle.manifest.target or {})
    if text is None or isinstance(target, ForecastTarget):
        raise AssertionError("_bundle() has refused what reads no text")
    used = [c.name for c in results.dataset.columns if c.name in {f.name for f in bundle.manifest.columns}]
    table = take_rows(results.dataset.rows(used), rows, used).reset_index(drop=True)
    inputs = bundle.pipeline.inputs(FrameRows(table), Room())
    windows = inputs.windows.batch(np.arange(len(inputs.windows)))
    chosen = class_rule(bundle.manifest, positive).positive if isinstance(target, ClassTarget) else None

    def predict(some: NDArray[np.float32]) -> NDArray[np.float64]:
        outputs = bundle.predictor.predict(some).reshape(len(some), -1)
        if isinstance(target, ClassTarget):
            return outputs[:, target.classes.index(str(chosen))]
        return target.decode(outputs[:, 0].astype(np.float32))

    effects = token_effects(predict, windows, text.length, UNKNOWN)
    cells = table[text.column]
    words: list[list[str]] = []
    given: list[NDArray[np.float64]] = []
    for place, row in enumerate(inputs.row_of_window):
        found = [] if pd.isna(cells.iloc[row]) else tokens_of(str(cells.iloc[row]), text.length)
        words.append(found)
        given.append(effects[place, text.length - len(found) :])
    return words, given, chosen


def largest(words: Sequence[WordEffect], most: int = 10) -> tuple[tuple[WordEffect, ...], tuple[WordEffect, ...]]:
    """The words that raise the output most, and those that lower it most, at most so many of each.

    Words with less than a hundredth of the largest effect are in neither.
    """
    least = SMALL_SHARE * max((abs(w.effect) for w in words), default=0.0)
    up = [w for w in words if w.effect > 0 and w.effect >= least]
    down = [w for w in words if w.effect < 0 and -w.effect >= least]
    return tuple(sorted(up, key=lambda w: -w.effect)[:most]), tuple(sorted(down, key=lambda w: w.effect)[:most])
