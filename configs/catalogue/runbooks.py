"""The first checks of a runbook page: what the assistant shows with the explanation of an alert."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
MOST = 3
_DIAGNOSIS = re.compile(r"^## Diagnosis\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^(?:\d+\.|-) ", re.MULTILINE)
_CODE = re.compile(r"```\w*[^\n]*\n(?P<code>.*?)```", re.DOTALL)


def checks(alert: str) -> list[str]:
    """Each step with its commands, as one line of text; none for an alert without a page."""
    page = FOLDER / f"{alert}.md"
    if not page.exists():
        return []
    found = _DIAGNOSIS.search(page.read_text(encoding="utf-8"))
    steps = _STEP.split(found["text"]) if found else []
    lines = [" ".join(_CODE.sub(_inline, one).split()) for one in (steps[1:] or steps)]
    return [one for one in lines if one][:MOST]


def _inline(code: re.Match[str]) -> str:
    return "; ".join(f"`{line.strip()}`" for line in code["code"].splitlines() if line.strip())
