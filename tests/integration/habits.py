"""Apps with the habits of real ones: what each demands, and the entry of the stack file that meets it."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.rig import docker
from tests.integration.story import Story

ENDPOINT = Path(__file__).resolve().parents[1] / "app" / "endpoint.py"


@dataclass(frozen=True)
class Habit:
    """`environment` of the endpoint, its `app` without a target, and its secrets by their key."""

    environment: dict[str, str] = field(default_factory=dict)
    app: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Certificates:
    """PEM texts and the files that an endpoint reads: a self-signed certificate, and one of a client."""

    folder: Path
    server: str
    client: str
    client_key: str


def certificates(folder: Path, server: str = "tls-app", days: int = 1) -> Certificates:
    """The server's key and certificate are in one file."""
    for name, subject in (("server", server), ("client", "agent")):
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        argv += ["-days", str(days), "-subj", f"/CN={subject}", "-addext", f"subjectAltName=DNS:{subject}"]
        argv += ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
        subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    both = folder / "server.pem"
    both.write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)  # the endpoint's user is nobody
    text = {name: (folder / name).read_text() for name in ("server.crt", "client.crt", "client.key")}
    return Certificates(folder, text["server.crt"], text["client.crt"], text["client.key"])


def habits(made: Certificates) -> dict[str, Habit]:
    """By the app's name, which is the endpoint's name on the network too."""
    token, password, second, scaled = (secrets.token_hex(12) for _ in range(4))
    tls = {"TLS": "/certificates/server.pem"}
    return {
        "token-app": Habit({"TOKEN": token}, {}, {"bearer_token": token}),
        "login-app": Habit(
            {"LOGIN": f"watch:{password}"}, {"basic_auth": {"username": "watch"}}, {"basic_auth.password": password}
        ),
        "rare-app": Habit({"TOKEN": second}, {"interval": "20s"}, {"bearer_token": second}),
        "scaled-login-app": Habit(
            {"LOGIN": f"watch:{scaled}"},
            {"dns": "scaled-login-app:8000", "basic_auth": {"username": "watch"}},
            {"basic_auth.password": scaled},
        ),
        "html-app": Habit({"TYPE": "text/html"}),
        "bare-app": Habit({"TYPE": "none"}),
        "json-app": Habit({"TYPE": "application/json"}),
        "query-app": Habit({"WANT": "/v1/metrics?format=prometheus"}, {"path": "/v1/metrics?format=prometheus"}),
        "slow-app": Habit({"SLEEP": "3"}, {"interval": "10s", "timeout": "5s"}),
        "tls-app": Habit(
            {**tls, "CLIENTS": "/certificates/client.crt"},
            {"tls": {"ca": made.server, "cert": made.client}},
            {"tls.key": made.client_key},
        ),
        "trusting-app": Habit(tls, {"tls": {"insecure": True}}),
        "labels-app": Habit({}, {"honor_labels": True, "drop": [".+_dropped"], "labels": {"team": "shop"}}),
        "stamped-app": Habit(),
        "timed-app": Habit({}, {"honor_timestamps": True}),
        "large-app": Habit({}, {"sample_limit": 50}),
        "wide-app": Habit({}, {"label_limit": 10}),
    }


def serve(
    story: Story, name: str, place: Sequence[str], variables: Mapping[str, str], certificates: Path | None = None
) -> None:
    """One endpoint in a container: `place` are its networks, `variables` its habits."""
    options = ["--name", story.rig.container(name), "--entrypoint", "python3", *place]
    options += ["-v", f"{ENDPOINT}:/endpoint.py:ro"]
    if certificates is not None:
        options += ["-v", f"{certificates}:/certificates:ro"]
    options += [word for key, value in variables.items() for word in ("-e", f"{key}={value}")]
    story.rig.run(story.images["test-app"], "/endpoint.py", options=tuple(options))


def start(story: Story, net: str, made: Certificates, found: dict[str, Habit]) -> dict[str, Any]:
    """An endpoint for each, and the entries of the stack file without their secrets. Two have two containers
    behind one name, and one runs on the host itself."""
    apps: dict[str, Any] = {"scaled-app": {"dns": "scaled-app:8000"}}
    endpoints = [(name, name, habit.environment) for name, habit in found.items()]
    endpoints += [(f"scaled-{number}", "scaled-app", {}) for number in (1, 2)]
    endpoints.append(("scaled-login-app-2", "scaled-login-app", found["scaled-login-app"].environment))
    for name, alias, environment in endpoints:
        variables = {"NAME": alias.replace("-", "_"), **environment}
        serve(story, name, ("--network", net, "--network-alias", alias), variables, made.folder)
    for name, habit in found.items():
        at: dict[str, Any] = {} if "dns" in habit.app else {"target": f"{name}:8000"}
        apps[name] = {**at, **habit.app}
    return apps


def expose(story: Story, app: str, text: str) -> None:
    """Let an endpoint expose this too, from its next scrape on; an empty text ends that."""
    write = "import sys; open('/tmp/more', 'w').write(sys.argv[1])"
    docker("exec", story.rig.container(app), "python3", "-c", write, text)


def on_the_host(story: Story, port: int) -> None:
    """An endpoint in the host's own network, as a program of the host has it."""
    serve(story, "host-app", ("--network", "host"), {"NAME": "host_app", "PORT": str(port)})


def second_network(story: Story, alias: str) -> str:
    """A network on which another container has the same name; its name."""
    net = story.rig.network("twin")
    container = story.rig.container("html-app")
    docker("network", "connect", "--alias", alias, net, container)
    return net
