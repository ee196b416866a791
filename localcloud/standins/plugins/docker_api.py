"""A client of the Docker Engine's API for the docker stand-in: HTTP over its socket or, as the real provider, over ssh.

The client connects to `unix://PATH` directly and to `ssh://[user@]host[:port]` with the ssh program (docker_ssh.py).
`docker create` would have a container's environment on its command line; here it is in the body of the request, so no
process list shows a secret in it.

The client connects with the first request: a preview that changes nothing works while the host is switched off.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shlex
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from localcloud.standins.plugins.docker_ssh import Tunnel

DEFAULT_HOST = "unix:///var/run/docker.sock"
NOT_FOUND = 404


class DockerError(Exception):
    """An error of the engine, in the format of Docker's clients."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"Error response from daemon: {message}")
        self.status = status


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is not TCP. Owns the ssh process of the connection."""

    def __init__(self, host: str, ssh_opts: list[str]) -> None:
        super().__init__("docker")
        self._docker_host, self._ssh_opts = host, ssh_opts
        self._tunnel: Tunnel | None = None

    def connect(self) -> None:
        if self._docker_host.startswith("unix://"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(self._docker_host.removeprefix("unix://"))
            return
        self._end_tunnel()  # left from a connection that the engine closed
        self._tunnel = Tunnel(self._docker_host, self._ssh_opts)
        self.sock = self._tunnel.socket

    def failure(self) -> str | None:
        """The error of ssh for a failed connection; None without ssh or without an error."""
        return self._tunnel.failure() if self._tunnel else None

    def end(self) -> None:
        """Closes the connection and ends ssh.

        `close` must not end ssh: http.client calls it before `failure` can read ssh's error.
        """
        self.close()
        self._end_tunnel()

    def _end_tunnel(self) -> None:
        if self._tunnel:
            self._tunnel.close()
            self._tunnel = None


class Docker:
    """A client of one engine. Threads share idle connections; a request over a broken idle one is retried once."""

    def __init__(self) -> None:
        self.host, self._ssh_opts = DEFAULT_HOST, list[str]()
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self._greeted = False

    def configure(self, host: str, ssh_opts: list[str]) -> None:
        if not host.startswith(("unix:///", "ssh://")):
            raise ValueError(
                f"stand-in for docker: host: expected unix:///path or ssh://[user@]host[:port], got {host!r}"
            )
        self.host, self._ssh_opts = host, ssh_opts

    def get(self, path: str, **query: str | int) -> Any:
        return self.call("GET", path, query=query)

    def find(self, path: str) -> Any:
        """Like get, but None if the object does not exist."""
        try:
            return self.call("GET", path)
        except DockerError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def post(self, path: str, body: Any = None, **query: str | int) -> Any:
        return self.call("POST", path, body, query)

    def delete(self, path: str, **query: str | int) -> None:
        self.call("DELETE", path, query=query)

    def call(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        if not self._greeted and self.host.startswith("ssh://"):
            self._greet()
        status, content = self._exchange(method, path, body, query)
        return _answer(status, content)

    def _greet(self) -> None:
        """Pings the engine before the first request over ssh. Its error is that of the real provider."""
        try:
            self._exchange("HEAD", "/_ping")
        except ConnectionError as error:
            raise ConnectionError(
                f"failed to create Docker client: Error pinging Docker server, please make sure that {self.host} is "
                f"reachable and has a  '_ping' endpoint. Error: {error}"
            ) from error
        self._greeted = True

    def _exchange(
        self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None
    ) -> tuple[int, bytes]:
        url = quote(path) + (f"?{urlencode(query)}" if query else "")
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if payload else {}
        for connection, used in self._connections():
            try:
                connection.request(method, url, payload, headers)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                why = None if used else connection.failure()
                connection.end()
                if used and isinstance(error, ConnectionError):
                    continue  # closed by the other side while idle
                if why:
                    where = f'{method.capitalize()} "http://docker.example.com{url}"'
                    raise ConnectionError(f"error during connect: {where}: {why}") from error
                raise ConnectionError(
                    f"Cannot connect to the Docker daemon at {self.host}: {error}. Is the docker daemon running?"
                ) from error
            with self._lock:
                self._idle.append(connection)
            return response.status, content
        raise AssertionError("the last connection tried is always a new one")

    def _connections(self) -> Any:
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        if idle:
            yield idle, True
        yield _Connection(self.host, self._ssh_opts), False

    def ensure_image(self, image: str, pulling: Callable[[], None]) -> None:
        """Pulls a missing image, without credentials: the real provider does not use the user's either."""
        if self.find(f"/images/{image}/json") is not None:
            return
        pulling()
        failed = f"Unable to create container with image {image}"
        name, tag = _reference(image)
        try:
            _, answer = self._exchange("POST", "/images/create", None, {"fromImage": name, "tag": tag})
        except ConnectionError as error:
            raise RuntimeError(f"{failed}: unable to pull image {image}: {error}") from error
        if self.find(f"/images/{image}/json") is None:
            raise RuntimeError(f"{failed}: unable to find or pull image {image}{_why(answer)}")

    def close(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop().end()


def _answer(status: int, content: bytes) -> Any:
    try:
        found = json.loads(content) if content.strip() else None
    except ValueError:
        found = {"message": content.decode(errors="replace").strip()}
    if status >= 400:
        message = found.get("message") if isinstance(found, dict) else None
        raise DockerError(status, message or f"HTTP {status}")
    return found


def _reference(image: str) -> tuple[str, str]:
    """Name and tag (or digest) of an image reference; the default tag is `latest`."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return name, digest
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")


def _why(answer: bytes) -> str:
    """The error of a pull: the last one in the response, whose status is 200 even if the pull fails."""
    for line in reversed(answer.decode(errors="replace").splitlines()):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and (error := found.get("error") or found.get("message")):
                return f": {error}"
    return ""


def parse_ssh_opts(value: Any) -> list[str]:
    """The provider's `sshOpts`, which arrive as JSON text. A plain string is split by the rules of the shell."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = shlex.split(value)
    return [str(v) for v in value or []]
