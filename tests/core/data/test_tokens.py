"""Free text becomes the same tokens in every language's script, and a column of remarks is told from names and codes."""

from __future__ import annotations

import pytest

from core.data.tokens import is_free_text, mean_words, shape, tokens_of, word_count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Not HOT, again!", ["not", "hot", "again", "!"]),
        ("don't / doesn’t", ["don't", "doesn't"]),
        ("表面有划伤。", ["表", "面", "有", "划", "伤"]),
        ("ベアリング異音", list("ベアリング異音")),
        ("泵P101振动", ["泵", "p101", "振", "动"]),
        ("베어링이 뜨겁다", ["베어링이", "뜨겁다"]),
        ("größer als 12,5 mm", ["größer", "als", "12,5", "mm"]),
        ("E204 M8x20 3.000", ["e204", "m8x20", "3.000"]),
        ("ＡＢＣ　１２", ["abc", "12"]),
        ("caf\u0065\u0301", ["café"]),
        ("ok 👍🔥", ["ok", "👍", "🔥"]),
        ("=SUM(A1:A9)+1", ["=", "sum", "a1", "a9", "+", "1"]),
        ("±0.1 €5 90%", ["±", "0.1", "€", "5", "90", "%"]),
        ("a_b\tc\nd", ["a", "b", "c", "d"]),
        ("--- ... ___ \u200b\ufeff", []),
        ("", []),
    ],
)
def test_texts_of_many_scripts_become_tokens(text: str, expected: list[str]) -> None:
    assert tokens_of(text) == expected


def test_only_the_first_tokens_are_read_of_a_long_text() -> None:
    assert tokens_of("hot " * 1_000_000, most=3) == ["hot"] * 3
    assert tokens_of("x" * 1_000_000) == ["x" * 20_000], "and of a word without an end its beginning"


def test_a_code_has_a_shape_and_a_word_is_its_own() -> None:
    assert [shape(t) for t in ("e204", "12.5", "m8x20", "hot")] == ["e000", "00.0", "m0x00", "hot"]


def test_words_are_pieces_with_letters_and_half_a_chinese_character() -> None:
    assert word_count("left bearing 3 is hot") == 4
    assert word_count("表面划伤") == 2
    assert word_count(r"C:\data\run1\x.csv") == 1, "a path is one piece"
    assert mean_words([]) == 0.0


def test_remarks_are_told_from_codes_categories_and_paths() -> None:
    remarks = [f"bearing {i} of the left pump is hot" for i in range(60)]
    assert is_free_text(remarks)
    assert is_free_text([f"左侧轴承温度过高第{i}次" for i in range(60)])
    assert not is_free_text([f"SN-{i:05d}" for i in range(60)]), "serial numbers"
    assert not is_free_text([f"pump {i}" for i in range(60)]), "names"
    assert not is_free_text(["left pump is hot", "all is well today"] * 40), "two sentences are categories"
    assert is_free_text(["left pump is hot", "all is well today"] * 40, distinct=400), "of a long column the first rows"
    assert not is_free_text([f"/srv/data/run {i}.csv" for i in range(60)])
    assert not is_free_text(remarks[:9]), "too few cells to say"
