"""Arrays of a fitted step as JSON: exact, compact, and nothing that is run when it is read.

`{"shape": [rows, columns], "float64": "base64 of the little-endian bytes"}`. Steps with a few numbers keep plain lists;
this is for reference rows and coefficients.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pack(values: ArrayLike) -> dict[str, object]:
    """An array of any shape as JSON, bit for bit."""
    array = np.ascontiguousarray(values, dtype="<f8")
    return {"shape": list(array.shape), "float64": base64.b64encode(array.tobytes()).decode("ascii")}


def unpack(stored: Mapping[str, Any]) -> NDArray[np.float64]:
    """The array that `pack` wrote."""
    flat = np.frombuffer(base64.b64decode(stored["float64"]), dtype="<f8")
    return flat.astype(np.float64).reshape(stored["shape"])
