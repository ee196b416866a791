"""Screenshots of every dashboard in a Grafana, at the widths of common screens, and what is wrong on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from configs.dashboards.json_model import dashboard
from configs.dashboards.layout import GAP, UNIT
from configs.dashboards.model import Dashboard
from tests.pictures.browser import Browser, browser
from tests.pictures.grafana import Grafana

WIDTHS = (1366, 1600)
HEAD = 320  # pixels above the panels: Grafana's bars and the variables
PATIENCE = 90  # seconds until a dashboard has to be complete
# Panels of Grafana 9 to 13, and of the stand-in.
PANEL = "[data-panelid], [data-viz-panel-key], section[data-panel]"
ERRORS = '[data-testid*="Panel status error"], [aria-label="Panel status"], .panel-info-corner--error, .problem'
SCRIPT = (Path(__file__).parent / "seen.js").read_text().rstrip().rstrip(";")


def take(
    grafana: Grafana, boards: Iterable[Dashboard], minutes: int, folder: Path, say: Callable[[str], None]
) -> list[str]:
    """One picture per dashboard and width into `folder`. Returns what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    with browser(grafana.headers) as page:
        for board in boards:
            for width in WIDTHS:
                path = folder / f"{board.name}-{width}.png"
                wrong = _take(page, grafana, board, minutes, width, path)
                say(f"{path} {path.stat().st_size // 1024} KB{'' if not wrong else f', {len(wrong)} problems'}")
                found += [f"{board.name} at {width} pixels: {one}" for one in wrong]
    return found


def _take(page: Browser, grafana: Grafana, board: Dashboard, minutes: int, width: int, path: Path) -> list[str]:
    panels = dashboard(board)["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    url = f"{grafana.url}/d/{board.uid}/?orgId=1&from=now-{minutes}m&to=now&refresh="
    # The whole dashboard in one view: Grafana loads a panel when it comes into view.
    complete = page.open(url, width, rows * (UNIT + GAP) + HEAD, PATIENCE)
    seen: Mapping[str, Any] = page.run(f"({SCRIPT})({json.dumps(PANEL)}, {json.dumps(ERRORS)})")
    path.write_bytes(page.picture())
    return [
        *([] if complete else [f"still loading after {PATIENCE} s"]),
        *(f"panel {panel['title']!r} is not shown" for panel in panels if panel["title"] not in seen["text"]),
        *(f"{title!r} has a horizontal scroll bar" for title in seen["wide"]),
        *(f"error in {error}" for error in seen["errors"]),
    ]
