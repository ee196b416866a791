"""What README.md and docs/ say can be done: make targets exist, stack files load, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.settings import describe, read
from configs.settings.secrets import is_secret_path
from tests import drawing
from tests.fixtures.docs import BY_FOLDER, MARKS, OUTPUT, PAGES, ROOT, blocks, commands, queries
from tests.fixtures.hubs import PUBLIC_KEY
from tools.doctor import selectors

BLOCKS = blocks()
DUMMIES = {
    "dsn": "postgresql://user:dummy@db:5432/shop",
    "url": "https://receiver.example/dummy",
    "access_key": "dummy",
    "client_secret": "dummy",
    "secret_key": "dummy",
    "password": "dummy",
    "routing_key": "dummy",
    "bot_token": "dummy",
    "api_key": "dummy",
}


def _snippets(language: str) -> list[tuple[str, str]]:
    """(place, text) of every fenced block of a language."""
    return [(block.place, block.text) for block in BLOCKS if block.language == language]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _named(page: Path) -> set[str]:
    """Targets in code, inline (`make up`) or in blocks that begin a line with it."""
    return set(re.findall(r"(?:`|^ *)make ([a-z-]+)", page.read_text(), re.MULTILINE))


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
        if path != problem and is_secret_path(path):
            _put(raw, path)
    return read(raw, "snippet")[1]


def test_every_make_target_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = {target for page in PAGES for target in _named(page)}
    with capsys.disabled():
        print(f"\n  {len(PAGES)} pages, {len(named)} make targets", end=" ")
    assert {"up", "test", "down"} <= named
    assert named <= _targets(), f"not in the Makefile: {sorted(named - _targets())}"


def test_every_target_for_users_is_in_the_readme() -> None:
    missing = _targets() - {"help", "venv", "lock", "bench", "pictures", "drill-large"} - _named(ROOT / "README.md")
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
    assert [key for key in named if not is_secret_path(key)] == [], named


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


def _headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub names its headings."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {describe.anchor(re.sub(r"[`*]", "", title)) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def test_every_anchor_is_a_heading() -> None:
    anchors = [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)\s]*#[^)\s]+)\)", page.read_text())
        if not link.startswith("http")
    ]
    assert len(anchors) > 10
    for page, link in anchors:
        file, _, anchor = link.partition("#")
        there = _headings(page.parent / file if file else page)
        assert anchor in there, f"{page.relative_to(ROOT)}: {link}: that page has no such heading"


def test_every_block_says_what_becomes_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    marked = [block for block in BLOCKS if block.language not in OUTPUT]
    unmarked = [block.place for block in marked if block.mark not in MARKS]
    assert not unmarked, f"run, parse or `not-run: why` is missing after the language: {unmarked}"
    for block in marked:
        assert bool(block.reason) == (block.mark == "not-run"), f"{block.place}: a reason belongs to not-run alone"
    count = Counter(block.mark for block in marked)
    with capsys.disabled():
        print(f"\n  {count['run']} blocks run, {count['parse']} parsed, {count['not-run']} not run:")
        for folder, (_, reason) in BY_FOLDER.items():
            alike = sum(block.page.startswith(f"{folder}/") and block.reason == reason for block in marked)
            print(f"    {folder}: {alike} blocks, {reason}")
        for block in marked:
            if block.mark == "not-run" and block.reason not in {reason for _, reason in BY_FOLDER.values()}:
                print(f"    {block.place}: {block.reason}")
    assert count["run"]
    assert count["parse"]


def test_no_fence_is_overlooked() -> None:
    """However it is indented or drawn: a block that is not found is a block that nobody checks."""
    fences = {str(page.relative_to(ROOT)): _fences(page) for page in PAGES}
    found = Counter(block.page for block in BLOCKS)
    overlooked = {page: (count, found[page]) for page, count in fences.items() if count != 2 * found[page]}
    assert not overlooked, f"(lines of fences, blocks found): {overlooked}"
    assert found["docs/runbooks/HostSilent.md"], "those of runbooks are inside lists"


def _fences(page: Path) -> int:
    return len(re.findall(r"^[\s>*+-]*(?:```|~~~)", page.read_text(), re.MULTILINE))


def test_every_shell_block_is_shell(tmp_path: Path) -> None:
    for block in (block for block in BLOCKS if block.language == "sh"):
        done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
        # <words> stand for what the reader fills in
        assert done.returncode == 0 or "<" in block.text, f"{block.place}: {done.stderr}"


def test_every_query_that_is_shown_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Prometheus' by the parser of its language; LogQL as the same language around streams and their filters."""
    asked = [(block.place, *query) for block in BLOCKS if block.language == "sh" for query in queries(block)]
    with capsys.disabled():
        print(f"\n  {len(asked)} queries", end=" ")
    assert len(asked) == sum(block.text.count("query=") for block in BLOCKS), "one is written in a way that is not seen"
    for place, address, query in asked:
        assert address.endswith(("/api/v1/query", "/api/v1/query_range")), f"{place}: {address}"
        try:
            assert selectors.promql_selectors(_as_promql(query) if "/loki/" in address else query), (
                f"{place}: asks for nothing"
            )
        except selectors.NotParsed as problem:
            pytest.fail(f"{place}: {query}: {problem}")


def _as_promql(logql: str) -> str:
    """Without what stands between a stream and its range, and with a name of PromQL for what counts bytes."""
    return re.sub(r"(\{[^}]*\})[^\[]*", r"\1", logql).replace("bytes_over_time", "count_over_time")


@pytest.mark.parametrize("query", ["sum by (host) (rate(up[5m])", 'up{host="a}', "rate(up[5 minutes])"])
def test_a_query_that_is_none_would_be_seen(query: str) -> None:
    with pytest.raises(selectors.NotParsed):
        selectors.promql_selectors(query)


def test_every_make_command_has_the_words_that_its_target_reads() -> None:
    makefile = (ROOT / "Makefile").read_text()
    known = set(re.findall(r"[(,]([A-Z_]+)[),]", makefile))
    assert {"STACK", "FILE", "HOST", "KEY", "ARGS"} <= known
    for block in (block for block in BLOCKS if block.language == "sh"):
        for command in commands(block):
            given = set(re.findall(r"\b([A-Z]+)=", command)) if command.startswith("make ") else set()
            assert given <= known, f"{block.place}: no target reads {sorted(given - known)}"


@pytest.mark.parametrize("target", ["rehearse", "rehearse-down"])
def test_a_rehearsal_can_be_given_another_port_as_it_advises(target: str) -> None:
    told = subprocess.run(["make", "-n", target, "PORT=8499"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"tools {target} --port='8499'" in told.stdout


def test_exit_codes_are_those_of_python_and_not_of_make() -> None:
    """`make` ends with 2 for any failure of its command."""
    wrong = [
        f"{page.relative_to(ROOT)}: {' '.join(paragraph.split())[:100]}"
        for page in PAGES
        for paragraph in re.split(r"\n\s*\n", page.read_text())
        if re.search(r"\b(?:exit code|ends with)\b[^.;)]*? [12]\b", paragraph, re.IGNORECASE)
        and "-m tools" not in paragraph
        and "`make` itself" not in paragraph
    ]
    assert not wrong, wrong


def test_the_drawings_are_what_the_code_says() -> None:
    assert drawing.PAGE.read_text() == drawing.page(), "behind the code: .venv/bin/python -m tests.drawing"
