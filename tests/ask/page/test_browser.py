"""The page in a real headless browser: signing in, a question by keyboard, the chart, dark and phone, no violation of
the content security policy. Skipped where there is no Chromium and `make test` could install none."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from tests.ask.page.backend import Played, app
from tests.pictures import browser as browsers
from tests.pictures.browser import Browser
from tools.net import free_port

WATCH = "document.addEventListener('securitypolicyviolation', (e) => { document.title = e.violatedDirective })"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def page() -> Iterator[tuple[Browser, Played]]:
    try:
        browsers.executable()
    except browsers.BrowserProblem as missing:
        pytest.skip(str(missing))
    played, port = Played(), free_port()
    server = uvicorn.Server(uvicorn.Config(app(played), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        with browsers.browser({}) as found:
            found.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            assert found.open(f"http://127.0.0.1:{port}/ask/", 1200, 900, 30)
            yield found, played
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def waits(page: Browser, script: str) -> Any:
    """The value of an expression as soon as it is true."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(browsers.BrowserProblem):  # while one page replaces another
            if found := page.run(script):
                return found
        time.sleep(0.1)
    raise AssertionError(script)


def press(page: Browser, key: str, text: str = "") -> None:
    """A key of the keyboard."""
    page.call(
        "Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=13 if text == "\r" else 0
    )
    page.call("Input.dispatchKeyEvent", type="keyUp", key=key)


def test_a_question_is_answered_by_keyboard_alone(page: tuple[Browser, Played]) -> None:
    found, played = page
    waits(found, "document.activeElement.id === 'name'")
    found.call("Input.insertText", text="ops")
    found.run("document.getElementById('password').focus()")
    found.call("Input.insertText", text="right")
    press(found, "Enter", "\r")
    waits(found, "document.activeElement.id === 'question'")
    assert found.run("document.cookie") == "", "the session is closed to scripts"
    found.run("document.activeElement.blur()")
    press(found, "/", "/")
    assert found.run("document.activeElement.id") == "question"
    found.call("Input.insertText", text="cpu of web-1")
    press(found, "Enter", "\r")
    waits(found, "document.getElementById('sentence') && document.readyState === 'complete'")
    assert ("answer", "cpu of web-1", "") in played.seen
    assert found.run("document.querySelectorAll('svg.chart path.line').length") == 3
    assert found.run("document.querySelector('[data-copy]').hidden") is False
    assert found.run("document.querySelectorAll('script').length") == 1
    assert found.run("document.title") == "cpu of web-1 · Ask", "no violation of the policy"
    lines = "getComputedStyle(document.querySelector('path.line')).stroke"
    assert found.run(lines) == "rgb(9, 105, 218)", "the chart has its colours without inline style"


def test_dark_and_light_follow_the_browser(page: tuple[Browser, Played]) -> None:
    found, _ = page
    seen = []
    for scheme in ("dark", "light"):
        found.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        seen.append(found.run(BACKGROUND))
    assert seen == ["rgb(13, 17, 23)", "rgb(246, 248, 250)"]


def test_a_phone_needs_no_scrolling_sideways(page: tuple[Browser, Played]) -> None:
    found, _ = page
    found.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    assert found.run("document.getElementById('sentence') !== null")
    assert found.run("document.documentElement.scrollWidth") <= 360
    assert found.run("document.querySelector('.box button').getBoundingClientRect().right") <= 360
