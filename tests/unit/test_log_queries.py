"""LogQL of rules and dashboards: what a stranger writes into a line (path, user agent, header) decides nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from configs import dashboards, rules
from tests.fixtures.full import full

SITE = "https://monitor.example.com"
# A filter on the text of a line: after the selector, or after another filter or parser.
LINE_FILTER = re.compile(r"(?:\||!)[=~]\s*(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`)")
STREAM = re.compile(r"\{[^{}]*\}")


def _rules() -> Iterator[tuple[str, str]]:
    for text in rules.log_files(full(), SITE).values():
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]


def _panels(tree: Any, title: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        title = tree.get("title", title)
        if "expr" in tree and (tree.get("datasource") or {}).get("uid") == "loki":
            yield title, tree["expr"]
        for value in tree.values():
            yield from _panels(value, title)
    elif isinstance(tree, list):
        for value in tree:
            yield from _panels(value, title)


def _queries() -> list[tuple[str, str]]:
    boards = [json.loads(text) for text in dashboards.render(full()).values()]
    return [*_rules(), *(found for board in boards for found in _panels(board))]


def _decided_by_text(query: str) -> list[str]:
    """Line filters without a parser behind them. The search box of the logs dashboard is the reader's own text."""
    stages = STREAM.sub("", query)
    return [
        found.group()
        for found in LINE_FILTER.finditer(stages)
        if "$search" not in found.group() and not re.search(r"\| (json|logfmt) ", stages[found.end() :])
    ]


def test_no_query_is_decided_by_the_text_of_a_line() -> None:
    queries = _queries()
    assert {"CertificateExpires", "LogErrors", "SamplesRejected", "Failed renewals"} <= {name for name, _ in queries}
    assert {name: found for name, query in queries if (found := _decided_by_text(query))} == {}


@pytest.mark.parametrize(
    "query", ['{a="b"} |= "tls."', '{a="b"} | json | b="c" |~ "x"', "count_over_time({a=`b`} !~ `x` [1h])"]
)
def test_a_filter_on_the_text_is_found(query: str) -> None:
    assert _decided_by_text(query)
