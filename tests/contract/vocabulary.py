"""Words that texts for users must not contain, each with a better one and an example in which it is found."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Banned:
    """A regular expression (case is ignored), what to write instead, and a text that contains it."""

    pattern: str
    better: str
    example: str

    def found_in(self, text: str) -> str:
        """The first match, or an empty string."""
        match = re.search(self.pattern, text, re.IGNORECASE)
        return match[0] if match else ""


VOCABULARY = (
    Banned(r"\b(told|tells?)\b", "report, show, notify", "a person is told"),
    Banned(r"\b(says|said)\b", "state, show, contain; the message is", "what it says stands above"),
    Banned(r"\b(asked|asks)\b", "query, request, require, prompt for", "which nobody asked for"),
    Banned(r"\banew\b", "again; recreate", "the container began anew"),
    Banned(r"\bdoors?\b", "port, endpoint, firewall rule", "the door is shut"),
    Banned(r"\bknock(s|ed)?\b", "connect, push", "before the host knocks"),
    Banned(r"\broom\b", "capacity, free space", "no room on the disk"),
    Banned(
        r"(?<!USER )(?<!//)\b(somebody|nobody)\b", "name the subject: user, operator, no host", "removed by somebody"
    ),
    Banned(r"\bwhatever\b", "name what is meant", "whatever keeps its data there"),
    Banned(r"\bhearsay\b", "unverified", "known by hearsay"),
    Banned(r"\bof (its|their|your|our|his) own\b", "own, separate", "expected a machine of its own"),
    Banned(r"\bwords\b", "text, arguments, message", "in the server's words"),
    Banned(r"\b(no way|way (here|there|in|to|of))\b", "connection, route, method", "there is no way here"),
    Banned(r"\bheld back\b", "throttled, delayed", "held back by the CPU limit"),
    Banned(r"\bfor lack of\b", "out of; OOM kill", "killed for lack of memory"),
    Banned(r"\b(gave|given|gives) up\b", "dropped, aborted, timed out", "samples that were given up"),
    Banned(r"\b(is|are|was|were|be) away\b", "down, unavailable", "while the hub is away"),
    Banned(
        r"\b(is|are|was|were|all|not (be|end)|end(s|ed)?) well\b",
        "healthy; succeed, fail",
        "pulumi up did not end well",
    ),
    Banned(r"\bexpected another\b", "state the conflict", "expected another name"),
    Banned(r"\b(the|a) (one|run|time) before\b", "the previous", "it goes on with the one before"),
    Banned(
        r"\bstands? (above|below|there|here|in (the|a|its|your|this|clear)\b)",
        "is above, is in",
        "its output stands above",
    ),
    Banned(r"\bfor good\b", "permanently", "refused for good"),
    Banned(r"\blately\b", "recently", "what happened to it lately"),
    Banned(r"\bmend(s|ed|ing)?\b", "fix, repair", "this mends it"),
    Banned(r"\bfares?\b", "state, health", "how the parts fare"),
    Banned(r"\bmeant for\b", "intended for, for", "what is meant for the edge"),
    Banned(r"\b(scrapes|rules|queries|jobs|messages) that fail(ed)?\b", "failed ...", "Scrapes that fail"),
    Banned(r"\bwhat (agents|people|hosts|containers|it|they) (can|could|would)\b", "a noun", "What agents could keep"),
    Banned(r"\bsee(s)? to\b", "ensure", "the program sees to it"),
    Banned(r"\bgets? rid of\b", "deliver, delete", "when it gets rid of a line"),
    Banned(r"\bdo(es)? without\b", "not need, work without", "it does without"),
    Banned(r"\bwish(es|ed)?\b", "request", "a wish to stop"),
    Banned(r"\btest_\w+|\btests/\w+|\.py::", "a plain reason without a test id", "shown in test_panels"),
)


def findings(texts: dict[str, str]) -> list[str]:
    """One line per banned word in texts by place: place, word, better word."""
    return [
        f"{place}: {hit!r} -> {banned.better}: {text!r}"
        for place, text in texts.items()
        for banned in VOCABULARY
        if (hit := banned.found_in(text))
    ]
