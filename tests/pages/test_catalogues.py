"""Both languages are complete: every string of the source is in both catalogues, with the same places to fill."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"\{[a-z_0-9]*[^}]*\}")
SAME_IN_BOTH = re.compile(
    r"^[\W\d_]*(IQR|ROC|AUC|σ|min|ms|MB|GB|MSE|MAE|RMSE|R²|F1|PCA|T²|SPE|Adam|SGD|adam|sgd|mse|mae|huber|tanh|relu|gelu|ONNX|JSON|CSV|HTML)?[\W\d_]*$"
)


def extractor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("extract_strings", ROOT / "assets" / "locale" / "extract.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


EXTRACT = extractor()


@pytest.fixture(scope="module", params=EXTRACT.LOCALES)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    path = ROOT / "assets" / "locale" / request.param / "LC_MESSAGES" / "andon.po"
    with path.open("rb") as file:
        return read_po(file, locale=request.param)


def texts(entry: str | tuple[str, ...]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry)


def entries(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def key(message: Message) -> str:
    return texts(message.id)[0]


def test_every_string_of_the_source_is_translated(catalogue: Catalog) -> None:
    there = {key(m) for m in entries(catalogue) if all(texts(m.string))}
    assert [key(m) for m in entries(EXTRACT.template()) if key(m) not in there] == []


def test_nothing_is_fuzzy(catalogue: Catalog) -> None:
    assert [key(m) for m in entries(catalogue) if m.fuzzy] == []


def test_places_to_fill_are_the_same(catalogue: Catalog) -> None:
    def places(parts: list[str]) -> set[str]:
        return {place for part in parts for place in PLACE.findall(part)}

    translated = [m for m in entries(catalogue) if all(texts(m.string))]
    wrong = [key(m) for m in translated if places(texts(m.id)) != places(texts(m.string))]
    assert wrong == []


def test_chinese_is_not_english() -> None:
    path = ROOT / "assets" / "locale" / "zh_CN" / "LC_MESSAGES" / "andon.po"
    with path.open("rb") as file:
        chinese = read_po(file, locale="zh_CN")
    same = [key(m) for m in entries(chinese) if key(m) in texts(m.string)]
    words = [text for text in same if not SAME_IN_BOTH.match(PLACE.sub("", text))]
    assert words == []


def test_every_template_is_a_literal() -> None:
    assert EXTRACT.not_literal() == []


def test_extraction_reads_calls_settings_and_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "core" / "thing.py"
    source.parent.mkdir()
    source.write_text(
        "Way = Literal['one_way', 'other']\nHELP = 'Why not'\n"
        "class S(Settings):\n    way: Way = setting('other', title='Way', help=HELP)\n"
        "a = msg('Hello {name}', name=n)\nb = tn('{n} row', '{n} rows', 3)\nc = t(f'no {x}')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(EXTRACT, "ROOT", tmp_path)
    found = {f.id for f in EXTRACT.strings()}
    assert found == {"one way", "other", "Way", "Why not", "Hello {name}", ("{n} row", "{n} rows")}
    assert EXTRACT.not_literal() == ["core/thing.py:7"]
