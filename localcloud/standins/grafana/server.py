"""The HTTP server: routes, log-in, limits. Everything but health, metrics and the log-in page needs the admin."""

from __future__ import annotations

import json
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from . import NAME, api, pages, sessions
from .auth import Auth
from .config import Config
from .log import log
from .metrics import Metrics
from .provisioning import Store
from .sources import Answer
from .timerange import BadRange

UNLOGGED = {"/api/health", "/healthz", "/metrics"}  # as in Grafana
MOST_BODY = 4 * 2**20
HTML, JSON = "text/html; charset=utf-8", "application/json; charset=utf-8"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Server(ThreadingHTTPServer):
    """Holds what the handlers share."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, config: Config, store: Store) -> None:
        self.config, self.store = config, store
        self.auth, self.metrics = Auth(config, sessions.of(config.database)), Metrics()
        super().__init__((config.http_addr, config.http_port), Handler)


class Handler(BaseHTTPRequestHandler):
    """One request at a time per connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def version_string(self) -> str:
        return NAME.replace(" ", "-")

    def log_message(self, format: str, *args: Any) -> None:
        log("debug", "context", format % args, remote=self.client_address[0])

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_GET

    def _serve(self) -> None:
        began = time.monotonic()
        url = urlsplit(self.path)
        self.group, self.status, self.user = "other", 0, ""
        try:
            body = self._body()
            if body is not None:
                self._route(url.path, url.query, body)
        except BadRange as problem:
            self._page(pages.layout("Bad time range", f'<p class="problem">{escape(str(problem))}</p>'), 400)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception as error:
            # The last resort: the request fails, the server lives on, and the log has the kind of error.
            log("error", "context", "request failed", path=url.path, error=f"{type(error).__name__}: {error}")
            if not self.status:
                self._json((500, {"message": "Internal server error; see the log of the stand-in"}))
        self.server.metrics.request(self.group, self.command, self.status, time.monotonic() - began)
        if self.group not in UNLOGGED and (self.server.config.router_logging or self.status not in (200, 304)):
            self._log_request(url.path)

    def _log_request(self, path: str) -> None:
        remote = self.headers.get("X-Forwarded-For") or self.client_address[0]
        log(
            "error" if self.status >= 500 else "info",
            "context",
            "Request Completed",
            userId=1 if self.user else 0,
            orgId=1 if self.user else 0,
            uname=self.user,
            method=self.command,
            path=path,
            status=self.status,
            remote_addr=remote,
            referer=self.headers.get("Referer") or "",
        )

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > MOST_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._json((413, {"message": f"expected a body with a Content-Length of at most {MOST_BODY} bytes"}))
            return None
        return self.rfile.read(int(length))

    def _route(self, path: str, query: str, body: bytes) -> None:
        store, config = self.server.store, self.server.config
        if path in {"/api/health", "/healthz"}:
            self.group = path
            self._json(api.database_health(self.server.auth.sessions))
        elif path == "/metrics":
            self.group = path
            text = self.server.metrics.text(len(store.dashboards), len(store.sources))
            self._send(200, "text/plain; version=0.0.4; charset=utf-8", text.encode())
        elif path == "/login":
            self.group = path
            self._login(parse_qs(query), body)
        elif self._foreign():
            self._json((403, {"message": "origin not allowed"}))
        elif not self._allowed():
            self._refuse(path, query)
        elif path.startswith("/api/"):
            self.group = "/api/" + path.split("/")[2]
            self._api(path, query, body)
        elif path == "/logout":
            self.group = path
            cookie = self.server.auth.close_session(self.headers.get("Cookie") or "")
            self._send(302, HTML, b"", {"Set-Cookie": cookie, "Location": "/login"})
        elif self.command == "POST":
            self._json((404, {"message": "Not found"}))
        elif path in {"/", "/dashboards"}:
            self.group = "/"
            self._page(pages.home(store, config.admin_user))
        else:
            self._dashboard(path, query)

    def _dashboard(self, path: str, query: str) -> None:
        parts = path.split("/")
        store = self.server.store
        store.refresh()
        board = store.dashboards.get(unquote(parts[2])) if parts[1] == "d" and len(parts) > 2 else None
        if board is None:
            text = '<main class=plain><h2>Not found</h2><p>The <a href="/">list</a> has what there is.</p></main>'
            self._page(pages.layout("Not found", text), 404)
            return
        self.group = "/d/:uid"
        params = parse_qs(query, keep_blank_values=True)
        self._page(pages.dashboard(board, params, store, self.server.config.admin_user))

    def _api(self, path: str, query: str, body: bytes) -> None:
        store, params, rest = self.server.store, parse_qs(query), path.removeprefix("/api/")
        store.refresh()
        if rest.startswith("datasources/proxy/uid/"):
            uid, _, target = rest.removeprefix("datasources/proxy/uid/").partition("/")
            content = body if self.command == "POST" else None
            answer = api.proxy(store, self.command, unquote(uid), target, query, content, dict(self.headers.items()))
            if isinstance(answer, Answer):
                self._send(answer.status, answer.content_type, answer.body)
            else:
                self._json(answer)
        elif self.command == "POST":
            kind = rest.removeprefix("admin/provisioning/").removesuffix("/reload")
            known = rest == f"admin/provisioning/{kind}/reload"
            self._json(api.reload(store, kind) if known else (404, {"message": f"not covered by the {NAME}"}))
        elif rest == "user":
            self._json((200, api.user(self.server.config)))
        elif rest == "org":
            self._json((200, {"id": 1, "name": "Main Org."}))
        elif rest == "search":
            self._json(api.search(store, params))
        elif rest.startswith("dashboards/uid/"):
            self._json(api.dashboard(store, unquote(rest.removeprefix("dashboards/uid/"))))
        elif rest == "datasources" or rest.startswith("datasources/"):
            self._json(api.datasources(store, unquote(rest.removeprefix("datasources"))))
        else:
            self._json((404, {"message": f"not covered by the {NAME}"}))

    def _foreign(self) -> bool:
        """A POST that another site's page sent with our cookie."""
        origin = self.headers.get("Origin")
        if self.command != "POST" or not origin:
            return False
        hosts = {self.headers.get("Host"), urlsplit(self.server.config.root_url).netloc}
        return urlsplit(origin).netloc not in hosts

    def _allowed(self) -> bool:
        basic = self.server.auth.basic(self.headers.get("Authorization") or "")
        if basic is not None:
            self._count_login(basic)
        allowed = self.server.auth.has_session(self.headers.get("Cookie") or "") if basic is None else basic
        self.user = self.server.config.admin_user if allowed else ""
        return allowed

    def _count_login(self, accepted: bool) -> None:
        self.server.metrics.login(accepted)
        if not accepted:
            remote = self.headers.get("X-Forwarded-For") or self.client_address[0]
            log("warn", "authn.service", "login refused", remote=remote)

    def _refuse(self, path: str, query: str) -> None:
        if path.startswith("/api/") or self.headers.get("Authorization") or self.command == "POST":
            self._json((401, {"message": "Invalid username or password", "statusCode": 401}))
            return
        target = quote(path + (f"?{query}" if query else ""), safe="")
        self._send(302, HTML, b"", {"Location": f"/login?redirect={target}"})

    def _login(self, params: dict[str, list[str]], body: bytes) -> None:
        if self.command != "POST":
            self._page(pages.login("", (params.get("redirect") or ["/"])[0]))
            return
        wants_json = (self.headers.get("Content-Type") or "").startswith("application/json")
        try:
            text = body.decode()
            given = json.loads(text) if wants_json else {k: v[0] for k, v in parse_qs(text).items()}
            user, password = str(given.get("user", "")), str(given.get("password", ""))
            target = str(given.get("redirect") or "/")
        except (ValueError, AttributeError):
            user, password, target = "", "", "/"
        if self._foreign() or not self.server.auth.matches(user, password):
            self._count_login(False)
            problem = "Invalid username or password"
            self._json((401, {"message": problem})) if wants_json else self._page(pages.login(problem, target), 401)
            return
        self._count_login(True)
        if not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
            target = "/"  # never send a fresh session to another site
        target = quote(target, safe="/?&=%$.:+-_~,;@!*()'")
        headers = {"Set-Cookie": self.server.auth.open_session(), "Location": target}
        if wants_json:
            headers.pop("Location")
            self._send(200, JSON, b'{"message":"Logged in"}', headers)
        else:
            self._send(302, HTML, b"", headers)

    def _json(self, reply: tuple[int, Any]) -> None:
        self._send(reply[0], JSON, json.dumps(reply[1]).encode())

    def _page(self, text: str, status: int = 200) -> None:
        self._send(status, HTML, text.encode("utf-8", "replace"), {"Content-Security-Policy": POLICY})

    def _send(self, status: int, kind: str, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
