"""A headless Chromium, driven over its debugging pipe: opens a page, runs JavaScript in it, takes its picture."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tools import browser as browser_program

# The numbers under which Chromium has its debugging pipe.
READS, WRITES = 3, 4
QUIET = 3  # seconds without a request after which a page counts as loaded
ANSWER = 60  # seconds that a command may take


class BrowserProblem(Exception):
    """The browser is missing, ended, or reports an error."""


def executable() -> str:
    """The path of a browser of Chromium's family."""
    if path := browser_program.program():
        return path
    raise BrowserProblem(browser_program.MISSING)


class Browser:
    """One page of one browser. `headers` are sent with every request, so no password is in an argument or a URL."""

    def __init__(self, commands: int, answers: int, headers: Mapping[str, str]) -> None:
        self._commands, self._answers = commands, answers
        self._numbers = itertools.count(1)
        self._rest = b""
        self._open: set[str] = set()  # requests without an answer
        self._last = time.monotonic()
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Network.setExtraHTTPHeaders", headers=dict(headers))

    def open(self, url: str, width: int, height: int, patience: float) -> bool:
        """Load a page and wait until it makes no more requests. False if it still made some at the end."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self._open.clear()
        self._last = time.monotonic()
        if problem := self.call("Page.navigate", url=url).get("errorText"):
            raise BrowserProblem(f"{url}: {problem}")
        until = time.monotonic() + patience
        while time.monotonic() < until:
            self._receive(0.2)
            if not self._open and time.monotonic() - self._last > QUIET:
                return True
        return False

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in found:
            raise BrowserProblem(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command of the debugging protocol."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": number, "method": method, "params": parameters, **session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + ANSWER
        while time.monotonic() < until:
            for answer in self._receive(1):
                if answer.get("id") == number:
                    if "error" in answer:
                        raise BrowserProblem(f"{method}: {answer['error'].get('message')}")
                    result: dict[str, Any] = answer["result"]
                    return result
        raise BrowserProblem(f"{method}: no answer within {ANSWER} s")

    def _receive(self, seconds: float) -> list[dict[str, Any]]:
        """Messages that have arrived; those about requests are counted here."""
        if not select.select([self._answers], [], [], seconds)[0]:
            return []
        got = os.read(self._answers, 1 << 20)
        if not got:
            raise BrowserProblem("the browser ended")
        *whole, self._rest = (self._rest + got).split(b"\0")
        messages = [json.loads(one) for one in whole]
        for message in messages:
            self._count(message.get("method", ""), message.get("params") or {})
        return messages

    def _count(self, event: str, about: Mapping[str, Any]) -> None:
        # A stream of events stays open as long as the page.
        if event == "Network.requestWillBeSent" and about.get("type") != "EventSource":
            self._open.add(about["requestId"])
        elif event in {"Network.loadingFinished", "Network.loadingFailed"}:
            self._open.discard(about["requestId"])
        else:
            return
        self._last = time.monotonic()


@contextlib.contextmanager
def browser(headers: Mapping[str, str]) -> Iterator[Browser]:
    """A browser with an empty profile, ended afterwards."""
    path = executable()
    pipes = [_high(fd) for pair in (os.pipe(), os.pipe()) for fd in pair]
    takes, gives, takes_answers, gives_answers = pipes
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root otherwise
        argv = [path, "--headless=new", *sandbox, "--disable-gpu", "--disable-dev-shm-usage"]
        argv += [f"--user-data-dir={profile}", "--no-first-run", "--remote-debugging-pipe", "about:blank"]
        actions = [
            (os.POSIX_SPAWN_DUP2, takes, READS),
            (os.POSIX_SPAWN_DUP2, gives_answers, WRITES),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        process = os.posix_spawn(path, argv, os.environ, file_actions=actions, setpgroup=0)
        os.close(takes)
        os.close(gives_answers)
        try:
            yield Browser(gives, takes_answers, headers)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(gives)
            os.close(takes_answers)


def _high(fd: int) -> int:
    """The same file under a number above those that Chromium expects its pipe at."""
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return high
