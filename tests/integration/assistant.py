"""The assistant of a rig's hub, as its users reach it: through Caddy, over HTTPS, signed in."""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx

from tests.integration.rig import Rig, docker, eventually

ROLES = ("ask", "ask-database", "ask-cache")
NAME = "fleetwatch.localhost"
PREFIX = "/ask/api/v1"


def tls(rig: Rig) -> ssl.SSLContext:
    """Trusts the own CA of the hub's Caddy and nothing else."""
    root = docker("exec", rig.container("caddy"), "cat", "/data/caddy/pki/authorities/local/root.crt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=root)
    return context


def https(rig: Rig, method: str, path: str, auth: tuple[str, str] | None = None, **more: Any) -> httpx.Response:
    """One request to the hub's HTTPS site, by its name at 127.0.0.1."""
    port = rig.ports["https"]
    with httpx.Client(verify=tls(rig), trust_env=False, timeout=30) as client:
        return client.request(
            method,
            f"https://127.0.0.1:{port}{path}",
            headers={"Host": f"{NAME}:{port}", **more.pop("headers", {})},
            extensions={"sni_hostname": NAME},
            auth=auth,
            **more,
        )


class Assistant:
    """Its API; `token` is of the one who signed in last."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.token = rig, ""

    def admin(self) -> tuple[str, str]:
        """The generated administrator, by `make password ASK=1`."""
        done = self.rig.tool("password", "--ask")
        assert done.returncode == 0, done.stdout
        return "admin", done.stdout.strip().splitlines()[-1]

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request with the token, to a path below /ask/."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return https(self.rig, method, f"/ask/{path}", headers=headers, **more)

    def sign_in(self, name: str, password: str) -> None:
        """Once the service answers."""

        def token() -> str:
            got = self.call("POST", "auth/login", json={"name": name, "password": password})
            assert got.status_code == 200, f"{got.status_code} {got.text[:300]}"
            return str(got.json()["access_token"])

        self.token = ""
        self.token = eventually(f"a session of {name}", token, 60)

    def make_account(self, name: str, password: str) -> None:
        """By the administrator; then sign in with it."""
        self.sign_in(*self.admin())
        got = self.call("POST", "api/v1/admin/users", json={"name": name, "password": password})
        assert got.status_code == 201, got.text
        self.sign_in(name, password)

    def answer(self, question: str) -> dict[str, Any]:
        """The answer's document."""
        got = self.call("POST", "api/v1/query", json={"question": question})
        assert got.status_code == 200, f"{got.status_code} {got.text[:300]}"
        found: dict[str, Any] = got.json()
        return found

    def history(self) -> list[str]:
        """The caller's questions."""
        got = self.call("GET", "api/v1/history")
        assert got.status_code == 200, got.text
        return [str(one["question"]) for one in got.json()["history"]]

    def components(self) -> tuple[int, dict[str, str]]:
        """The status code of the health page, and the state of each component that it names."""
        got = self.call("GET", "api/v1/health")
        try:
            found = got.json()["components"]
        except (json.JSONDecodeError, KeyError):
            return got.status_code, {}
        return got.status_code, {name: one["status"] for name, one in found.items()}
