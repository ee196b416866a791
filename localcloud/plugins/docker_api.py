"""The Docker Engine's API for the docker stand-in: HTTP over its socket, or over ssh as the real provider does.

`unix://PATH` is connected to directly; `ssh://[user@]host[:port]` runs `ssh [options] host docker system dial-stdio`,
the way the real provider (and the docker program itself) reaches a remote engine. Bodies carry what `docker create`
would put on a command line, so a secret in a container's environment never appears in a process list.
Images are pulled by the `docker` program, which knows the user's registry credentials.

Nothing is contacted before the first request: a preview that changes nothing works with the host switched off.
"""

from __future__ import annotations

import http.client
import json
import shlex
import socket
import subprocess
import threading
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

DEFAULT_HOST = "unix:///var/run/docker.sock"
NOT_FOUND = 404


class DockerError(Exception):
    """What the engine answered, worded as Docker's own clients do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"Error response from daemon: {message}")
        self.status = status


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is not TCP; keeps the ssh process that carries it."""

    def __init__(self, host: str, ssh_opts: list[str]) -> None:
        super().__init__("docker")
        self._docker_host, self._ssh_opts = host, ssh_opts
        self._ssh: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        if self._docker_host.startswith("unix://"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(self._docker_host.removeprefix("unix://"))
            return
        ours, theirs = socket.socketpair()
        command = ssh_command(self._docker_host, self._ssh_opts)
        self._ssh = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno(), start_new_session=True)
        theirs.close()
        self.sock = ours

    def close(self) -> None:
        super().close()
        if self._ssh:
            self._ssh.terminate()
            self._ssh.wait()
            self._ssh = None


def ssh_command(host: str, options: list[str]) -> list[str]:
    where = urlsplit(host)
    port = ["-p", str(where.port)] if where.port else []
    user = ["-l", where.username] if where.username else []
    return ["ssh", *options, *user, *port, "--", str(where.hostname), "docker", "system", "dial-stdio"]


class Docker:
    """One engine. Connections are kept and shared between threads; one broken while idle is replaced once."""

    def __init__(self) -> None:
        self.host, self._ssh_opts = DEFAULT_HOST, list[str]()
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def configure(self, host: str, ssh_opts: list[str]) -> None:
        if not host.startswith(("unix:///", "ssh://")):
            raise ValueError(
                f"stand-in for docker: host: expected unix:///path or ssh://[user@]host[:port], got {host!r}"
            )
        self.host, self._ssh_opts = host, ssh_opts

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def find(self, path: str) -> Any:
        """Like get; None where there is no such thing."""
        try:
            return self.call("GET", path)
        except DockerError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return self.call("POST", path, body, query)

    def delete(self, path: str, **query: Any) -> None:
        self.call("DELETE", path, query=query)

    def call(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        url = quote(path) + (f"?{urlencode(query)}" if query else "")
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if payload else {}
        for connection, used in self._connections():
            try:
                connection.request(method, url, payload, headers)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if used and isinstance(error, ConnectionError):
                    continue  # closed by the other side while idle
                raise ConnectionError(
                    f"Cannot connect to the Docker daemon at {self.host}: {error}. Is the docker daemon running?"
                ) from error
            with self._lock:
                self._idle.append(connection)
            return _answer(response.status, content)
        raise AssertionError("the last connection tried is always a new one")

    def _connections(self) -> Any:
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        if idle:
            yield idle, True
        yield _Connection(self.host, self._ssh_opts), False

    def ensure_image(self, image: str) -> None:
        if self.find(f"/images/{image}/json") is not None:
            return
        pulled = subprocess.run(
            ["docker", "-H", self.host, "pull", "--quiet", image],
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        if pulled.returncode != 0:
            raise RuntimeError(
                f"Unable to create container with image {image}: unable to pull image {image}: {pulled.stderr.strip()}"
            )

    def close(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop().close()


def _answer(status: int, content: bytes) -> Any:
    try:
        found = json.loads(content) if content.strip() else None
    except ValueError:
        found = {"message": content.decode(errors="replace").strip()}
    if status >= 400:
        message = found.get("message") if isinstance(found, dict) else None
        raise DockerError(status, message or f"HTTP {status}")
    return found


def parse_ssh_opts(value: Any) -> list[str]:
    """The provider's `sshOpts` arrives as JSON text; a plain string is taken apart as a shell would."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = shlex.split(value)
    return [str(v) for v in value or []]
