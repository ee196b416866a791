"""Markdown that text of others cannot break out of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def code(text: str) -> str:
    """Text as inline code; a backtick in it would end that."""
    return f"`{text.replace('`', chr(39))}`"


def prose(text: str) -> str:
    """A sentence from another source as plain text: no HTML, no mention of people, no image, in one line of a table."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
    text = text.replace("![", "!&#91;")
    text = re.sub(r"@(?=\w)", "@\u2060", text)  # a word joiner: nobody is notified
    return "<br>".join(line.strip() for line in text.strip().splitlines())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def folded(title: str, body: str) -> str:
    """Something to be opened by a click. `title` is HTML: pass names through `html`."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
