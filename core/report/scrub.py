"""Takes out of a free text what does not belong in a shared file: folders of paths, and e-mail addresses."""

from __future__ import annotations

import re

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"\b(?:https?|file|s3|smb|ftp|postgresql(?:\+\w+)?|sqlite)://\S+", re.IGNORECASE)
_WINDOWS = re.compile(r"(?:\b[A-Za-z]:|\\)\\(?:[^\\\s]+\\)*([^\\\s]*)")
_POSIX = re.compile(r"(?<![\w.)/])~?/(?:[^/\s]+/)+([^/\s]*)")


def scrub(words: str) -> str:
    """The text with paths cut to their last part, and addresses replaced by "…".

    Example:
        >>> scrub("read from /home/ann/plant/line 4.csv by ann@plant.example")
        'read from line 4.csv by …'
    """
    without = _MAIL.sub("…", _URL.sub("…", words))
    return _POSIX.sub(r"\1", _WINDOWS.sub(r"\1", without))
