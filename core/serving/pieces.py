"""Short pieces of a series scored side by side: each with its own history, none seen by another.

A piece is some rows in order of time with the rows before them that windows and cleaning steps look back at. All pieces stand in one
table with their number in the column `PIECE`, which takes the place of the group in the pipeline and in every step of its recipe, so that
one pass scores hundreds of them.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.room import Room
from core.data.rows import FrameRows
from core.features import Pipeline
from core.serving.raw import PADDED
from core.serving.scoring import check_columns, decide, kinds_as_trained, scores_of_inputs

if TYPE_CHECKING:
    from core.serving.bundle import Bundle

PIECE = "__piece__"
NEIGHBOURS = 200
"""Rows that a cleaning step is given on either side where it does not say how far it looks."""
MOST_NEIGHBOURS = 2_000


def piece_pipeline(bundle: Bundle) -> Pipeline:
    """The bundle's pipeline with `PIECE` as the group column of its order and of each cleaning step."""
    stored: dict[str, Any] = copy.deepcopy(bundle.manifest.pipeline)
    stored["group"] = stored["recipe"]["group"] = PIECE
    for step in stored["recipe"]["steps"]:
        if isinstance(step["state"], dict) and "group" in step["state"]:
            step["state"]["group"] = PIECE
    return Pipeline.from_json(stored)


def rows_before(pipeline: Pipeline) -> int:
    """Rows that the score of a row reaches back, without those that the cleaning looks at; with fewer a window is padded.

    A row of a forecast is held against what was forecast one row before it, so that its score reaches one row further.
    """
    return pipeline.width - 1 + (0 if pipeline.own_past is None else pipeline.own_past.reach + 1)


def rows_around(pipeline: Pipeline) -> int:
    """Rows that cleaning steps look at on either side of a row: 0 where each row is cleaned by itself."""
    reaches = [max(int(getattr(step, "reach_rows", 0)), NEIGHBOURS) for step in pipeline.recipe.steps if step.uses_neighbours]
    return min(MOST_NEIGHBOURS, sum(reaches))


def decide_pieces(bundle: Bundle, pipeline: Pipeline, table: pd.DataFrame, wanted: NDArray[np.bool_]) -> pd.DataFrame:
    """What the bundle says of the wanted rows (n,) of a table of pieces, one row a row of the table; others hold NaN.

    Args:
        pipeline: As `piece_pipeline` gave it.

    Raises:
        DataProblem: the table lacks columns that the model needs.
    """
    known = kinds_as_trained(bundle, table)
    keys = [name for name in bundle.manifest.key_columns if name not in known.columns]
    check_columns(bundle, FrameRows(known.assign(**dict.fromkeys(keys, np.nan)) if keys else known))
    room = Room()
    inputs = pipeline.inputs(FrameRows(known), room)
    needed = wanted.copy()
    if bundle.manifest.task == "forecast":  # a row is held against what was forecast one row before it
        needed[:-1] |= wanted[1:]
    places = np.flatnonzero(needed[inputs.row_of_window])
    return decide(bundle, scores_of_inputs(bundle, inputs, room, places=places))


def judged_scores(found: pd.DataFrame) -> NDArray[np.float64]:
    """Scores that may be flagged, (n,): NaN on padded windows."""
    padded = (found["why_not"] == PADDED).to_numpy(dtype=bool)
    return np.where(padded, np.nan, found["score"].to_numpy(dtype=np.float64))
