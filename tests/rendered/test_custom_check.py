"""Own rules and templates in the real promtool, Loki and amtool: the examples pass, and a mistake is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from components import custom_folder
from tests.fixtures.custom import copied
from tests.rendered.conftest import program
from tools.custom_check import Programs, problems


def _found(folder: Path) -> list[str]:
    for name in ("promtool", "amtool", "loki"):
        program(name)  # fails if it is not here
    return problems(custom_folder.read(folder, "stacks/full"), Programs({}), tests=True)


def test_examples_pass(tmp_path: Path) -> None:
    assert _found(copied(tmp_path)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("rules/shop.yml", "max > 5", "max >", "could not parse expression: 1:"),
        ("rules/shop.yml", "for: 10m", "for: soon", 'not a valid duration string: "soon"'),
        ("rules/shop.yml", "$labels.job }}", "$labels.job", "template"),
        ("log-rules/checkout.yml", "[5m])) >", "[5m]) >", "could not parse expression for alert 'CheckoutFails'"),
        ("templates/title.tmpl", "| toUpper }}", "| toUper }}", 'function "toUper" not defined'),
    ],
)  # fmt: skip
def test_mistake_is_named_with_its_file(file: str, old: str, new: str, expected: str, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    (problem,) = _found(folder)
    assert problem.startswith(f"stacks/full/{file}: ")
    assert expected in problem
    assert str(tmp_path) not in problem


def test_test_that_fails_is_named(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    test = folder / "rules" / "shop_test.yml"
    test.write_text(test.read_text().replace("eval_time: 9m", "eval_time: 11m"))
    (problem,) = _found(folder)
    assert problem.startswith("stacks/full/rules/shop_test.yml: ")
    assert "ScrapeSlow" in problem
