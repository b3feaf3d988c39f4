"""Short Chinese headers are read as Chinese, and other encodings are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.sniffing import sniff


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("时间,温度,压力,振动,合格\n2026-01-01,25.1,3.2,正常,是\n2026-01-02,25.3,3.1,正常,否\n", "gb18030", "gb18030"),
        ("时间;温度\n1;2\n3;4\n", "gb18030", "gb18030"),
        ("時間,溫度,壓力,振動\n1,2,正常,是\n2,3,正常,否\n", "big5", "big5"),
        ("時間,温度,圧力,しんどう,ごうかく\n1,2,3,あ,い\n", "cp932", "cp932"),
        ("시간,온도,압력,진동,합격\n1,2,3,4,5\n", "euc_kr", "euc_kr"),
        ("Länge;Größe;Höhe\n1;2;3\n", "cp1252", "cp1252"),
    ],
    ids=["chinese", "chinese-short", "taiwan", "japanese", "korean", "german"],
)
def test_the_encoding_of_a_short_file_is_found(tmp_path: Path, text: str, encoding: str, found: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    preview = sniff(path)
    assert preview.options.encoding == found
    assert preview.names[0] == text.split("\n")[0].replace(";", ",").split(",")[0]
