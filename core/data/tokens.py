"""Free text → tokens, without a language's rules: the same for English, German, Chinese and Japanese remarks.

| in the text | tokens |
|---|---|
| letters between spaces or signs, as in Latin, Cyrillic, Greek or Korean | one word, in lower case; "don't" stays one |
| Chinese and Japanese characters, Thai, Lao, Khmer and Burmese | one token a character: these scripts set no spaces |
| numbers and codes | one token each: "12.5", "e204", "m8x20"; `shape` gives "00.0", "e000", "m0x00" |
| emoji, currency and mathematical signs, and % ! ? | one token each |
| other signs | none |

Full-width letters and digits count as the plain ones (Unicode NFKC). Nothing is stemmed and no word is left out: "not" may be
the one that matters. scikit-learn's word pattern would take a Chinese sentence for one word, and drops single characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice

MOST_CHARACTERS = 20_000
"""Of a longer text only the beginning is looked at."""
FEWEST_TEXTS = 10
FEWEST_WORDS = 2.0
MANY_TEXTS = 50

# Scripts without spaces: kana, ideographs of all blocks, half-width kana, and those of South-East Asia.
_SINGLE = (
    "\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"
)
# Accents and vowel signs, which Python does not count as letters.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0dff"
_LETTER = rf"(?:(?![{_SINGLE}])[^\W_]|[{_MARKS}])"
_TOKEN = re.compile(rf"[{_SINGLE}]|\d+(?:[.,]\d+)+|{_LETTER}+(?:['\u2019]{_LETTER}+)*|\S")
_KEPT_SIGNS = frozenset("%!?")
_SIGN_KINDS = frozenset(["So", "Sm", "Sc"])
_SINGLE_CHARACTER = re.compile(f"[{_SINGLE}]")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")


def tokens_of(text: str, most: int | None = None) -> list[str]:
    """The tokens of a text in their order, at most `most` of them; none for a text without letters, digits and signs.

    Example:
        >>> tokens_of("Not hot: E204 at 12,5 °C, 表面划伤")
        ['not', 'hot', 'e204', 'at', '12,5', '°', 'c', '表', '面', '划', '伤']
    """
    return list(islice(_tokens(text), most))


def _tokens(text: str) -> Iterator[str]:
    # Plain lower case and no case folding: "ß" and "ss" are two spellings that a plant may tell apart.
    plain = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).lower()
    for found in _TOKEN.finditer(plain):
        token = found[0]
        if len(token) > 1 or token.isalnum() or token in _KEPT_SIGNS or unicodedata.category(token) in _SIGN_KINDS:
            yield token.replace("\u2019", "'")


def shape(token: str) -> str:
    """A number or code with every digit as 0; any other token as it is."""
    return _DIGIT.sub("0", token)


def word_count(text: str) -> float:
    """How many words a text has: pieces between spaces that hold a letter; two characters of a script without spaces are one."""
    head = text[:MOST_CHARACTERS]
    singles = len(_SINGLE_CHARACTER.findall(head))
    rest = _SINGLE_CHARACTER.sub(" ", head)
    return singles / 2 + sum(1 for piece in rest.split() if _HAS_LETTER.search(piece))


def is_free_text(texts: Sequence[str], distinct: int | None = None) -> bool:
    """Whether the filled cells of a column are remarks that people wrote, and no names, codes or categories.

    Rule: at least 10 cells, more than 50 different ones or more than half of them different, and more than 2 words in the mean.

    Args:
        texts: Filled cells, or the first of them.
        distinct: How many different ones the whole column has, where that is known.
    """
    n_different = len(set(texts))
    many = max(n_different, distinct or 0) > MANY_TEXTS or n_different > len(texts) / 2
    return len(texts) >= FEWEST_TEXTS and many and mean_words(texts) > FEWEST_WORDS


def mean_words(texts: Sequence[str]) -> float:
    """Words a text in the mean; 0 without texts."""
    return sum(map(word_count, texts)) / len(texts) if texts else 0.0
