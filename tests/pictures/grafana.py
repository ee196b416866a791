"""A Grafana of any image beside a running local stack: with the files that the stack's own has, and its data."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from configs import deployment, names
from configs.services import grafana
from configs.services.spec import Late
from configs.settings import Settings

STARTED = 120  # seconds until it has to answer
SETTLED = 10  # seconds after which it has read all provisioning files
ERROR_LINE = re.compile(r"\b(?:level|lvl)=(?:error|eror|critical|crit)\b|^(?:panic|fatal error)\b", re.IGNORECASE)


class GrafanaProblem(Exception):
    """The image did not start, or the stack does not run."""


@dataclass(frozen=True)
class Grafana:
    """A running container. `headers` sign in."""

    name: str
    url: str
    headers: Mapping[str, str]
    version: str

    def errors(self) -> list[str]:
        """Lines of level error of its log since its start."""
        return [line for line in _docker("logs", self.name).splitlines() if is_error(line)]


def is_error(line: str) -> bool:
    """Whether a line of Grafana's log, JSON or logfmt, is an error."""
    try:
        parsed = json.loads(line)
    except ValueError:
        return bool(ERROR_LINE.search(line))
    level = str(parsed.get("level") or parsed.get("lvl")) if isinstance(parsed, dict) else ""
    return level.lower() in {"error", "eror", "critical", "crit"}


@contextlib.contextmanager
def running(settings: Settings, image: str) -> Iterator[Grafana]:
    """The container, removed afterwards with its volumes."""
    network, name = names.hub_network(settings.prefix), f"fleetwatch-pictures-{secrets.token_hex(4)}"
    if subprocess.run(["docker", "network", "inspect", network], capture_output=True, check=False).returncode:
        raise GrafanaProblem(f"no Docker network {network}: expected the stack's hub on this machine; run `make up`")
    password = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as folder:
        mounts = write_files(settings, Path(folder), password)
        try:
            _docker("run", "-d", "--name", name, "--network", network, "-p", "127.0.0.1::" + str(names.GRAFANA_PORT),
                    "--memory", "1g", *mounts, image)  # fmt: skip
            port = _docker("port", name, f"{names.GRAFANA_PORT}/tcp").splitlines()[0].rpartition(":")[2]
            login = base64.b64encode(f"{settings.hub.grafana.admin_user}:{password}".encode()).decode()
            url = f"http://127.0.0.1:{port}"
            version = _version(url, name)
            time.sleep(SETTLED)
            yield Grafana(name, url, {"Authorization": f"Basic {login}"}, version)
        finally:
            subprocess.run(["docker", "rm", "-f", "-v", name], capture_output=True, check=False)


def write_files(settings: Settings, folder: Path, password: str) -> list[str]:
    """The files of Grafana's spec, and the arguments that mount them."""
    context = deployment.context(settings, "hub", "/nowhere", "/nowhere")
    (spec,) = grafana.specs(context)
    late = Late(admin_password=password)
    mounts: list[str] = []
    for part, target, files in (("config", spec.config_dir, spec.files), ("secrets", names.SECRETS, spec.secrets)):
        (folder / part).mkdir()
        for name, file in files.items():
            path = folder / part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.render(late))
        mounts += ["-v", f"{folder / part}:{target}:ro"]
    # The image's user is another one. The folder itself stays closed to other users of this machine.
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return mounts


def _version(url: str, name: str) -> str:
    """What /api/health reports, as soon as it answers."""
    until = time.monotonic() + STARTED
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(f"{url}/api/health", trust_env=False, timeout=5)
            if answer.status_code == 200:
                return str(answer.json().get("version") or "unknown version")
        time.sleep(1)
    tail = "\n".join(_docker("logs", "--tail", "20", name).splitlines())
    raise GrafanaProblem(f"Grafana does not answer within {STARTED} s; the end of its log:\n{tail}")


def _docker(*arguments: str) -> str:
    """Standard output and standard error. GrafanaProblem with Docker's message."""
    done = subprocess.run(
        ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300
    )
    if done.returncode:
        raise GrafanaProblem(f"docker {arguments[0]}: {done.stdout.strip()}")
    return done.stdout
