"""No module hides a type from mypy: no ignored error, and no keywords that are passed through without types."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.contract.test_tree import MODULES, OURS
from tests.fixtures.full import ROOT

# Also what changes mypy's options for one module.
IGNORED = re.compile(r"#\s*(type:\s*ignore|mypy:)")


def _ignored(source: str) -> list[str]:
    """The comments that switch errors off. Only comments count: a text may name them."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = (token for token in tokens if token.type == tokenize.COMMENT)
    return [f"line {token.start[0]}: {token.string}" for token in comments if IGNORED.search(token.string)]


def _untyped_keywords(source: str, types: set[str]) -> list[str]:
    """Parameters `**name` that are annotated with one of these types."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.args.kwarg is not None:
            kwarg = node.args.kwarg
            text = ast.unparse(kwarg.annotation).strip("'\"") if kwarg.annotation is not None else ""
            if text.rpartition(".")[2] in types:
                found.append(f"line {node.lineno}: **{kwarg.arg}: {text} of {node.name}")
    return found


def _types(path: Path) -> set[str]:
    """Tests may take `Any`: they write sections of a stack file as keywords, on purpose also wrong ones."""
    return {"object"} if path.is_relative_to(ROOT / "tests") else {"object", "Any"}


def test_no_error_is_ignored() -> None:
    found = {str(path.relative_to(ROOT)): _ignored(path.read_text()) for path in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}, (
        "expected a real type, a Protocol, a cast with its reason, or for a module without types an override in "
        "pyproject.toml"
    )


def test_keywords_have_types() -> None:
    found = {str(path.relative_to(ROOT)): _untyped_keywords(path.read_text(), _types(path)) for path in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}, (
        "expected named parameters, or the types that the values have"
    )


def test_mypy_checks_the_whole_tree_strictly() -> None:
    (section,) = re.findall(
        r"^\[tool\.mypy\]\n(.*?)^\[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL
    )
    assert "strict = true\n" in section
    found = dict(re.findall(r"^(packages|modules) = (\[.*\])$", section, re.MULTILINE))
    assert set(ast.literal_eval(found["packages"])) == set(OURS)
    assert ast.literal_eval(found["modules"]) == ["__main__"]


@pytest.mark.parametrize(
    "source",
    [
        "x = f()  # type: ignore\n",
        "x = f()  # type: ignore[misc]  # why\n",
        "#type:ignore\n",
        "# mypy: ignore-errors\n",
    ],
)
def test_an_ignored_error_is_found(source: str) -> None:
    assert len(_ignored(source)) == 1
    assert _ignored(f"x = {source!r}\n") == [], "a text is no comment"


@pytest.mark.parametrize("annotation", ["object", '"object"', "builtins.object", "Any", "typing.Any"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_an_untyped_keyword_is_found(kind: str, annotation: str) -> None:
    assert len(_untyped_keywords(f"{kind} f(**more: {annotation}): ...\n", {"object", "Any"})) == 1
    assert _untyped_keywords(f"{kind} f(one: {annotation}, **more: str | int): ...\n", {"object", "Any"}) == []
