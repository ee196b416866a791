"""What make passes on of the values on its command line, and what it refuses before anything runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.full import ROOT

HOSTILE = """$(shell touch made)`touch made`"; touch made; '$$(touch made) --help"""


def _make(
    place: Path, *words: str, shown: str = "printf '<%s>' \"$@\"", **env: str
) -> subprocess.CompletedProcess[str]:
    """The Makefile in a folder whose Python only prints its arguments, each in `<>`."""
    (place / "tools").mkdir(exist_ok=True)
    (place / "tools" / "bootstrap.sh").touch()
    python = place / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{shown}\n")
    python.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES", "STACK")}
    argv = ["make", "-s", "-f", str(ROOT / "Makefile"), *words]
    return subprocess.run(argv, cwd=place, env={**kept, **env}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("drift", "HOST"), ("export", "TO"), ("secret", "KEY"), ("env", "CIDRS"), ("tunnel", "PORT"), ("sbom", "OUT"),
        ("pulumi", "ARGS"), ("ask", "AT"), ("move-state", "TO"), ("outage", "LOGS"), ("pictures", "MINUTES"),
        ("rebuild", "HOST"), ("ask-eval", "DIMENSIONS"), ("status", "FILE"), ("alert-test", "RECEIVER"),
    ],
)  # fmt: skip
def test_a_value_reaches_its_command_as_it_is(tmp_path: Path, target: str, name: str) -> None:
    done = _make(tmp_path, target, f"{name}={HOSTILE}")
    assert done.returncode == 0, done.stderr
    assert HOSTILE in done.stdout
    assert not (tmp_path / "made").exists()


def test_words_of_a_part_are_arguments_and_an_engine_is_a_variable(tmp_path: Path) -> None:
    done = _make(tmp_path, "bench", "PART=hosts ;touch made `touch made`")
    assert done.stdout.endswith("<--><hosts><;touch><made><`touch><made`>")
    assert _make(tmp_path, "rehearse", "ENGINE=28;touch made").stdout == "<-m><tools><rehearse>"
    assert not (tmp_path / "made").exists()


def test_a_line_break_is_a_blank(tmp_path: Path) -> None:
    assert _make(tmp_path, "ask", "Q=how full\ntouch made").stdout.endswith("<--><how full touch made>")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["down", "HOST=web-1"], "HOST=: expected a value that `make down` uses (FILE STACK YES)"),
        (["down", "STCK=prod", "YES=1"], "STCK=: expected a value that `make down` uses (FILE STACK YES)"),
        (["up", "drift", "HOST=web-1"], "HOST=: expected a value that `make up` uses (FILE STACK)"),
        (["clean", "HOST=hub"], "HOST=: expected a value that `make clean` uses"),
        (["down", "prod"], "prod: expected a target, `make help` lists them; a stack is named by STACK=NAME"),
        (["statsu"], "statsu: expected a target"),
        (["down", "YES=0"], "YES=0: expected YES=1, or leave it out"),
        (["grow", "FORGET=no"], "FORGET=no: expected FORGET=1"),
        (["scan", "ACCEPT=0"], "ACCEPT=0: expected ACCEPT=1"),
        (["backup", "TAKE=true"], "TAKE=true: expected TAKE=1"),
    ],
)
def test_what_a_target_does_not_use_is_refused_before_it_runs(tmp_path: Path, words: list[str], sentence: str) -> None:
    done = _make(tmp_path, *words)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    "words", [["up", "FLEETWATCH_OFFLINE=1"], ["status", "STACK=prod"], ["password", "ASK=1"], ["pictures", "ASK=x"]]
)
def test_what_a_target_uses_is_taken(tmp_path: Path, words: list[str]) -> None:
    assert _make(tmp_path, *words).returncode == 0


def test_a_stack_of_the_environment_is_taken_and_texts_are_utf_8(tmp_path: Path) -> None:
    done = _make(tmp_path, "status", shown='echo "$PYTHONUTF8 $2 $3 $4"', STACK="qa", LC_ALL="C")
    assert done.stdout == "1 tools --stack=qa --file=stacks/Pulumi.qa.yaml\n"
