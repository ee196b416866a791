"""The story, third part, servers with an exporter and probes: real servers of Debian, Debian's exporters."""

from __future__ import annotations

import pytest

from tests.integration import servers
from tests.integration.rig import docker, eventually
from tests.integration.servers import CERTIFICATE
from tests.integration.story import Story

pytestmark = pytest.mark.xdist_group("story")


@pytest.mark.parametrize(
    ("query", "server"),
    [
        ('redis_up{server="cache"} == 1', "cache"),
        ('redis_up{server="jobs"} == 1', "jobs"),
        ("redis_memory_max_bytes == 64 * 1024 * 1024", "cache"),
        ("mysql_up == 1", "orders"),
        ("mysql_global_variables_max_connections > 0", "orders"),
        ("nginx_up == 1", "web"),
        ("nginx_connections_accepted > 0", "web"),
        ("memcached_up == 1", "sessions"),
        ("rabbitmq_alarms_memory_used_watermark == 0", "queue"),
        ("up{job='rabbitmq'} == 1", "queue"),
    ],
)
def test_a_servers_metrics_arrive_with_its_name(story: Story, query: str, server: str) -> None:
    (found,) = eventually(query, lambda: story.metrics(query), 60)
    assert found["metric"].get("server") == server, found


def test_probes_say_what_answers(story: Story) -> None:
    eventually("all probes", lambda: len(story.metrics("probe_success")) == 7)
    found = story.metrics("probe_success")
    assert {one["metric"]["probe"]: one["value"][1] for one in found} == dict.fromkeys(
        ("api", "database", "host", "cache", "page", "certificate", "names"), "1"
    )


def test_days_of_a_certificate_are_those_of_the_server(story: Story) -> None:
    found = story.metrics("(probe_ssl_earliest_cert_expiry - time()) / 86400")
    assert {one["metric"]["probe"] for one in found} == {"page", "certificate"}, found
    for one in found:
        assert CERTIFICATE - 1 < float(one["value"][1]) <= CERTIFICATE, one


def test_a_server_that_stops_is_named_by_its_alert(story: Story) -> None:
    """The exporter goes on without its server."""
    name = story.rig.container("redis")
    docker("stop", "-t", "1", name)
    try:
        pending = 'ALERTS{alertname="RedisDown",server="cache",host="hub"}'
        eventually("the alert", lambda: story.metrics(pending), 90)
        assert not story.metrics('ALERTS{alertname=~"MysqlDown|NginxDown|RabbitmqDown|MemcachedDown"}')
        eventually("the probe's alert", lambda: story.metrics('ALERTS{alertname="ProbeFails",probe="cache"}'), 90)
    finally:
        docker("start", name)
    eventually("Redis to be up", lambda: story.metrics('redis_up{server="cache"} == 1'), 60)


def test_no_password_is_where_docker_shows_it(story: Story) -> None:
    names = [story.rig.container(role) for role in ("redis-cache", "mysql-orders")]
    text = docker("inspect", *names) + (story.project / "compose.yaml").read_text()
    assert "shop-redis:6379" in text
    for key, value in servers.secrets(story).items():
        assert value[:20] not in text, key
