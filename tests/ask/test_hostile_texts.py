"""Texts that two parsers read differently: comments, quotes, escapes and case that would hide a part of a query."""

from __future__ import annotations

import time

import pytest

from ask import logql, safety
from ask.safety import Limits, Refused
from tests.ask.seed import AT

KNOWN = frozenset({"up"})
DEEP = {
    "quotes in comments": 'up # "\n + {} # "',
    "apostrophes in comments": "up # it's\r + {} # it's",
    "backticks in comments": "up # `\n + {} # `",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
@pytest.mark.parametrize("inside", ["(" * 5900 + "up" + ")" * 5900, "-" * 11900 + "up"], ids=["brackets", "signs"])
def test_comments_hide_no_depth_of_promql(text: str, inside: str) -> None:
    with pytest.raises(Refused, match="levels"):
        safety.check(text.format(inside), KNOWN, Limits(), AT)


@pytest.mark.parametrize("operator", ["+", " and ", "^", " unless on (host) "])
def test_a_chain_of_operators_is_deeper_than_pythons_stack(operator: str) -> None:
    with pytest.raises(Refused, match=r"parts|operators"):
        safety.check(operator.join(["up"] * 600), KNOWN, Limits(), AT)


def test_comments_are_allowed() -> None:
    safety.check('sum(up) # as on the "board", (without the hub\n / 2', KNOWN, Limits(), AT)


@pytest.mark.parametrize("code", [0xD800, 0xDFFF])
def test_half_a_character_is_refused(code: int) -> None:
    with pytest.raises(Refused, match="control characters"):
        safety.question(f"cpu {chr(code)}", Limits())


@pytest.mark.parametrize("pattern", ["(.{1000}){1000}", r"(?i)\\pL{500}", r"\x28?i)\x5cpL\x7b500}", r"(?i)\\pL{40,}"])
def test_patterns_are_bounded_before_the_parser_compiles_them(pattern: str) -> None:
    """Together, too: each of them takes the parser up to a second, in which nothing else runs."""
    query = "up{" + ",".join(f'a{number}=~"{pattern}"' for number in range(300)) + "}"
    began = time.monotonic()
    with pytest.raises(Refused, match="repeats its parts"):
        safety.check(query, KNOWN, Limits(), AT)
    assert time.monotonic() - began < 1


def test_a_number_in_braces_counts_once() -> None:
    safety.check(r'up{host=~"web-[0-9]{12}"} + up{host=~"db-\\d{2,20}"}', KNOWN, Limits(), AT)


def test_an_escape_that_go_does_not_have_is_refused() -> None:
    with pytest.raises(Refused, match=r"not valid PromQL: there is no escape \\q"):
        safety.check(r'up{host="\q"}', KNOWN, Limits(), AT)


HIDDEN = {
    'count_over_time({a}[1m]) /* " */ or count_over_time({b}[7d]) /* " */': "has a comment",
    'count_over_time({a}[1m]) // "\n or count_over_time({b}[7d]) // "\n': "has a comment",
    "sum by ('\"') (count_over_time({b}[7d])) + sum by ('\"') (count_over_time({a}[1m]))": "an apostrophe",
    r'{job=~"\x2e\x2b"}': "matches every stream",
    r'{job=~"\056\053"}': "matches every stream",
    r'{job=~"\U0000002e\U0000002b"}': "matches every stream",
    r'{job="\q"}': r"no escape \\q",
    '{job=~"[[:print:]]+"}': "matches every stream",
    '{job=~"[a-z].*"}': "matches every stream",
    r'{job=~"\\w+"}': "matches every stream",
    r'{job=~"[\\w-]+"}': "matches every stream",
    "count_over_time({a}[1h] OFFSET 3y)": "An offset of 1095d",
    '{a} | LINE_FORMAT "{{.x}}{{.x}}"': "line_format is not executed",
    '{a} | x="y" | Label_Format x="{{.y}}"': "label_format is not executed",
    'Label_Replace(rate({a}[5m]), "x", "$1$1$1$1$1$1$1$1", "host", "(.*)")': "label_replace is not executed",
}


@pytest.mark.parametrize("query", HIDDEN, ids=lambda text: text[:60])
def test_loki_reads_what_was_checked(query: str) -> None:
    text = query.replace("{a}", '{host="web-1"}').replace("{b}", '{job=~".+"}')
    with pytest.raises(Refused, match=HIDDEN[query]):
        logql.check(text, Limits())


@pytest.mark.parametrize("query", ['{host="a//b"} |= "/*" # it\'s // a comment', r'{host="a\tb"} |~ `\d+` |= "it\'s"'])
def test_texts_and_comments_may_have_any_character(query: str) -> None:
    logql.check(query, Limits())
