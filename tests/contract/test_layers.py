"""Which layer may reach what: configs is pure, and the tools use of components only what looks at the world outside."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.contract.test_tree import MODULES, _imports, _name
from tests.fixtures.full import ROOT

# What of components the tools may use: it looks at machines and accounts, and makes no resources.
FACT_FINDERS = {
    "components.cloud_api",
    "components.cloud_facts",
    "components.custom_folder",
    "components.key_files",
    "components.machine_facts",
}
# Modules that reach a network, a process or a file; urllib.parse only takes texts apart.
REACHING_OUT = {"http", "httpx", "requests", "shutil", "socket", "ssl", "subprocess", "tempfile", "urllib.request"}
FILE_CALLS = {
    "exists", "glob", "is_dir", "is_file", "iterdir", "mkdir", "open", "read_bytes", "read_text", "rglob", "stat",
    "touch", "unlink", "write_bytes", "write_text",
}  # fmt: skip


def _modules(path: Path) -> set[str]:
    """The whole names of what a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _outside_files(source: str) -> list[str]:
    """Calls of a module that open a file which is not beside the module itself."""
    tree, beside = ast.parse(source), {"__file__"}
    for _ in range(3):  # a name that is made from such a name is one too
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                value, targets = node.value, node.targets
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                value, targets = node.iter, [node.target]
            else:
                continue
            if beside & _names(value):
                beside |= {name for target in targets for name in _names(target)}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in FILE_CALLS and not beside & _names(node.func):
            found.append(ast.unparse(node))
    return found


def _reaches_out(path: Path) -> list[str]:
    source = path.read_text()
    imported = {name for name in _modules(path) if any(f"{name}.".startswith(f"{one}.") for one in REACHING_OUT)}
    return [*sorted(imported), *_outside_files(source)]


def test_configs_is_pure() -> None:
    """What machines and clouds have comes in as facts; only files that are part of the package are read."""
    found = {_name(path): _reaches_out(path) for path in MODULES if _name(path).startswith("configs/")}
    assert {name: reached for name, reached in found.items() if reached} == {}


def test_a_module_that_reaches_out_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    for source in (
        "import socket",
        "from urllib import request",
        "from http.client import HTTPException",
        "import subprocess as s",
        "open('x')",
        "from pathlib import Path\nPath('x').read_text()",
        "from pathlib import Path\ndef f(file):\n    return file.expanduser().read_text()",
    ):
        file.write_text(source)
        assert _reaches_out(file), source
    file.write_text(
        "from pathlib import Path\nHERE = Path(__file__).parent\n(HERE / 'x').read_text()\nimport urllib.parse"
    )
    assert not _reaches_out(file)


def test_tools_use_of_components_only_what_finds_facts() -> None:
    for path in MODULES:
        if _name(path).startswith("tools/"):
            used = {name for name in _modules(path) if name.startswith("components.")}
            beyond = {name for name in used if not any(f"{name}.".startswith(f"{one}.") for one in FACT_FINDERS)}
            assert not beyond, f"{_name(path)} must not know about these"
    for module in FACT_FINDERS:
        path = ROOT / f"{module.replace('.', '/')}.py"
        assert not {name for name in _imports(path) if name.startswith("pulumi")}, f"{module} makes no resources"
        ours = {name for name in _modules(path) if name.startswith("components.")}
        assert {".".join(name.split(".")[:2]) for name in ours} <= FACT_FINDERS


# They import DigitalOcean's SDK, a third of what a preview imports, which a stack without a cloud never uses. A circle
# among them is found by the imports at the head of each of these modules.
OF_THE_CLOUD = {"components.cloud", "components.droplet", "components.managed_database", "components.spaces_bucket"}


def _inner_imports(path: Path) -> list[str]:
    """Imports inside a function of a module."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        f"{_name(path)}:{node.lineno}"
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, functions)
        for node in ast.walk(function)
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module not in OF_THE_CLOUD)
    ]


def test_no_function_imports_a_module() -> None:
    """Such an import hides a circle."""
    assert [place for path in MODULES if not _name(path).startswith("tests/") for place in _inner_imports(path)] == []
