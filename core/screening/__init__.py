"""What is wrong with a table before any model: one graded record a column, each reason with its place and its fix.

Computes, never asks, draws or saves. Reads one column at a time, so that a table need not fit into memory.
"""

from core.screening.records import (
    GRADES,
    ClassCount,
    ColumnScreen,
    Fix,
    Place,
    Reason,
    Screening,
    grade_of,
    without_columns,
)
from core.screening.screen import screen

__all__ = [
    "GRADES",
    "ClassCount",
    "ColumnScreen",
    "Fix",
    "Place",
    "Reason",
    "Screening",
    "grade_of",
    "screen",
    "without_columns",
]
