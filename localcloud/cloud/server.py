"""The HTTP server: it listens on loopback only, requires the token, and sends every error in the API's format."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from localcloud.cloud import (
    NAME,
    account,
    actions,
    balancers,
    catalogue,
    databases,
    domains,
    droplet_actions,
    droplet_create,
    droplets,
    firewalls,
    projects,
    reserved_ips,
    rules,
    spaces,
    tags,
    uptime,
    volume_actions,
    volumes,
    vpcs,
)
from localcloud.cloud.api import Cloud, Reply, Request, Route
from localcloud.cloud.errors import ApiError, bad_request, not_found
from localcloud.cloud.limits import Limiter
from localcloud.cloud.store import Json

LOOPBACK = "127.0.0.1"
MOST_BODY = 2**20
FAMILIES = (
    account,
    actions,
    balancers,
    catalogue,
    databases,
    domains,
    droplet_actions,
    droplet_create,
    droplets,
    firewalls,
    projects,
    reserved_ips,
    spaces,
    tags,
    uptime,
    volume_actions,
    volumes,
    vpcs,
)
ROUTES: list[Route] = [route for family in FAMILIES for route in family.ROUTES]


class BadAddress(ValueError):
    """The address to listen on is not loopback."""


def token(folder: Path) -> str:
    """The cloud's token: the content of the file `token` beside the state. Creates it if it is missing."""
    file = folder / "token"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(f"dop_v1_{secrets.token_hex(32)}\n")
    return file.read_text().strip()


class Server(ThreadingHTTPServer):
    """One cloud on one port. The caller calls `resume()` once, then `serve_forever()`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, cloud: Cloud, folder: Path, port: int, address: str = LOOPBACK) -> None:
        if address != LOOPBACK:
            raise BadAddress(f"the rehearsal cloud listens on {LOOPBACK} only, not on {address}")
        self.cloud, self.token, self.limiter = cloud, token(folder), Limiter(folder / "limit")
        super().__init__((address, port), Handler)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def resume(self) -> None:
        """Resumes from the state: removes incomplete resources, repeats unfinished actions, starts stopped droplets."""
        cloud = self.cloud
        with cloud.store.changing() as data:
            projects.ensure_default(data)
        balancers.undo_half_made(cloud)
        vpcs.undo_half_made(cloud)
        volumes.undo_half_made(cloud)
        databases.undo_half_made(cloud)
        unfinished = actions.resume(cloud)
        woken = droplet_actions.wake(cloud)
        rules.apply(cloud)
        if unfinished or woken:
            cloud.say(f"taken up again: {unfinished} actions in progress, {woken} droplets that had stopped")


class Handler(BaseHTTPRequestHandler):
    """Handles one request after the other on each connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1  # head and body in one write: two cost 40 ms of delayed acknowledgement

    def version_string(self) -> str:
        return NAME.replace(" ", "-")

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: Cloud.say prints what matters."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        # A request with a wrong token does not count.
        _, headers = self.server.limiter.count(use=0)
        try:
            body = self._body()
            self._authenticate()
            allowed, headers = self.server.limiter.count()
            if not allowed:
                raise ApiError(429, "too_many_requests", "API rate limit exceeded.")
            reply = self._answer(body)
        except ApiError as problem:
            reply = Reply(problem.status, problem.body())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            return
        except Exception as error:
            # The machines failed during the request; the message is for the user of the rehearsal.
            self.server.cloud.say(f"{self.command} {self.path} failed: {type(error).__name__}: {error}")
            reply = Reply(500, {"id": "server_error", "message": f"Unexpected server-side error: {error}"})
        self._send(reply, headers | {"x-request-id": str(uuid.uuid4())})

    def _authenticate(self) -> None:
        given = self.headers.get("Authorization") or ""
        if not hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            raise ApiError(401, "unauthorized", "Unable to authenticate you")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > MOST_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise bad_request(f"expected a body with a Content-Length of at most {MOST_BODY} bytes")
        return self.rfile.read(int(length))

    def _answer(self, body: bytes) -> Reply:
        url = urlsplit(self.path)
        base = f"http://{self.headers.get('Host') or self.server.url.removeprefix('http://')}"
        for route in ROUTES:
            parts = route.match(self.command, url.path.rstrip("/"))
            if parts is not None:
                query = dict(parse_qsl(url.query, keep_blank_values=True))
                request = Request(self.command, url.path.rstrip("/"), query, _parsed(body), base)
                return route.handler(self.server.cloud, request, **{key: unquote(v) for key, v in parts.items()})
        self.server.cloud.say(f"route not covered by the rehearsal cloud: {self.command} {url.path}")
        raise not_found()

    def _send(self, reply: Reply, headers: dict[str, str]) -> None:
        self.send_response(reply.status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)


def _parsed(body: bytes) -> Json:
    try:
        found = json.loads(body) if body.strip() else {}
    except ValueError:
        raise bad_request("error parsing request body") from None
    if not isinstance(found, dict):
        raise bad_request("error parsing request body")
    return found
