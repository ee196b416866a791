"""The assistant's page with an answer: a headless Chromium signs in at a stack that runs, and sends a question."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.pictures.browser import Browser, BrowserProblem, browser

WIDTH = 1100
PATIENCE = 30
_FILL = "document.getElementById({name}).value = {value}"
_SUBMIT = "document.querySelector('form:has(#{name})').requestSubmit()"


def take(site: str, password: str, question: str, path: Path) -> None:
    """A picture of the answer. `site`: the hub's address in a browser. BrowserProblem without an answer."""
    with browser({}) as page:
        # The hub may have a certificate of its own CA. Nothing but this page is opened.
        page.call("Security.setIgnoreCertificateErrors", ignore=True)
        page.open(f"{site}/ask/sign-in", WIDTH, 800, PATIENCE)
        _send(page, {"name": "admin", "password": password}, "question")
        _send(page, {"question": question}, "answer")
        height = page.run("document.documentElement.scrollHeight")
        size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", **size)
        path.write_bytes(page.picture())


def _send(page: Browser, values: dict[str, str], wanted: str) -> None:
    """Fill in a form and wait for the element that the next page has."""
    for name, value in values.items():
        page.run(_FILL.format(name=json.dumps(name), value=json.dumps(value)))
    page.run(_SUBMIT.format(name=next(iter(values))))
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(0.5)
        if page.run(f"document.readyState === 'complete' && document.getElementById({json.dumps(wanted)}) !== null"):
            return
    raise BrowserProblem(f"the assistant's page has no {wanted} after {PATIENCE} s: {page.run('document.title')}")
