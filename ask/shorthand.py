"""Terms that state a value only together with what is named or wanted: "is blog slow", "was db-2 down", "10 % free"."""

from __future__ import annotations

import re
from dataclasses import replace

from ask import words
from ask.entities import Mention
from ask.grammar import Wants
from ask.moments import Times

QUANTILE = re.compile(r"\bp(?P<digits>\d\d|99\d)\b")
_SHOWN = {"p50", "p95", "p99"}  # the quantiles of panels
# Of an outage: its length, number, time and cause are no value of a metric.
_HOW_LONG = re.compile(r"\b(?:how (?:long|often|many)|when|why|wie (?:lange|oft)|wann|warum|cuánto|cuándo|por qué)\b")
_SLOWEST = re.compile(r"\b(?:the )?slowest (\d{1,2}) ?(?:%|percent)(?: of (?:the |all )?(?=\w))?")
_PERCENTILE = re.compile(
    r"\bp ?(\d\d)(?:[.,](\d))?(?![\w%.])"
    r"|\b(\d\d)(?:[.,](\d))?(?:st|nd|rd|th|\.)? ?(?:percentile|%-?ile|perzentil|percentil)\b"
)


def quantiles(text: str) -> str:
    """A question with its quantiles as p50, p95, or p999."""
    text = _SLOWEST.sub(lambda found: f"p{100 - int(found[1]):02d} ", text)
    return _PERCENTILE.sub(lambda found: "p" + "".join(filter(None, found.groups())), text)


def quantile(text: str) -> float | None:
    """The quantile that a text names."""
    found = QUANTILE.search(text)
    return int(found["digits"]) / 10 ** len(found["digits"]) if found else None


def resolve(
    asked: tuple[str, ...], mentions: tuple[Mention, ...], wants: Wants, when: Times, unit: str, text: str
) -> tuple[tuple[str, ...], Wants, str]:
    """The terms, what is wanted, and the unit, with the value that they mean."""
    asked, wants = _share_that_is_free(asked, wants)
    if wants.top > 1 and len(asked) > 1:
        asked = tuple(word for word in asked if word != "worst")
    asked = tuple("p95" if QUANTILE.fullmatch(word) and word not in _SHOWN else word for word in asked)
    if len(asked) == 1 and QUANTILE.fullmatch(asked[0]):
        asked = (*asked, "latency")
    if asked == ("slow",) and any("job" in one.labels for one in mentions):
        asked = ("latency",)
    if any(one.labels[0] == "host" for one in mentions) and not _HOW_LONG.search(text):
        return _of_host(asked, wants, when, unit)
    return asked, wants, unit


def _of_host(asked: tuple[str, ...], wants: Wants, when: Times, unit: str) -> tuple[tuple[str, ...], Wants, str]:
    """Whether a host was up, at any time of a window; its availability is the share of the window that it was up."""
    terms = set(asked) - {"host"}
    if when.window and (terms == {"availability"} or (terms in ({"uptime"}, {"uptime", "ratio"}) and unit == "share")):
        return ("host", "up"), replace(wants, over_time="avg"), ""
    if terms in ({"down"}, {"up"}):
        return ("host", "up"), replace(wants, over_time=wants.over_time or ("min" if when.window else "")), unit
    return asked, wants, unit


def _share_that_is_free(asked: tuple[str, ...], wants: Wants) -> tuple[tuple[str, ...], Wants]:
    """ "Less than 10 % free" is more than 90 % used."""
    bound = wants.threshold
    free = {words.canonical("diskfree"): "disk", words.canonical("memoryfree"): "memory"}
    if bound is None or bound.kind != "share" or not any(word in free for word in asked):
        return asked, wants
    turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}[bound.op]
    used = replace(bound, op=turned, value=round(1 - bound.value, 6), written=f"{bound.written} free")
    return tuple(free.get(word, word) for word in asked), replace(wants, threshold=used)
