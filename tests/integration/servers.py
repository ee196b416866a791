"""The story's servers that have an exporter: Redis, Valkey, MariaDB, nginx, RabbitMQ and memcached, the real ones of
Debian."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from tests.integration import habits
from tests.integration.rig import docker, eventually
from tests.integration.story import Story
from tools.paths import CHECKOUT

ALIAS = "shop-{}"
USER = "fleetwatch"
CERTIFICATE = 60  # days
RECORD = "shop.example.com"  # the only one of the name server


def account(password: str) -> str:
    """The lines of docs/tasks/add-an-exporter.md that make it on MariaDB, one statement each: so `mariadbd` reads its
    first file."""
    page = (CHECKOUT / "docs" / "tasks" / "add-an-exporter.md").read_text()
    block: str
    (block,) = re.findall(r"^```sql[^\n]*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert block.count("'PASSWORD'") == 1, "the page has one place for the password"
    lines = [line.partition("--")[0].rstrip() for line in block.splitlines() if not line.endswith("-- MySQL")]
    escaped = password.replace("\\", "\\\\").replace("'", "''")
    return "\n".join(lines).replace("'PASSWORD'", f"'{escaped}'")


def password(story: Story, kind: str) -> str:
    """With letters that an ini file, JSON and a shell would trip over; no dollar, as Debian's exporter is old."""
    return f'{story.database}{kind}#;:@"%x'


def start(story: Story, network: str) -> None:
    """All of them, answering."""
    given = {
        "redis": f"requirepass {json.dumps(password(story, 'redis'))}\n",
        "mariadb": account(password(story, "mariadb")),
        "nginx": "",
        "rabbitmq": "",
        "memcached": "",
    }
    for kind, text in given.items():
        here = story.rig.home / f"{kind}-password"
        here.write_text(text)
        here.chmod(0o644)  # the image's user is not ours
        names = ("--name", story.rig.container(kind), "--network", network, "--network-alias", ALIAS.format(kind))
        story.rig.run(story.images["servers"], kind, options=(*names, "-v", f"{here}:/given:ro"))
    names = ("--name", story.rig.container("valkey"), "--network", network, "--network-alias", ALIAS.format("valkey"))
    story.rig.run(story.images["valkey"], "valkey-server", "--protected-mode", "no", "--save", "", options=names)
    ports = {"redis": 6379, "valkey": 6379, "mariadb": 3306, "nginx": 8080, "rabbitmq": 15692, "memcached": 11211}
    for kind, port in ports.items():
        eventually(f"{kind} to listen", partial(_listens, story, kind, port), 60)


def start_tls(story: Story, network: str) -> None:
    """An HTTPS server whose certificate is valid for CERTIFICATE days and signed by itself."""
    folder = story.rig.home / "shop-tls"
    folder.mkdir(mode=0o755)
    habits.certificates(folder, "shop-tls", CERTIFICATE)
    place = ("--network", network, "--network-alias", "shop-tls")
    habits.serve(story, "tls", place, {"NAME": "shop_tls", "TLS": "/certificates/server.pem"}, folder)


def start_name_server(story: Story, network: str) -> None:
    """One that has the A record of RECORD. As root: its port is below 1024."""
    program = CHECKOUT / "tests" / "app" / "name_server.py"
    names = ("--name", story.rig.container("dns"), "--network", network, "--network-alias", ALIAS.format("dns"))
    variables = ("-e", f"NAME={RECORD}", "-e", "ADDRESS=192.0.2.7")
    options = (*names, *variables, "--user", "0", "--entrypoint", "python3", "-v", f"{program}:/name_server.py:ro")
    story.rig.run(story.images["test-app"], "/name_server.py", options=options)


def _listens(story: Story, kind: str, port: int) -> bool:
    """By the kernel's table, as the image has no client of all of them."""
    found = docker("exec", story.rig.container(kind), "cat", "/proc/net/tcp", "/proc/net/tcp6", check=False)
    return f":{port:04X} " in found


def settings() -> dict[str, Any]:
    """The entries of the stack file, one line each; passwords follow by `make secret`."""
    return {
        "cache": {"redis": ALIAS.format("redis")},
        "jobs": {"valkey": ALIAS.format("valkey")},
        "orders": {"mariadb": ALIAS.format("mariadb"), "user": USER},
        "web": {"nginx": f"http://{ALIAS.format('nginx')}:8080/stub_status"},
        "queue": {"rabbitmq": ALIAS.format("rabbitmq")},
        "sessions": {"memcached": ALIAS.format("memcached")},
    }


def secrets(story: Story) -> dict[str, str]:
    """The passwords by their key in the stack file."""
    return {
        "hosts.hub.exporters.cache.password": password(story, "redis"),
        "hosts.hub.exporters.orders.password": password(story, "mariadb"),
    }
