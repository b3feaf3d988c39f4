"""Collect every visible string into the catalogues: `python assets/locale/extract.py [--check]`.

Reads the source, never runs it: the first argument of `msg(`, `t(` and `say(`, the first two of `msg_n(` and `tn(`,
`title`, `help` and `unit` of `setting(`, and the `Literal` choices of the fields of `Settings` classes. Writes `andon.pot` and brings
both `.po` files up to date, keeping translations; what is new stays untranslated, and the tests name it.
With `--check` it writes nothing and lists what is missing (exit status 1).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
SOURCES = ("app.py", "core", "pages")
LOCALES = ("en", "zh_CN")
ONE, TWO = {"msg", "t", "say"}, {"msg_n", "tn"}
PASSED_ON = {
    "core/messages.py",
    "pages/components/text.py",
    "pages/components/forms.py",
    "pages/components/notices.py",
    "core/charts/captions.py",
    "core/workflows/setting_words.py",
    "pages/components/run_compare.py",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A string of the source: its id (a pair where it has a plural), file and line."""

    id: str | tuple[str, str]
    file: str
    line: int


def source_files() -> list[Path]:
    """Every Python file whose strings people see, in a fixed order."""
    found: list[Path] = []
    for name in SOURCES:
        path = ROOT / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.exists()
    return found


def strings() -> Iterator[Found]:
    """All visible strings of the source."""
    for path in source_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        file = path.relative_to(ROOT).as_posix()
        aliases = _module_names(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from (Found(i, file, node.lineno) for i in _of_call(node, aliases))
            elif isinstance(node, ast.ClassDef) and any(getattr(base, "id", "").endswith("Settings") for base in node.bases):
                fields = (field for field in node.body if isinstance(field, ast.AnnAssign))
                choices = ((c, field.lineno) for field in fields for c in _choices(field.annotation, aliases))
                yield from (Found(choice_word(c), file, line) for c, line in choices if any(map(str.isalpha, c)))


def not_literal() -> list[str]:
    """Calls whose template is not a literal string, as "file:line"; such a string would never be translated."""
    wrong = []
    for path in source_files():
        file = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node) in (ONE | TWO) - {"say"} and file not in PASSED_ON:
                count = 2 if _name(node) in TWO else 1
                if any(_text(a) is None for a in node.args[:count]) or len(node.args) < count:
                    wrong.append(f"{file}:{node.lineno}")
    return wrong


def choice_word(value: str) -> str:
    """How a choice of a setting is written: "set_missing" → "set missing"."""
    return value.replace("_", " ")


def template() -> Catalog:
    """The catalogue without translations, made from the source."""
    catalogue = Catalog(project="Andon", charset="utf-8", fuzzy=False)
    for found in strings():
        ids = found.id if isinstance(found.id, tuple) else (found.id,)
        if all(ids):
            catalogue.add(found.id, locations=[(found.file, 0)])
    return catalogue


def updated(locale: str, source: Catalog) -> Catalog:
    """The catalogue of a locale with the strings of `source`; English is its own translation."""
    path = FOLDER / locale / "LC_MESSAGES" / "andon.po"
    old = read_po(path.open("rb"), locale=locale) if path.exists() else Catalog(locale=locale)
    new = Catalog(locale=locale, project="Andon", charset="utf-8", fuzzy=False)
    for message in source:
        if message.id:
            known = old.get(message.id[0] if isinstance(message.id, tuple) else message.id)
            text = message.id if locale == "en" else (known.string if known else "")
            new.add(message.id, _shaped(text, message.id, new.num_plurals), locations=message.locations)
    return new


def main(check: bool) -> int:
    """Write the catalogues, or with `check` list what is not translated."""
    source, missing = template(), []
    for locale in LOCALES:
        catalogue = updated(locale, source)
        missing += [f"{locale}: {m.id}" for m in catalogue if m.id and not all(_parts(m.string))]
        if not check:
            _write(FOLDER / locale / "LC_MESSAGES" / "andon.po", catalogue)
    if not check:
        _write(FOLDER / "andon.pot", source)
    print(f"{len(source)} strings, {len(missing)} without a translation", *missing, sep="\n")
    return int(check and bool(missing))


def _write(path: Path, catalogue: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, sort_output=True, omit_header=path.suffix == ".pot", include_lineno=False)


def _shaped(text: object, id: str | tuple[str, str], plurals: int) -> str | tuple[str, ...]:
    if not isinstance(id, tuple):
        return text if isinstance(text, str) else "".join(_parts(text)[:1])
    parts = _parts(text)
    return tuple((parts + [parts[-1] if parts else ""] * plurals)[:plurals])


def _parts(text: object) -> list[str]:
    if isinstance(text, str):
        return [text]
    return [str(part) for part in text] if isinstance(text, (list, tuple)) else [""]


def _of_call(node: ast.Call, names: dict[str, ast.AST]) -> Iterator[str | tuple[str, str]]:
    name, texts = _name(node), [_text(a) for a in node.args[:2]]
    if name in ONE and texts and texts[0]:
        yield texts[0]
    elif name in TWO and len(texts) == 2 and texts[0] and texts[1]:
        yield (texts[0], texts[1])
    elif name == "setting":
        values = [names.get(getattr(k.value, "id", ""), k.value) for k in node.keywords if k.arg in ("title", "help", "unit")]
        yield from (text for value in values if (text := _text(value)))


def _name(node: ast.AST | None) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _module_names(tree: ast.Module) -> dict[str, ast.AST]:
    return {n.targets[0].id: n.value for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}


def _choices(annotation: ast.AST, aliases: dict[str, ast.AST]) -> Iterator[str]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "Literal":
            yield from (text for part in ast.walk(node.slice) if (text := _text(part)))
        elif isinstance(node, ast.Name) and node.id in aliases and isinstance(aliases[node.id], ast.Subscript):
            yield from _choices(aliases[node.id], {})


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
