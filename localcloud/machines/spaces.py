"""Spaces of one rehearsal cloud: a real S3 server (versitygw) in a container, with an account for each access key.

It listens on this machine's address in the cloud's internet, on port 80, which a droplet's firewall lets it reach. It
is one server for every region. An account for one bucket is that bucket's owner; one for all buckets may make some.
"""

from __future__ import annotations

import secrets
import time
from threading import RLock
from xml.sax.saxutils import escape

from localcloud.machines import networks
from localcloud.machines.docker import LABEL, docker, inspect, put, take
from localcloud.machines.model import MachineError
from localcloud.spaces import S3, S3Error

REGION, PORT = "us-east-1", 80
START = 30  # seconds that the server may take
_ROOT = "/run/spaces/root"
_SERVE = (
    f". {_ROOT} && mkdir -p /data/objects /data/meta /data/iam && exec versitygw --port :7070 --region {REGION} "
    "--iam-dir /data/iam posix --sidecar /data/meta /data/objects"
)


class Spaces:
    """`image`: the S3 server's; empty: this cloud has no Spaces. `internet`: the range of its internet."""

    def __init__(self, cloud: str, internet: str, image: str = "") -> None:
        self._cloud, self._internet, self.image = cloud, internet, image
        self._lock = RLock()
        self.container = f"fleetwatch-cloud-{cloud}-spaces"

    @property
    def endpoint(self) -> str:
        """Of every region."""
        network = networks.internet_name(self._cloud)
        networks.create(self._cloud, network, self._internet)
        return f"http://{networks.gateway(network)}:{PORT}"

    def allow(self, access: str, secret: str, buckets: tuple[str, ...]) -> None:
        """Accept this key, for these buckets; for none of them: for all."""
        with self._lock:
            root = self._root()
        role = "user" if buckets else "admin"
        parts = {"Access": access, "Secret": secret, "Role": role, "UserID": "0", "GroupID": "0", "ProjectID": "0"}
        body = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in parts.items())
        self._ask(root, "/create-user", {}, f"<Account>{body}</Account>".encode())
        for bucket in buckets:
            self._ask(root, "/change-bucket-owner", {"bucket": bucket, "owner": access})

    def refuse(self, access: str) -> None:
        """Accept this key no longer; nothing happens if there is no server."""
        if inspect("container", self.container) is not None:
            self._ask(self._root(), "/delete-user", {"access": access})

    def _ask(self, root: S3, path: str, query: dict[str, str], body: bytes = b"") -> None:
        try:
            root.call("PATCH", path, query, body=body)
        except (S3Error, OSError) as error:
            raise MachineError(f"Spaces: {path.lstrip('/')} failed: {error}") from None

    def _root(self) -> S3:
        """The server's own account; the server is started if it does not run."""
        if not self.image:
            raise MachineError("This rehearsal has no Spaces: it was started without the image of an S3 server.")
        endpoint = self.endpoint
        if inspect("container", self.container) is None:
            self._create(endpoint)
        docker("start", self.container)
        lines = dict(line.split("=", 1) for line in take(self.container, _ROOT).split())
        root = S3(endpoint, REGION, lines["ROOT_ACCESS_KEY"], lines["ROOT_SECRET_KEY"])
        self._await(root)
        return root

    def _create(self, endpoint: str) -> None:
        address = endpoint.removeprefix("http://").partition(":")[0]
        docker(
            "create", "--name", self.container, "--label", f"{LABEL}={self._cloud}", "--restart", "unless-stopped",
            "--network", networks.internet_name(self._cloud), "-p", f"{address}:{PORT}:7070",
            "--memory", "512m", "--entrypoint", "/bin/sh", self.image, "-c", f"set -a; {_SERVE}",
        )  # fmt: skip
        root = f"ROOT_ACCESS_KEY=root{secrets.token_hex(8)}\nROOT_SECRET_KEY={secrets.token_hex(24)}\n"
        put(self.container, {_ROOT: root}, mode=0o600)

    @staticmethod
    def _await(root: S3) -> None:
        end = time.monotonic() + START
        while True:
            try:
                root.call("GET", "/")
                return
            except (S3Error, OSError) as error:
                if time.monotonic() > end:
                    raise MachineError(f"The S3 server does not answer at {root.endpoint}: {error}") from None
            time.sleep(0.2)


class HasSpaces:
    """What the API calls of a cloud with Spaces."""

    spaces: Spaces

    def allow_key(self, access: str, secret: str, buckets: tuple[str, ...]) -> None:
        """Accept this access key, for these buckets; for none of them: for all."""
        self.spaces.allow(access, secret, buckets)

    def refuse_key(self, access: str) -> None:
        """Accept it no longer."""
        self.spaces.refuse(access)
