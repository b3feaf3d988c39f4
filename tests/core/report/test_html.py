"""The report file: complete, self-contained, and deaf to what users typed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html.parser import HTMLParser

import pytest

from core.anomalies.records import VERDICTS
from core.messages import Message, msg
from core.report import render_html
from core.report.html import content_security_policy, figure_json
from core.report.labels import LABELS, WORDS
from tests.core.report.sample import sample_facts

VOID = {"meta", "br", "link", "img", "input", "hr"}
PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "{{ 7 * 191 }}{% raw %}",
    "<!--<script>",
    "</style></title></textarea><iframe srcdoc='<b>x'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u2028</ScRiPt >\u2029%{x}<math><mi//xlink:href='data:x,<script>'>",
)


@dataclass
class Page(HTMLParser):
    """Elements, attributes and text of a document; `open_` is empty when it is well formed."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open_: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open_.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open_[-1] if self.open_ else "", []).append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def parse(document: str) -> Page:
    page = Page()
    page.feed(document)
    page.close()
    assert page.open_ == []
    return page


@lru_cache(maxsize=1)
def plain_document() -> str:
    return render_html(sample_facts())


@lru_cache(maxsize=1)
def plain_page() -> Page:
    return parse(plain_document())


def body_text(page: Page) -> str:
    return " ".join(words for tag, said in page.texts.items() if tag not in ("script", "style") for words in said)


def test_says_the_facts() -> None:
    words = body_text(plain_page())
    for wanted in (
        "3 of 4 faults were found", "Hydraulic pump", "20,000", "ab" * 32, "pump.csv", "0.8123", "0.79 to 0.83", "0.74",
        "0.02134 bar", "not defined: only one class in the test part", "T²/SPE", "Fill gaps", "method = linear", "first rows",
        "10,200", "1,800", "2024-05-11 06:42", "discharge_pressure 61 % (−0.44 bar)", "assignable cause",
        "worn seal", "new seal from store 3", "seal replaced", "open", "1.92",
        "2.21.0", "cd" * 32, "2024-05-20 14:03 UTC", "limit from 1,800 normal rows", "learning rate", "0.001",
        "Isolation forest", "0.6789", "0.65 to 0.7", "0.0345 bar",
    ):  # fmt: skip
        assert wanted in words, wanted


def test_each_hash_of_the_data_says_what_it_is_of() -> None:
    data = plain_document().split('aria-labelledby="data"')[1].split("<h3>")[0]
    said = dict(re.findall(r'<th scope="row">(SHA-256[^<]*)</th><td><code>(\w+)</code>', data))
    assert said == {"SHA-256 of the source": "ef" * 32, "SHA-256 of the table": "ab" * 32}
    assert data.index("pump.csv") < data.index("ef" * 32) < data.index("20,000")


def test_is_one_file_below_8_mb_that_names_no_other() -> None:
    assert len(plain_document().encode()) < 8_000_000
    for tag, attrs in plain_page().tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        assert "src" not in attrs and not any(name.startswith("on") for name in attrs)
        assert (attrs.get("href") or "#").startswith("#")


def test_policy_allows_exactly_the_two_scripts_of_the_file() -> None:
    policy = next(a["content"] for a in plain_page().named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none';") and "unsafe-eval" not in policy
    found = re.findall(r"<script>(.*?)</script>", plain_document(), flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in found]
    assert len(found) == 2 and re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert "script-src" in policy and "'unsafe-inline'" not in policy.split("style-src")[0]


def test_policy_of_a_known_script() -> None:
    # echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
    assert "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in content_security_policy("alert(1)")


def test_plotly_stands_in_it_once_and_its_upload_button_is_off() -> None:
    assert plain_document().count("plotly.js v") == 1
    assert 'modeBarButtonsToRemove: ["sendChartToCloud"]' in plain_document()


def test_figures_are_json_blocks_that_read_back() -> None:
    facts = sample_facts()
    blocks = re.findall(r'<script type="application/json" id="figure-(\d+)">(.*?)</script>', plain_document(), flags=re.DOTALL)
    assert [int(i) for i, _ in blocks] == [1, 2, 3, 4]
    for (_, block), one in zip(blocks, facts.figures, strict=True):
        assert json.loads(block) == json.loads(one.figure.to_json())
    assert {a["data-figure"] for a in plain_page().named("div") if "data-figure" in a} == {f"figure-{i}" for i in (1, 2, 3, 4)}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_typed_texts_stay_texts(payload: str) -> None:
    facts = sample_facts(dataset=payload, column=payload, comment=payload, unit=payload)
    page = parse(render_html(facts))
    shape = [(tag, sorted(attrs)) for tag, attrs in page.tags]
    assert shape == [(tag, sorted(attrs)) for tag, attrs in plain_page().tags]
    assert payload in body_text(page)
    for one in facts.figures:
        assert not set("<>&") & set(figure_json(one.figure))


def test_no_folder_and_no_address_in_it() -> None:
    document = render_html(sample_facts(comment="see C:\\Users\\ann\\plant\\log.txt or ann@plant.example"))
    words = body_text(parse(document))
    assert "log.txt" in words and "pump.csv" in words
    for private in ("/srv/plant", "C:\\", "Users", "ann@", "plant.example"):
        assert private not in document.replace(_library(document), "")


def _library(document: str) -> str:
    return re.findall(r"<script>(.*?)</script>", document, flags=re.DOTALL)[0]


def test_without_events_recipe_and_figures_it_is_shorter_and_whole() -> None:
    bare = replace(
        sample_facts(),
        events=(),
        recipe=(),
        figures=(),
        metrics=(),
        threshold=(),
        settings=(),
        run=(),
        notes=(),
        baseline_name=None,
        other_baselines=(),
    )
    document = render_html(bare)
    assert len(document) < 20_000 and "<script" not in document
    words = body_text(parse(document))
    assert "No cleaning: the data was used as it came." in words and "Severity" not in words


def test_every_sentence_is_translated_and_the_language_is_named() -> None:
    def translated(message: Message) -> str:
        return message.render(lambda singular, plural, n: f"⟦{singular}⟧")

    document = render_html(sample_facts(), translated, "zh_CN")
    page = parse(document)
    assert page.named("html")[0]["lang"] == "zh-CN"
    for tag in ("th", "h1", "h2", "h3", "a", "figcaption"):
        for words in page.texts[tag]:
            if words.strip() not in ("", ":", ".", "SHA-256", "Andon", "tensorflow", "numpy", "model.onnx"):
                assert "⟦" in words, (tag, words)


def test_many_events_are_cut_and_counted() -> None:
    facts = sample_facts()
    many = replace(facts, events=tuple(replace(facts.events[1], number=i) for i in range(1, 251)), figures=())
    page = parse(render_html(many))
    assert "+ 150" in body_text(page)


def test_same_facts_give_the_same_file() -> None:
    assert render_html(sample_facts()) == plain_document()


def test_each_role_kind_part_and_verdict_has_a_word() -> None:
    assert {"time", "group", "target", "sensor", "ignore", "number", "text", "train", "validation", "test", "gap"} <= set(WORDS)
    assert set(VERDICTS) <= set(WORDS)
    assert all(str(message) for message in LABELS.values())


def test_messages_may_be_titles_and_texts_too() -> None:
    document = render_html(replace(sample_facts(), title="Run <12>", figures=(), notes=(msg("a & b"),)))
    assert "<title>Run &lt;12&gt;</title>" in document and "a &amp; b" in document
