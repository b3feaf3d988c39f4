"""The imports point one way, `core` knows nothing of Streamlit, and nobody imports TensorFlow or PyOD at module level."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = (
    ("messages",),
    ("errors",),
    ("settings",),
    ("languages",),
    ("watching",),
    ("durable",),
    ("data",),
    ("confined",),
    ("clean",),
    ("features",),
    ("models",),
    ("training",),
    ("evaluation",),
    ("spc",),
    ("screening",),
    ("anomalies",),
    ("explain",),
    ("charts",),
    ("report",),
    ("store",),
    ("serving",),
    ("jobs",),
    ("workflows",),
    ("serve",),
    ("cli",),
    ("__main__",),
)
RANK = {name: i for i, names in enumerate(ORDER) for name in names}
HEAVY = {"tensorflow", "keras", "pyod", "tf2onnx", "skl2onnx", "onnx", "lightgbm"}


def python_files(folder: str) -> list[Path]:
    return sorted(p for p in (ROOT / folder).rglob("*.py") if "migrations" not in p.parts)


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module with its line, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "core":
                for alias in node.names:
                    yield f"core.{alias.name}", node.lineno
            else:
                yield node.module, node.lineno


def top_level_imports(tree: ast.Module) -> Iterator[str]:
    """Modules that are imported when the file is; functions and blocks under `if TYPE_CHECKING` are not looked into."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (name for name, _ in imports(node))
        elif isinstance(node, ast.If | ast.Try) and "TYPE_CHECKING" not in ast.unparse(getattr(node, "test", node)):
            waiting.extend(ast.iter_child_nodes(node))  # type: ignore[arg-type]


def package_of(path: Path) -> str:
    return path.relative_to(ROOT / "core").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", python_files("core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_core_imports_point_one_way(path: Path) -> None:
    package = package_of(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, line in imports(tree):
        assert name.split(".")[0] not in ("streamlit", "pages", "app"), f"{path.name}:{line} imports {name}"
        parts = name.split(".")
        if parts[0] == "core" and len(parts) > 1 and parts[1] in RANK and package in RANK:
            assert RANK[parts[1]] <= RANK[package], (
                f"{path.name}:{line}: core.{package} imports core.{parts[1]}, which stands to its right"
            )


@pytest.mark.parametrize("path", [*python_files("core"), *python_files("pages")], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_heavy_is_imported_with_a_module(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {name.split(".")[0] for name in top_level_imports(tree)} & HEAVY
    assert not found, f"{path} imports {found} at module level"


@pytest.mark.parametrize("path", python_files("pages"), ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_reach_core_through_workflows_and_records(path: Path) -> None:
    forbidden = ("core.store", "core.jobs", "core.serving", "core.training.fit")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, line in imports(tree):
        assert not name.startswith(forbidden), f"{path.name}:{line} imports {name}; call core.workflows instead"


def test_no_pickle_anywhere() -> None:
    for path in (*python_files("core"), *python_files("pages"), ROOT / "app.py"):
        names = {name.split(".")[0] for name, _ in imports(ast.parse(path.read_text(encoding="utf-8")))}
        assert not names & {"pickle", "joblib", "dill", "cloudpickle", "shelve"}, f"{path} imports a pickle library"


def test_every_package_of_core_has_a_place_in_the_order() -> None:
    packages = {
        p.name.removesuffix(".py") for p in (ROOT / "core").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert packages - {"__init__"} <= set(RANK)
