"""Stack files have the same values for the tools and for Pulumi, whose reader differs from Python's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import stack_yaml, validate, working_copy
from tools.errors import ToolError

NUMBERS = {"1e3": 1000.0, "12e5": 1200000.0, "0o14": 12, "010": 8, "0x1f": 31, "1_000": 1000, "08": 8.0, "-.5": -0.5}
TEXTS = ["1:30", "1e", "0o9", "e3", "1.2.3", "10.0.0.0/8", "v1", "-x", "."]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_are_those_of_pulumi(text: str) -> None:
    assert stack_yaml.parsed(f"a: {text}", "f").value == {"a": NUMBERS[text]}
    (problem,) = stack_yaml.parsed(f"{text}: x", "f").problems
    assert problem == (
        f"f, line 1, column 1: expected a text as key, YAML reads `{text}` as a number; put it in quotes ('{text}':) "
        "or choose another name"
    )


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_those_of_pulumi(text: str) -> None:
    assert stack_yaml.parsed(f"a: {text}", "f") == stack_yaml.Parsed({"a": text})


@pytest.mark.parametrize(
    "text", [*NUMBERS, *TEXTS, "yes", "null", "~", "2024-01-01", "", 'a "b"', "a\nb\n", "<<", "=", "x: y"]
)
def test_every_text_is_written_in_quotes(text: str) -> None:
    value: dict[str, Any] = {text: [text, {"n": 1, "b": True, "f": 0.5, "nothing": None}]}
    written = stack_yaml.dumped(value)
    assert stack_yaml.parsed(written, "f") == stack_yaml.Parsed(value)
    scalars = [token for token in yaml.scan(written) if isinstance(token, yaml.ScalarToken)]
    assert {token.value for token in scalars if token.plain} == {"1", "true", "0.5", "null"}, written


@pytest.mark.parametrize("key", ["prefix", "env"])
@pytest.mark.parametrize(("text", "kind"), [("yes", "boolean"), ("010", "number"), ("1e3", "number")])
def test_names_that_yaml_reads_as_no_text_are_refused(key: str, text: str, kind: str) -> None:
    with pytest.raises(ToolError) as refused:
        working_copy.parse(f"config:\n  fleetwatch:{key}: {text}\n", "f")
    place, expected = f"f, line 2, column {len(key) + 16}", f"expected a text for fleetwatch:{key}"
    assert str(refused.value) == f"{place}: {expected}, YAML reads `{text}` as a {kind}; put it in quotes."
    content = working_copy.parse(f"config:\n  fleetwatch:{key}: '{text}'\n", "f")
    assert content == {"config": {f"fleetwatch:{key}": text}}


def test_a_file_of_the_tools_is_read_as_it_was_written(tmp_path: Path) -> None:
    content = {"config": {"fleetwatch:prefix": "1e3", "fleetwatch:hosts": {"0o14": {"networks": ["12e5"]}}}}
    working_copy.write(tmp_path / "f.yaml", content)
    assert working_copy.read(tmp_path / "f.yaml") == content


def test_every_problem_of_the_yaml_is_shown_beside_those_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.qa.yaml"
    file.write_text("config:\n  fleetwatch:hub: {local: {}, colour: 1}\n  fleetwatch:hub2: {1: x, a: 1, a: 2}\n")
    assert [problem.partition(", expected one of")[0] for problem in validate.problems(file)] == [
        f"{file}, line 3, column 21: expected a text as key, YAML reads `1` as a number; put it in quotes ('1':) or "
        "choose another name",
        f"{file}, line 3, column 33: duplicate key `a`",
        "hub2: unknown key",
        "hub.colour: unknown key",
    ]


@pytest.mark.parametrize(
    "text", ["a: *hunter22", "a: !hunter22 b", "? hunter22==\n: 1\nhunter22==: 2", "a: &hunter22 1\nb: &hunter22 2"]
)
def test_a_password_that_is_no_yaml_is_not_shown(text: str) -> None:
    problems = stack_yaml.parsed(text, "f").problems
    assert all("hunter22" not in problem for problem in problems), problems


UNREADABLE = {
    "a day that there is not": ("a: 2026-13-41\n", "f, line 1, column 4: expected a day that exists"),
    "a number of 5000 digits": (f"a: {'9' * 5000}\n", "f, line 1, column 4: expected a shorter number"),
    "a control character": ("a: 1\nb: \0\n", "f, line 2: expected YAML, it has a control character; remove it"),
    "nested too deeply": ("{a: " * 2000 + "1" + "}" * 2000, "f: expected YAML, it is nested too deeply"),
    "an alias inside its anchor": ("a: &x {b: *x}\n", "f: expected values without an alias (*name) inside"),
    "a tab": ("a:\n\tb: 1\n", "f, line 2, column 1: expected YAML, found character"),
    "a sign of YAML": ("a: @b\n", "f, line 1, column 4: expected YAML, found character '@'"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_python_cannot_read_is_one_sentence(case: str) -> None:
    text, start = UNREADABLE[case]
    (problem,) = stack_yaml.parsed(text, "f").problems
    assert problem.startswith(start)
    assert "\n" not in problem
