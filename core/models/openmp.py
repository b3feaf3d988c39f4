"""LightGBM where the system has no OpenMP library: with the one that scikit-learn brings.

LightGBM's Linux wheel needs the system's `libgomp.so.1`, which small containers lack. scikit-learn's wheel holds the
same library under a name of its own (`scikit_learn.libs/libgomp-<hash>.so.1.0.0`). A copy that calls itself
`libgomp.so.1` again is loaded first; the loader then finds the name that LightGBM asks for among what is loaded.
"""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from typing import Any

from core.errors import TrainingProblem
from core.messages import msg

NAME = "libgomp.so.1"


def load_lightgbm() -> Any:
    """The module `lightgbm`.

    Raises:
        TrainingProblem: neither the system nor scikit-learn has an OpenMP library that it can use.
    """
    try:
        import lightgbm
    except OSError as error:
        try:
            preload(bundled(), NAME)
            import lightgbm
        except OSError:
            raise TrainingProblem(
                msg("LightGBM cannot be loaded: {reason}.", reason=str(error).split(": cannot")[0]),
                msg("Gradient boosting needs the system's OpenMP library."),
                msg(
                    "Install it (Debian, Ubuntu: apt-get install libgomp1; macOS: brew install libomp), or choose another model."
                ),
            ) from error
    return lightgbm


def bundled() -> Path:
    """scikit-learn's own copy of the library.

    Raises:
        FileNotFoundError: its package holds none, as on macOS and Windows.
    """
    import sklearn

    found = sorted((Path(sklearn.__file__).parents[1] / "scikit_learn.libs").glob("libgomp-*.so*"))
    if not found:
        raise FileNotFoundError(NAME)
    return found[0]


def preload(library: Path, name: str) -> None:
    """Load a copy of a shared library that calls itself `name`, which must not be longer than the name it has.

    Raises:
        OSError: the copy cannot be written or loaded.
    """
    own = library.name.encode() + b"\0"
    content = library.read_bytes().replace(own, name.encode().ljust(len(own), b"\0"))
    with tempfile.TemporaryDirectory(prefix="andon-openmp-") as folder:
        copy = Path(folder) / name
        copy.write_bytes(content)
        ctypes.CDLL(str(copy), mode=ctypes.RTLD_GLOBAL)  # it stays loaded when the file is gone
