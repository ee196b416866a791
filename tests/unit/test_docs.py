"""What README.md and docs/ say can be done: make targets exist, stack files load, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.settings import read
from tests.fixtures.hubs import PUBLIC_KEY
from tools.stack import SECRET_KEYS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
DUMMIES = {
    "dsn": "postgresql://user:dummy@db:5432/shop",
    "url": "https://receiver.example/dummy",
    "client_secret": "dummy",
    "password": "dummy",
    "routing_key": "dummy",
}


def _snippets(language: str) -> list[tuple[str, str]]:
    """(page, text) of every fenced block of a language."""
    found = []
    for page, name in zip(PAGES, NAMES, strict=True):
        blocks = re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        found += [(name, block) for block in blocks]
    return found


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _named(page: Path) -> set[str]:
    """Targets in code, inline (`make up`) or in blocks that begin a line with it."""
    return set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE))


def _put(raw: dict[str, Any], path: str) -> None:
    *way, last = path.split(".")
    node = raw
    for key in way:
        node = node[key]
    node[last] = DUMMIES[last]


def _problems(text: str) -> list[str]:
    """What the settings say to a snippet, its secrets filled in as `make secret` would."""
    config = yaml.safe_load(text)["config"]
    raw = {"hub": {"local": {}}} | {key.removeprefix("fleetwatch:"): value for key, value in config.items()}
    raw["ssh"] = {"public_key": PUBLIC_KEY, **raw.get("ssh", {})}  # a file of the reader's own machine
    _, problems = read(raw, "snippet")
    for problem in problems:
        path = problem.split(": missing")[0]
        if path != problem and path.split(".")[-1] in SECRET_KEYS:
            _put(raw, path)
    return read(raw, "snippet")[1]


def test_every_make_target_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = {target for page in PAGES for target in _named(page)}
    with capsys.disabled():
        print(f"\n  {len(PAGES)} pages, {len(named)} make targets", end=" ")
    assert {"up", "test", "down"} <= named
    assert named <= _targets(), f"not in the Makefile: {sorted(named - _targets())}"


def test_every_target_for_users_is_in_the_readme() -> None:
    missing = _targets() - {"help", "venv", "lock", "bench"} - _named(ROOT / "README.md")
    assert not missing, f"the README does not say what these are for: {sorted(missing)}"


def test_every_stack_file_snippet_loads_without_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    snippets = [(page, text) for page, text in _snippets("yaml") if "config:" in text]
    with capsys.disabled():
        print(f"\n  {len(snippets)} stack file snippets", end=" ")
    assert len(snippets) >= 6, "the README shows how to add things"
    for page, text in snippets:
        assert not _problems(text), f"{page}: {_problems(text)} in\n{text}"


def test_every_yaml_snippet_is_a_stack_file() -> None:
    other = [(page, text) for page, text in _snippets("yaml") if not text.startswith("config:")]
    assert not other, f"begin these with `config:`, so that they are checked: {other}"


def test_every_secret_key_that_is_named_is_one() -> None:
    named = {key for page in PAGES for key in re.findall(r"make secret KEY=([a-z0-9._-]+\w)", page.read_text())}
    assert named, "the README says how to set a secret"
    assert {key.split(".")[-1] for key in named} <= SECRET_KEYS, named


def test_every_relative_link_resolves(capsys: pytest.CaptureFixture[str]) -> None:
    count = 0
    for page in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if link.startswith(("https://", "http://", "#")):
                continue
            count += 1
            assert (page.parent / link.split("#")[0]).exists(), f"{page.relative_to(ROOT)}: {link} leads nowhere"
    with capsys.disabled():
        print(f"\n  {count} relative links", end=" ")
    assert count > 3
