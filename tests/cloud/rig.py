"""What the tests of the rehearsal cloud's API share: machines that only remember, a running service, a client."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from localcloud.cloud.api import Cloud
from localcloud.cloud.server import Server
from localcloud.cloud.store import Store

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1yb1BhYmxlS2V5T2ZBVGVzdFdpdGhvdXRBbnlVc2U= test"


class FakeMachines:
    """Records every call. `hold` makes the calls named in it wait until they are let go; `fail` makes them fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.hold: set[str] = set()
        self.fail: dict[str, str] = {}
        self.up: set[int] = set()

    def _call(self, name: str, *args: Any) -> None:
        self.calls.append((name, *args))
        while name in self.hold:
            time.sleep(0.005)
        if name in self.fail:
            raise RuntimeError(self.fail[name])

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]

    def create_droplet(self, spec: Any) -> str:
        self._call("create_droplet", spec)
        self.up.add(spec.id)
        return f"container-{spec.id}"

    def running(self, droplet_id: int) -> bool:
        return droplet_id in self.up

    def power(self, droplet_id: int, on: bool) -> None:
        self._call("power", droplet_id, on)
        (self.up.add if on else self.up.discard)(droplet_id)

    def delete_droplet(self, droplet_id: int) -> None:
        self._call("delete_droplet", droplet_id)
        self.up.discard(droplet_id)

    def database_ca(self, uuid: str) -> str:
        self._call("database_ca", uuid)
        return "-----BEGIN CERTIFICATE-----"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self._call(name, *args)


class Client:
    """Speaks to one service; `check` (if set) is called with every request and answer."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = httpx.Client(
            base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=10, trust_env=False
        )
        self.check: Any = None

    def call(self, method: str, path: str, body: Any = None, code: int | None = None) -> Any:
        """The answer's body. Asserts the code, if given, or else that it is a success."""
        answer = self.http.request(method, path, json=body)
        content = answer.json() if answer.content else None
        said = f"{method} {path}: {answer.status_code} {content}"
        assert answer.status_code == code if code else answer.is_success, said
        if self.check:
            self.check(method, answer.request.url.path, body, answer.status_code, content)
        return content

    def get(self, path: str, code: int | None = None) -> Any:
        return self.call("GET", path, None, code)

    def post(self, path: str, body: Any, code: int | None = None) -> Any:
        return self.call("POST", path, body, code)

    def put(self, path: str, body: Any, code: int | None = None) -> Any:
        return self.call("PUT", path, body, code)

    def delete(self, path: str, body: Any = None, code: int | None = None) -> Any:
        return self.call("DELETE", path, body, code)

    def done(self, action: Any) -> Any:
        """Wait for an action as clients do. Gives it as it ended."""
        until = time.monotonic() + 10
        while action["status"] == "in-progress":
            assert time.monotonic() < until, f"still in progress: {action}"
            time.sleep(0.01)
            action = self.get(f"/v2/actions/{action['id']}")["action"]
        return action

    def key(self) -> Any:
        return self.post("/v2/account/keys", {"name": "test", "public_key": KEY})["ssh_key"]

    def vpc(self, name: str = "one", ip_range: str = "10.77.0.0/20") -> Any:
        return self.post("/v2/vpcs", {"name": name, "region": "fra1", "ip_range": ip_range})["vpc"]

    def droplet(self, name: str = "web-1", **more: Any) -> Any:
        """A droplet that is active."""
        wanted = {"name": name, "region": "fra1", "size": "s-1vcpu-1gb", "image": "debian-12-x64", **more}
        made = self.post("/v2/droplets", wanted)
        self.settle(made["droplet"]["id"])
        return self.get(f"/v2/droplets/{made['droplet']['id']}")["droplet"]

    def settle(self, droplet: int) -> None:
        """Wait until nothing on a droplet is in progress."""
        for action in self.get(f"/v2/droplets/{droplet}/actions")["actions"]:
            self.done(action)

    def act(self, droplet: int, type: str, **more: Any) -> Any:
        """An action on a droplet, ended."""
        return self.done(self.post(f"/v2/droplets/{droplet}/actions", {"type": type, **more})["action"])

    def gone(self, path: str) -> None:
        """Wait until something is no more."""
        until = time.monotonic() + 10
        while self.http.get(path).status_code != 404:
            assert time.monotonic() < until, f"{path} is still there"
            time.sleep(0.01)


@contextlib.contextmanager
def running(folder: Path, machines: FakeMachines) -> Iterator[Client]:
    """A service on this state until the block ends."""
    store = Store(folder)
    cloud = Cloud("test", store, machines, ipaddress.IPv4Network("203.0.113.0/24"))
    server = Server(cloud, folder, 0)
    server.resume()
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        client = Client(server)
        yield client
        client.http.close()
    finally:
        server.shutdown()
        server.server_close()
        store.close()
