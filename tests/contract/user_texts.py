"""The texts that users and contributors read, by place: panels, alerts, pages, messages and docstrings.

Readers return place -> text. Code in a text (Markdown code, templates, shell variables) is removed.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from configs import dashboards, rules
from configs.dashboards import boards
from configs.services.alertmanager.templates import TEMPLATES
from tests.fixtures.full import ROOT
from tests.fixtures.stackfiles import CASES
from tools.doctor import queries
from tools.doctor import rules as rule_questions

Texts = dict[str, str]
PLACEHOLDER = "…"


def panels() -> Texts:
    """Titles, descriptions, legends, columns, mappings and variables of every rendered dashboard."""
    found: Texts = {}
    for make in CASES.values():
        for file, text in dashboards.render(make()).items():
            for number, one in enumerate(_strings(json.loads(text))):
                found[f"{file} {number}: {one[:40]}"] = re.sub(r"{{.*?}}", PLACEHOLDER, one)
    return found


SHOWN_KEYS = {"title", "description", "noValue", "label", "text", "legendFormat", "name"}


def _strings(node: Any, key: str = "") -> Iterator[str]:
    """Strings under keys that Grafana shows, and the new names of table columns."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _strings(value, "title" if key == "renameByName" else name)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value, key)
    elif isinstance(node, str) and key in SHOWN_KEYS and node:
        yield node


def alerts() -> Texts:
    """Summary and description of every alert."""
    found: Texts = {}
    for case, make in CASES.items():
        settings = make()
        for number, alert in enumerate(rules.alerts(settings)):
            for part in (alert.summary, alert.description):
                found[f"{alert.name} ({case}, {number}): {part[:30]}"] = re.sub(r"{{.*?}}", PLACEHOLDER, part)
    return found


def reasons() -> Texts:
    """The reasons of declared empty queries, which `make doctor` prints."""
    found: Texts = {}
    for make in CASES.values():
        settings = make()
        found |= {one.place: one.empty for one in queries.panel_queries(boards(settings)) if one.empty}
        found |= {one.place: one.empty for one in rule_questions.described_rules(settings) if one.empty}
    return found


def templates() -> Texts:
    """Alertmanager's templates without their expressions."""
    return {"configs/services/alertmanager/templates.py": re.sub(r"{{.*?}}", PLACEHOLDER, TEMPLATES, flags=re.DOTALL)}


def pages(*names: str) -> Texts:
    """Paragraphs of Markdown files (a glob below the checkout), without code."""
    found: Texts = {}
    for path in sorted(path for name in names for path in ROOT.glob(name)):
        text = re.sub(r"^( *)```.*?^\1```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        text = re.sub(r"`[^`]*`|\]\([^)]*\)|<!--.*?-->", PLACEHOLDER, text, flags=re.DOTALL)
        for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
            found[f"{path.relative_to(ROOT)} paragraph {number}"] = " ".join(paragraph.split())
    return found


def strings(*folders: str) -> Texts:
    """String literals with a space in the Python modules of folders, without docstrings."""
    found: Texts = {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for line, column, text in _literals(ast.parse(path.read_text())):
            found[f"{path.relative_to(ROOT)}:{line}:{column}"] = text
    return found


def _literals(tree: ast.Module) -> Iterator[tuple[int, int, str]]:
    docstrings = {id(_docstring(node)) for node in ast.walk(tree)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else PLACEHOLDER
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings or id(node) in inside:
                continue
            text = node.value
        else:
            continue
        if " " in text.strip():
            yield node.lineno, node.col_offset, re.sub(r"`[^`]*`|\b\w+=\$?\(?\w+", PLACEHOLDER, " ".join(text.split()))


def docstrings(*folders: str) -> Texts:
    """Docstrings of the modules, classes and functions in folders, without code."""
    found: Texts = {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (docstring := _docstring(node)) and isinstance(docstring.value, str):
                text = re.sub(r"`[^`]*`", PLACEHOLDER, " ".join(docstring.value.split()))
                found[f"{path.relative_to(ROOT)}:{docstring.lineno}"] = text
    return found


def _docstring(node: ast.AST) -> ast.Constant | None:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            return first.value
    return None


def scripts(folder: str) -> Texts:
    """Double-quoted strings with a space in the shell scripts of a folder, without comments and variables."""
    found: Texts = {}
    for path in sorted((ROOT / folder).glob("*.sh")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.lstrip().startswith("#"):
                continue
            quoted = " ".join(re.findall(r'"((?:\\.|[^"\\])*)"', line))
            text = re.sub(r"\\`.*?\\`|\$\{\w+[^}]*\}|\$\([^)]*\)|\$\w+|\$.", PLACEHOLDER, quoted)
            if " " in text.strip():
                found[f"{path.relative_to(ROOT)}:{number}"] = text
    return found
