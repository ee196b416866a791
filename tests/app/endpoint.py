"""A metrics endpoint with one habit, chosen by environment variables; the standard library alone.

NAME: the metric's name, which is 1. TYPE: the Content-Type; `none`: without one. TOKEN, LOGIN: the bearer token, or
user:password, that it demands. WANT: the only path with a query that it answers. SLEEP: seconds before an answer.
TLS: a file with key and certificate. CLIENTS: a file with the CA of the certificates that clients have to have.
PORT: 8000 without it. The text of /tmp/more, if it is there, is a part of the answer.
"""

from __future__ import annotations

import base64
import http.server
import os
import ssl
import time
from pathlib import Path

MORE = Path("/tmp/more")
TEXT = "text/plain; version=0.0.4"
SETTINGS = os.environ


def _wanted() -> str:
    if token := SETTINGS.get("TOKEN"):
        return f"Bearer {token}"
    login = SETTINGS.get("LOGIN", "")
    return f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers each GET."""

    def do_GET(self) -> None:
        """The metric, unless the habit is in the way."""
        if _wanted() and self.headers.get("Authorization") != _wanted():
            self._answer(401, "no\n")
        elif SETTINGS.get("WANT", self.path) != self.path:
            self._answer(404, "no such page\n")
        else:
            time.sleep(float(SETTINGS.get("SLEEP", "0")))
            name = SETTINGS["NAME"]
            more = MORE.read_text() if MORE.exists() else ""
            self._answer(200, f'{name} 1\n{name}_dropped 1\n{name}_labelled{{host="other",job="inner"}} 1\n{more}')

    def _answer(self, code: int, text: str) -> None:
        self.send_response(code)
        if (kind := SETTINGS.get("TYPE", TEXT)) != "none":
            self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: a log with credentials would be found by the tests."""


server = http.server.ThreadingHTTPServer(("0.0.0.0", int(SETTINGS.get("PORT", "8000"))), Handler)
if "TLS" in SETTINGS:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SETTINGS["TLS"])
    if "CLIENTS" in SETTINGS:
        context.load_verify_locations(SETTINGS["CLIENTS"])
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
