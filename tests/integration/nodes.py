"""A hub in a bucket or of three nodes as processes of this machine: the parts that keep data, as they are rendered,
each at its own loopback address, and an S3 server. `docker` does for them what Docker does on the hosts."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from configs import names, services
from configs.metrics_store import COMPACT, QUERY, RECEIVE, STORE
from configs.services.spec import Late, ServiceSpec
from configs.settings import Settings, load
from tests.fixtures import fleets, rendering
from tests.integration.rig import eventually
from tools import gobuild, grow_lines, hub_node, lines_reader
from tools.errors import ToolError
from tools.net import without_proxy

LOKI, READER = "loki", "grow_lines"
ROLES = (RECEIVE, STORE, LOKI, QUERY)
HOSTS = ("hub", "hub-b", "hub-c")
PORTS = {"10901": RECEIVE, "10911": "thanos-rule", "7946": LOKI, "9095": LOKI, "9093": "alertmanager"}
NODE = re.compile(r"node-([a-z])\.fleetwatch\.internal:(\d+)")
KEY = "made-up-key-for-a-test"
S3_PORT = 17070
OPEN = without_proxy()


def settings(kind: str, **storage: str) -> Settings:
    """A hub with the usual blocks of two hours: in a test nothing is uploaded but by a move."""
    s3 = {"endpoint": f"http://localhost:{S3_PORT}", "bucket": "acme", "access_key": "test", "secret_key": KEY}
    nodes: dict[str, Any] = {"nodes": {"a": {}, "b": {}, "c": {}}} if kind == "cluster" else {}
    kept = {"kind": kind, "bucket": {"s3": s3}, **nodes, **storage}
    return load(fleets.fleet({**fleets.HUB, "storage": kept}), "test")


def address(host: str, role: str) -> str:
    """Where this part listens."""
    return f"127.0.{90 + HOSTS.index(host)}.{10 + [*ROLES, READER, COMPACT, *PORTS.values()].index(role)}"


class Fleet:
    """The processes. `record` is the label of the volume on the hub."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[tuple[str, str], subprocess.Popen[bytes]] = {}
        self.stopped: set[tuple[str, str]] = set()
        self.argv: dict[tuple[str, str], list[str]] = {}
        self.record = ""
        self.hosts: tuple[str, ...] = ()
        for part in ("s3/objects/acme", "s3/meta"):
            (folder / part).mkdir(parents=True)
        keys = {"ROOT_ACCESS_KEY": "test", "ROOT_SECRET_KEY": KEY}
        place = ["posix", "--sidecar", str(folder / "s3/meta"), str(folder / "s3/objects")]
        gateway = [str(gobuild.program("versitygw")), "--port", f"127.0.0.1:{S3_PORT}", "--region", "us-east-1", *place]
        self._s3 = self._process("s3", gateway, keys)

    def close(self) -> None:
        for process in [*self.running.values(), self._s3]:
            process.kill()
            process.wait()

    def up(self, wanted: Settings) -> None:
        """What `make up` does: the first host first; hosts that left are removed with their disks."""
        for host in wanted.hub.hosts:
            for role in ROLES:
                self._end(host, role)
                self._write(wanted, host, role)
                self.start(host, role)
        for host in set(self.hosts) - set(wanted.hub.hosts):
            for role in ROLES:
                self._end(host, role)
        self.hosts = wanted.hub.hosts
        for host in self.hosts:
            self.await_ready(host, *ROLES)

    def await_ready(self, host: str, *roles: str) -> None:
        """Wait until these parts of a host take requests."""
        eventually(f"{host} is ready", lambda: all(self._ready(host, role) for role in roles), patience=180)

    def start(self, host: str, role: str) -> None:
        self.stopped.discard((host, role))
        if self.alive(host, role):
            return
        key = self.folder / "key"
        key.write_text(f"[default]\naws_access_key_id = test\naws_secret_access_key = {KEY}\n")
        env = {"AWS_SHARED_CREDENTIALS_FILE": str(key)}
        self.running[host, role] = self._process(f"{host}-{role}", self.argv[host, role], env)

    def kill(self, host: str, *roles: str) -> None:
        for role in roles:
            self.stopped.add((host, role))
            self.running[host, role].kill()
            self.running[host, role].wait()

    def alive(self, host: str, role: str) -> bool:
        return (host, role) in self.running and self.running[host, role].poll() is None

    def compact(self, wanted: Settings) -> None:
        """Compact once, as the hub's would do it."""
        self._write(wanted, "hub", COMPACT)
        argv = [*self.argv["hub", COMPACT], "--delete-delay=0s", "--compact.cleanup-interval=0s"]
        key = {"AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "key")}
        argv = [word for word in argv if word != "--wait"]
        done = subprocess.run(argv, env={**os.environ, **key}, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]

    def _process(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(["nice", *argv], env={**os.environ, **env}, stdout=log, stderr=log)

    def _end(self, host: str, role: str) -> None:
        if self.alive(host, role):
            self.running[host, role].terminate()
            self.running[host, role].wait(120)

    def _write(self, wanted: Settings, host: str, role: str) -> None:
        """The part's files and its command line, with this machine's paths and addresses."""
        context = rendering.context(wanted, host)
        (spec,) = [spec for spec in services.hub_specs(context) if spec.role == role]
        own, data, files = address(host, role), self.folder / host / role, self.folder / f"{host}-{role}"
        for folder in (data, files):
            folder.mkdir(parents=True, exist_ok=True)
        for name, file in spec.files.items():
            text = file.render(Late(private=own))
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_text(_loki(text, own, data, files, host) if name == "loki.yml" else _named(text, host))
        program = str(gobuild.program("loki" if role == LOKI else "thanos"))
        # Every container may have the default port of it.
        more = [f"--receive.capnproto-address={own}:{names.RECEIVE_CAPNPROTO_PORT}"] if role == RECEIVE else []
        self.argv[host, role] = [program, *(self._word(word, spec, host, data, files) for word in spec.command), *more]

    def _word(self, word: str, spec: ServiceSpec, host: str, data: Path, files: Path) -> str:
        if spec.role == LOKI:
            return word.replace(spec.config_dir, str(files))
        word = re.sub(r"=/data\b", f"={data}", word).replace(spec.config_dir, str(files))
        return _named(word, host).replace("0.0.0.0", address(host, spec.role))

    def _ready(self, host: str, role: str) -> bool:
        ports = {LOKI: (names.LOKI_PORT, "ready"), QUERY: (names.PROMETHEUS_PORT, "-/ready")}
        port, path = ports.get(role, (names.THANOS_PORT, "-/ready"))
        return self.get(f"http://{address(host, role)}:{port}/{path}") is not None

    def get(self, url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> str | None:
        """The answer; None for an error."""
        try:
            with OPEN.open(urllib.request.Request(url, data, dict(headers or {})), timeout=60) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return None

    def docker(self, host: str, words: Sequence[str], stdin: bytes) -> bytes:
        """A command of Docker on a host; ToolError where it fails."""
        find = {"exec": self._exec, "inspect": self._inspect, "volume": self._volume}
        if words[0] in find:
            return find[words[0]](host, words).encode()
        if words[0] == "run":
            return self._run(host, words[-1], stdin)
        role = words[-1].removeprefix("fleetwatch-")
        if words[0] == "cp":
            self._reader(host, stdin)
        elif words[0] in ("stop", "restart"):
            self.stopped.add((host, role))
            self._end(host, role)
        if words[0] in ("start", "restart"):
            self.start(host, READER if role.endswith(READER) else role)
        if words[0] == "rm" and (host, READER) in self.running:
            self.running.pop((host, READER)).kill()
        return b""

    def _exec(self, host: str, words: Sequence[str]) -> str:
        if "du" in words:
            return "2048 /data"
        if words[1] == "fleetwatch-caddy":  # these nodes have none
            return ""
        assert self.alive(host, words[1].removeprefix("fleetwatch-")), f"{words[1]} does not run on {host}"
        url = words[-1].replace("127.0.0.1", address(host, QUERY))
        url = url.replace(f"fleetwatch_{READER}", address(host, READER))
        answer = self.get(_named(url, host), b"" if "--post-data" in words else None)
        if answer is None:
            raise ToolError(f"docker exec failed on {host}: {words[-1]}")
        return answer

    def _inspect(self, host: str, words: Sequence[str]) -> str:
        role = words[-1].removeprefix("fleetwatch-")
        if role in ROLES and not self.alive(host, role) and (host, role) not in self.stopped:
            self.start(host, role)  # Docker restarts what ended by itself
        if hub_node.STATE in words:
            process = self.running[host, role]
            return f"{str(self.alive(host, role)).lower()} {process.pid}"
        return "true"

    def _volume(self, _host: str, words: Sequence[str]) -> str:
        if words[1] == "create":
            self.record = words[-2].partition("=")[2]
        elif words[1] == "rm":
            self.record = ""
        return self.record

    def _run(self, host: str, script: str, stdin: bytes) -> bytes:
        places = {hub_node.TENANTS: host + f"/{RECEIVE}", grow_lines.FOLDER: f"{host}/{LOKI}/chunks"}
        places[f"{names.SECRETS}/s3"] = "key"
        for path, there in places.items():
            script = script.replace(path, str(self.folder / there))
        return subprocess.run(["sh", "-c", script], input=stdin, capture_output=True, check=True).stdout

    def _reader(self, host: str, archive: bytes) -> None:
        data = self.folder / host / READER
        data.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            member = packed.extractfile(packed.getmembers()[0])
            assert member is not None
            text = member.read().decode()
        (data / "reader.yml").write_text(_loki(text, address(host, READER), data, data, host))
        program = str(gobuild.program("loki"))
        self.argv[host, READER] = [program, f"-config.file={data}/reader.yml", *lines_reader.FLAGS]


def _named(text: str, host: str) -> str:
    """With addresses instead of the names of nodes and containers."""
    nodes = dict(zip("abc", HOSTS, strict=True))
    text = NODE.sub(lambda found: f"{address(nodes[found[1]], PORTS[found[2]])}:{found[2]}", text)
    for role in (*ROLES, "thanos-rule", "alertmanager"):
        text = text.replace(f"fleetwatch-{role}:", f"{address(host, role)}:")
    return text


def _loki(text: str, own: str, data: Path, files: Path, host: str) -> str:
    """loki.yml for this machine: every part of it listens at its own address."""
    plain = _named(text, host).replace("127.0.0.1", own).replace("/etc/loki", "ETC").replace("/loki", str(data))
    made: dict[str, Any] = yaml.safe_load(plain.replace("ETC", str(files)))
    made["server"].update(http_listen_address=own, grpc_listen_address=own)
    made["common"]["instance_addr"] = own  # a container has one address
    if "memberlist" in made:
        made["memberlist"]["bind_addr"] = [own]
    return json.dumps(made)
