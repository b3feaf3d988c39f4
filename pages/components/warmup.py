"""What the first click would have to wait for, done beside the start of the server: imports, catalogues, a chart.

Also spares later clicks: Streamlit collects garbage after each of them, which walks over every object of every library.
What is there when the warm-up ends stays for good, so it is left out of that from then on.
"""

from __future__ import annotations

import gc
import importlib
import logging

_LOG = logging.getLogger("andon.server")
COMPONENTS = (
    "context_bar",
    "column_table",
    "results_view",
    "value_view",
    "class_view",
    "anomaly_view",
    "score_chart_view",
    "train_live",
)

LIBRARIES = ("scipy.special", "scipy.fft", "pyarrow.dataset")
"""What charts, limits and tests of every judging screen need, and the first table that is read."""


def warm_up() -> None:
    """Import what the screens need and draw once; runs in a thread of its own and changes nothing.

    What fails here fails again where it is needed, with its sentence; a warm-up is no reason not to serve.
    """
    try:
        _modules()
        _drawing()
    except (ImportError, AttributeError, OSError, ValueError):
        _LOG.exception("the warm-up did not end")
    gc.collect()
    gc.freeze()


def cool_down() -> None:
    """Let the garbage collector see everything again, so that libraries can clear up when the process ends."""
    gc.unfreeze()


def read_words() -> None:
    """Read the catalogues of all languages, which the first screen needs."""
    from core.languages import LANGUAGES, catalogue

    for language in LANGUAGES:
        catalogue(language)


def _modules() -> None:
    for name in COMPONENTS:
        importlib.import_module(f"pages.components.{name}")
    for name in LIBRARIES:
        importlib.import_module(name)


def _drawing() -> None:
    """Plotly makes its classes at the first figure, pandas and Arrow their converters at the first table."""
    import numpy as np
    import pandas as pd
    from streamlit.dataframe_util import convert_pandas_df_to_arrow_bytes

    from core import charts

    some = np.linspace(0.0, 1.0, 3)
    times = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "datetime64[us]")
    charts.score_timeline(scores=some, limit=0.5, x=times, rows=np.arange(3)).to_json()
    charts.parity(truth=some, prediction=some, name="", rows=np.arange(3)).to_json()
    charts.confusion_matrix(counts=np.eye(2, dtype=np.int64), classes=("0", "1")).to_json()
    convert_pandas_df_to_arrow_bytes(pd.DataFrame({"value": some, "time": times, "text": ["a", "b", "c"]}))
