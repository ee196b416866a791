"""The story, third part: a database and an app are added; nothing that runs is touched, and no secret gets out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from tests.integration import databases, servers
from tests.integration.rig import docker, eventually
from tests.integration.story import Story
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.xdist_group("story")
# RabbitMQ exposes its metrics itself.
MADE = {
    "postgres-main", "postgres-standby", "sql-exporter", "blackbox-exporter", "redis-cache", "redis-jobs",
    "mysql-orders", "nginx-web", "memcached-sessions",
}  # fmt: skip


def _password(story: Story) -> str:
    """With letters that a DSN, a YAML file and a shell would trip over."""
    return f"{story.database}/@:%#'\"$x"


def _add(story: Story) -> None:
    """Databases, an app, a network that all are on, and the entries of the stack file that name them."""
    net, rig = story.rig.network("shop"), story.rig
    databases.start(story, net, _password(story))
    servers.start(story, net)
    servers.start_tls(story, net)
    servers.start_name_server(story, net)
    rig.run(
        story.images["test-app"],
        options=("--name", rig.container("api"), "--network", net, "--network-alias", "shop-api"),
    )
    app = {"shop": {"target": "shop-api:8000", "http": {}}}
    probes = {
        "api": {"http": "http://shop-api:8000/metrics"},
        "database": {"tcp": "shop-db:5432"},
        "host": {"icmp": "host.docker.internal"},
        "cache": {"tcp": "shop-redis:6379"},
        "page": {"http": "https://shop-tls:8000/", "insecure": True},
        "certificate": {"tcp": "shop-tls:8000", "tls": True, "insecure": True},
        "names": {"dns": {"name": servers.RECORD, "server": "shop-dns"}},
    }
    given = {
        "networks": [net],
        "apps": app,
        "postgres": {"main": {}, "standby": {}},
        "scrape": {"sql": "10s", "probes": "10s"},
    }
    rig.change({"hosts": {"hub": {**given, "exporters": servers.settings(), "probes": probes}}})


def _dsn(story: Story, password: str, entry: str = "main", place: str = "shop-db:5432/shop") -> str:
    """Set the secret by `make secret`, over stdin; what that says."""
    dsn = f"postgresql://fleetwatch:{quote(password, safe='')}@{place}"
    done = story.rig.tool("secret", f"hosts.hub.postgres.{entry}.dsn", stdin=dsn)
    assert done.returncode == 0, done.stdout
    return done.stdout


def _needles(story: Story) -> dict[str, str]:
    """Every secret of the stack, by what it is."""
    return {
        "the database's password": story.database,
        "the host's password": story.pusher()[1],
        "the host's scrape password": story.scraper()[1],
        "Grafana's admin password": story.admin()[1],
        "the webhook's address": story.sink.token,
    }


@dataclass(frozen=True)
class Added:
    """What was seen while the database and the app were added."""

    before: dict[str, tuple[str, str]]
    refused: subprocess.CompletedProcess[str]
    said: str
    watcher: Watcher


@pytest.fixture(scope="module")
def added(story: Story) -> Added:
    """The change, made once; what was seen on the way."""
    before = story.rig.started_all()
    _add(story)
    said = _dsn(story, _password(story) + " ")
    said += _dsn(story, _password(story), "standby", "shop-db-2:5432/bare")
    for key, value in servers.secrets(story).items():
        done = story.rig.tool("secret", key, stdin=value)
        assert done.returncode == 0, done.stdout
        said += done.stdout
    refused = story.rig.tool("up")
    said += _dsn(story, _password(story))
    with Watcher(pause=0.02) as watcher:
        plan = story.rig.tool("pulumi", "preview", "--diff").stdout
        said += plan + story.rig.up()
    return Added(before, refused, said + refused.stdout, watcher)


def test_a_password_that_the_exporter_would_write_to_its_log_is_refused_before_anything_is_touched(
    added: Added,
) -> None:
    assert added.refused.returncode != 0
    assert "hosts.hub.postgres.main.dsn: expected a DSN without spaces" in added.refused.stdout, added.refused.stdout
    assert "nothing was changed" in added.refused.stdout


def test_no_running_container_was_touched_by_it(story: Story, added: Added) -> None:
    before, after = added.before, story.rig.started_all()
    assert {name: after.get(name) for name in before} == before, "a running container was restarted or recreated"
    made = {story.rig.container(role) for role in MADE}
    assert set(after) - set(before) == made
    assert set(story.rig.preview()) == {"same"}, story.planned()


def test_the_databases_metrics_arrive_with_its_name(story: Story, added: Added) -> None:
    query = 'pg_up{job="postgres",host="hub",database="main"} == 1'
    eventually("pg_up of the database", lambda: story.metrics(query), 60)
    stats = story.metrics('pg_stat_database_numbackends{database="main",datname="shop"}')
    assert len(stats) == 1, f"no statistics of the database `shop`: {stats}"
    assert float(stats[0]["value"][1]) >= 1, "the exporter itself is connected"


def test_the_apps_counter_arrives_under_its_job_every_ten_seconds(story: Story, added: Added) -> None:
    api = story.rig.container("api")
    for _ in range(3):
        docker("exec", api, "wget", "-q", "-O", "-", "--post-data=", "http://localhost:8000/orders/book")
    query = 'shop_orders_total{env="test",host="hub",job="shop",kind="book"} == 3'
    eventually("the app's counter", lambda: story.metrics(query), 60)

    def steps() -> list[float]:
        stamps = story.stamps('up{job="shop",host="hub"}', "2m")
        found = [later - earlier for earlier, later in zip(stamps, stamps[1:], strict=False)]
        return found if len(found) >= 2 and all(9.5 < step < 10.5 for step in found) else []

    eventually("three samples of the app 10 s apart", steps, 60)


def test_no_secret_is_in_a_command_line_or_an_environment_or_in_what_the_commands_say(
    story: Story, added: Added
) -> None:
    assert added.watcher.rounds > 20, "command lines were hardly looked at"
    assert any(b"\0FILES_AGENT=" in text for text in added.watcher.environments), "the edge's command was not seen"
    seen = added.watcher.showing(_needles(story).values())
    assert not seen, f"a secret is in command lines or environments: {seen}"
    shown = story.rig.tool("pulumi", "stack", "--show-urns").stdout + story.rig.tool("pulumi", "stack", "output").stdout
    for what, needle in _needles(story).items():
        assert needle not in added.said, f"{what} is shown by preview or up"
        assert needle not in shown + story.first_up, f"{what} is shown by stack, stack output or the first up"


def test_no_secret_is_in_the_state_the_stack_file_or_the_rendered_configuration(story: Story, added: Added) -> None:
    kept = [path for path in story.rig.home.rglob("*") if path.is_file() and not path.name.endswith("-password")]
    files = [path for path in kept if f"{os.sep}secrets{os.sep}" not in str(path)]
    assert any(path.suffix == ".json" and "backend" in path.parts for path in files), "the state was not looked at"
    assert any(path.name == "prometheus.yml" for path in files), "the configurations were not looked at"
    for what, needle in _needles(story).items():
        found = [path.name for path in files if needle.encode() in path.read_bytes()]
        assert not found, f"{what} is in {found}"
        named = [path.name for path in kept if needle in str(path)]
        assert not named, f"{what} is in a file's name"
    assert (story.rig.home / "state").stat().st_mode & 0o077 == 0, "others may look into the state"
    assert story.files.stat().st_mode & 0o077 == 0, "others may look into the deployed files"


def test_no_secret_is_in_dockers_view_of_our_containers_or_in_their_logs(story: Story, added: Added) -> None:
    names = story.our_containers()
    assert len(names) == 9 + len(MADE), f"unexpected containers: {names}"
    text = docker("inspect", *names)
    for name in names:
        done = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True)
        text += done.stdout + done.stderr
    for what, needle in _needles(story).items():
        assert needle not in text, f"{what} is in docker inspect or a log"
