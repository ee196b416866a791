"""docs/settings.md says what the settings models say."""

from __future__ import annotations

import re
from pathlib import Path

from configs.settings import describe

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_committed_page_is_what_the_models_say() -> None:
    assert PAGE.read_text() == describe.markdown(), (
        "docs/settings.md is behind the models: .venv/bin/python -m configs.settings.describe >docs/settings.md"
    )


def test_bounds_of_durations_are_shown_as_durations() -> None:
    """`at least 86400` says nothing to a reader who writes `90d`."""
    assert "| `history` | duration, whole days, at least 1d, at most 3650d |" in describe.markdown()
    bare = re.compile(r"^\| `\w+` \| (?:duration|size)\b[^|]* at (?:least|most) \d+[ ,]", re.MULTILINE)
    assert bare.findall(describe.markdown()) == []


def test_every_link_inside_the_page_leads_to_one_of_its_headings() -> None:
    page = describe.markdown()
    headings = {describe.anchor(line[3:]) for line in page.splitlines() if line.startswith("## ")}
    links = {part.split(")")[0] for part in page.split("](#")[1:]}
    assert links, "the page points from one section to another"
    assert links <= headings, f"these lead nowhere: {links - headings}"
