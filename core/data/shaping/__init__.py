"""Operations that change which rows there are: a regular time step, one row a group, two tables by time.

Each makes a new Parquet file out of core with DuckDB, never in memory as a whole, and says what became of the rows.
Nothing is invented: where there was nothing, cells stay empty.
"""

from core.data.shaping.aligning import AlignSettings, align_tables
from core.data.shaping.grouping import AggregateSettings, aggregate_table
from core.data.shaping.resampling import ResampleSettings, resample_table
from core.data.shaping.table import Shaped

__all__ = [
    "AggregateSettings",
    "AlignSettings",
    "ResampleSettings",
    "Shaped",
    "aggregate_table",
    "align_tables",
    "resample_table",
]
