"""nginx and memcached become containers without secrets; RabbitMQ is a scrape job without a container."""

from __future__ import annotations

from typing import Any

import yaml

from configs import dashboards, disk, rules, services
from configs.rules.model import expression
from configs.services import agent
from configs.services.spec import ServiceSpec
from configs.settings import Settings, load
from configs.validation import check_file
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, full, small


def _settings(**exporters: Any) -> Settings:
    return load(small(hosts={"hub": {"exporters": exporters}}), SOURCE)


def _spec(settings: Settings, role: str) -> ServiceSpec:
    (found,) = [one for one in services.specs(settings, "hub") if one.role == role]
    return found


def _jobs(settings: Settings) -> dict[str, Any]:
    config = yaml.safe_load(agent.config(rendering.context(settings, "hub")))
    return {job["job_name"]: job for job in config["scrape_configs"]}


def test_nginx_exporter_verifies_certificates_unless_it_may_accept_any() -> None:
    made = _settings(web={"nginx": "https://web/s"}, old={"nginx": "https://old/s", "insecure": True})
    assert _spec(made, "nginx-web").command == (
        "--nginx.scrape-uri=https://web/s", "--nginx.timeout=1.5s", "--nginx.ssl-verify", "--web.listen-address=:9113"
    )  # fmt: skip
    assert "--nginx.ssl-verify" not in _spec(made, "nginx-old").command


def test_nginx_exporter_is_checked_by_the_only_program_of_its_image() -> None:
    assert _spec(_settings(web={"nginx": "http://web/s"}), "nginx-web").health.argv == (
        "/usr/bin/nginx-prometheus-exporter", "--version"
    )  # fmt: skip


def test_a_certificate_is_accepted_of_an_https_page_alone() -> None:
    def problems(**one: Any) -> list[str]:
        return check_file(small(hosts={"hub": {"exporters": {"web": one}}}), SOURCE)[1]

    assert problems(nginx="https://web/s", insecure=True) == []
    (found,) = problems(nginx="http://web/s", insecure=True)
    assert "insecure: expected false without an https:// URL" in found


def test_a_server_with_the_name_of_its_exporters_container_is_refused() -> None:
    """Docker would resolve it to the exporter itself."""
    one = {"cache": {"memcached": "memcached-cache"}}
    (found,) = check_file(small(hosts={"hub": {"exporters": one}}), SOURCE)[1]
    assert found.startswith("hosts.hub.exporters.cache.memcached: `memcached-cache` is also a container of fleetwatch")


def test_memcached_exporter_has_the_address_and_answers_the_agent_alone() -> None:
    spec = _spec(_settings(sessions={"memcached": "sessions"}), "memcached-sessions")
    assert spec.command == (
        "--memcached.address=sessions:11211",
        "--web.listen-address=:9150",
        "--web.config.file=/run/secrets/fleetwatch/web.yml",
    ), "its page `/scrape` connects to any address that a request names"
    assert set(spec.secrets) == {"web.yml"}
    assert not spec.environment


def test_rabbitmq_is_one_job_with_a_target_for_each_server() -> None:
    made = _settings(queue={"rabbitmq": "queue"}, events={"rabbitmq": "events:9999"})
    job = _jobs(made)["rabbitmq"]
    assert job["scrape_interval"] == "15s"
    assert "metrics_path" not in job, "/metrics, which has sums over all queues"
    assert [(group["targets"], group["labels"]["server"]) for group in job["static_configs"]] == [
        (["events:9999"], "events"), (["queue:15692"], "queue")
    ]  # fmt: skip


def test_rabbitmq_has_no_container() -> None:
    plain, made = _settings(), _settings(queue={"rabbitmq": "queue"})
    assert services.roles(made, "hub") == services.roles(plain, "hub")
    assert services.used_images(made) == services.used_images(plain)


def test_every_list_of_jobs_has_rabbitmq() -> None:
    made = _settings(queue={"rabbitmq": "queue"})
    assert services.scrape_jobs(made, "hub")["rabbitmq"] == 15
    assert "rabbitmq" in services.RESERVED_JOBS
    assert disk.samples_per_second(made) > disk.samples_per_second(_settings())
    assert dashboards.intervals.job_intervals(made)["rabbitmq"] == 15


def test_an_app_cannot_take_the_name_of_its_job() -> None:
    taken = small(hosts={"hub": {"apps": {"rabbitmq": {"target": "x:1"}}}})
    (found,) = check_file(taken, SOURCE)[1]
    assert "reserved job names: `rabbitmq`" in found


def test_an_update_only_warns_of_servers_and_apps_of_the_user() -> None:
    assert services.users_jobs(full(), "hub") == {*full().edges["hub"].apps, "rabbitmq"}
    assert services.users_jobs(_settings(web={"nginx": "http://web/s"}), "hub") == set(), "the exporter itself is ours"


def test_a_rabbitmq_that_is_down_is_one_alert() -> None:
    def target_down(settings: Settings) -> str:
        (alert,) = [one for one in rules.alerts(settings) if one.name == "TargetDown"]
        return expression(settings, alert)

    assert "rabbitmq" in target_down(_settings(queue={"rabbitmq": "queue"}))
    assert "rabbitmq" not in target_down(_settings())
