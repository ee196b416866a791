"""A stack's name on its way to make, a shell and a path."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.full import ROOT
from tools import __main__ as tools
from tools import stack_names
from tools.errors import ToolError


@pytest.mark.parametrize("name", ["prod", "local", "fwt-outage-202171", "eu_1", "A"])
def test_names_of_stacks(name: str) -> None:
    assert stack_names.checked(name, "x") == name


@pytest.mark.parametrize("name", ["", "-x", "a b", ";", "$(id)", "`id`", "a/b", "..", "a'b", 'a"b', "a\nb", "a" * 101])
def test_what_is_more_than_a_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ToolError, match="x: expected a stack's name of letters, digits"):
        stack_names.checked(name, "x")
    assert tools.main([f"--stack={name}", "scan"]) == 1
    assert "STACK: expected a stack's name" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_make_and_its_shell_run_nothing_of_a_name(tmp_path: Path, way: str) -> None:
    touch = f"touch {tmp_path}"
    name = f"a;$(shell {touch}/make)`{touch}/shell`'$({touch}/quoted)'$$({touch}/twice)"
    given = [f"STACK={name}"] if way == "argument" else []
    done = subprocess.run(
        ["make", "-s", "-C", str(ROOT), "status", *given],
        env={**os.environ, **({} if given else {"STACK": name})},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "STACK: expected a stack's name of letters" in done.stderr
    assert list(tmp_path.iterdir()) == []
