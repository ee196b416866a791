"""The log side, rendered: Promtail and Alloy say the same, and Loki takes what they send."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from configs.render import loglines
from configs.services import alloy, loki
from configs.settings import Settings, load
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, full, full_with_alloy, small
from tests.fixtures.stackfiles import CASES


def _promtail(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(rendering.promtail_config(settings, "hub"))
    return found


def _loki(**hub: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(loki.config(load(small(hub={"local": {}, **hub}), SOURCE)))
    return found


def _logs(**logs: Any) -> Settings:
    return load(small(hosts={"hub": {"logs": logs}}), SOURCE)


# What distinguishes a stage, as both agents call it.
MARKS = ("expression", "selector", "template", "replace")


def _stages(stages: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """(kind, what distinguishes it) of each stage and of those inside it, for Promtail."""
    found: list[tuple[Any, ...]] = []
    for stage in stages:
        ((kind, body),) = stage.items()
        found.append((kind, *(body.get(mark, "") for mark in MARKS)))
        found += _stages(body.get("stages", []))
    return found


def _alloy_stages(text: str, label: str) -> list[tuple[Any, ...]]:
    """The same, for Alloy."""
    block = text.split(f'loki.process "{label}"', 1)[1].split("\n}\n", 1)[0]
    _, *parts = re.split(r"^\t+stage\.(\w+) \{$", block, flags=re.MULTILINE)
    found = []
    for kind, body in zip(parts[::2], parts[1::2], strict=True):
        values = {key: json.loads(text) for key, text in re.findall(r"^\t+(\w+)\s+= (\".*\")$", body, re.MULTILINE)}
        found.append((kind, *(values.get(mark, "") for mark in MARKS)))
    return found


def _without_joining(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [stage for stage in stages if "multiline" not in str(stage)]


@pytest.mark.parametrize("case", CASES)
def test_equal_settings_give_equal_bytes(case: str) -> None:
    def render(settings: Settings) -> list[str]:
        return [
            loki.config(settings),
            *(rendering.promtail_config(settings, host) for host in settings.hosts),
            *(rendering.alloy_config(settings, host) for host in settings.hosts),
        ]

    assert render(CASES[case]()) == render(CASES[case]())


def test_batches_are_retried_for_ever() -> None:
    (client,) = _promtail(full())["clients"]
    assert client["backoff_config"]["max_retries"] == 0, "0 is without an end: Docker's files are the buffer"
    assert re.search(r"max_backoff_retries\s+= 0", rendering.alloy_config(full_with_alloy(), "hub"))


def test_alloy_needs_no_experimental_setting() -> None:
    (spec,) = alloy.specs(rendering.context(full_with_alloy()))
    assert not [word for word in spec.command if "stability" in word]
    assert spec.entrypoint[-1] == "/bin/alloy"


def test_the_password_is_a_file_and_tls_is_1_3() -> None:
    (client,) = _promtail(full())["clients"]
    assert client["basic_auth"] == {"username": "hub", "password_file": "/run/secrets/fleetwatch/password"}
    assert client["tls_config"]["min_version"] == "TLS13"
    text = rendering.alloy_config(full_with_alloy(), "hub")
    assert 'password_file = "/run/secrets/fleetwatch/password"' in text
    assert 'min_version = "TLS13"' in text
    private = rendering.alloy_config(full(), "web-1")
    assert "basic_auth" not in private


def test_promtail_and_alloy_have_the_same_stages() -> None:
    text = rendering.alloy_config(full_with_alloy(), "hub")
    jobs = {job["job_name"]: job for job in _promtail(full())["scrape_configs"]}
    assert _without_joining(jobs.pop("docker-stopped")["pipeline_stages"][1:]) == _without_joining(
        jobs["docker"]["pipeline_stages"]
    )
    labels = {"docker": "containers", "file-audit": "file_audit", "file-nginx": "file_nginx", "journal": "journal"}
    assert set(jobs) == set(labels)
    for job, label in labels.items():
        of_alloy = _alloy_stages(text, label)
        if label == "containers":
            assert of_alloy.pop(0)[0] == "drop", "Alloy reads stopped containers in the same pipeline"
        assert _stages(jobs[job]["pipeline_stages"]) == of_alloy, f"{job}: changing the agent would change the logs"


def test_promtail_and_alloy_set_the_same_labels() -> None:
    text = rendering.alloy_config(full_with_alloy(), "hub")
    config = _promtail(full())
    docker, _, audit, nginx, journal = config["scrape_configs"]
    block = text.split('discovery.relabel "containers"')[1].split("\n}\n")[0]
    targets = [rule["target_label"] for rule in docker["relabel_configs"] if "target_label" in rule]
    assert re.findall(r'target_label\s+= "(\w+)"', block) == targets
    assert set(targets) == {"container", "compose_project", "compose_service", "image", "stream", "job"}
    assert config["clients"][0]["external_labels"] == {"env": "full", "host": "hub"}
    assert re.search(r'env\s+= "full",\n\s+host = "hub"', text)
    for source in (audit, nginx):
        for key, value in source["static_configs"][0]["labels"].items():
            assert f'{key} = "{value}"' in text, "a file's own labels"
    assert journal["journal"]["labels"] == {"job": "journal"}


def test_what_has_many_values_is_no_label() -> None:
    for job in _promtail(full())["scrape_configs"]:
        assert job["pipeline_stages"][-1] == {
            "structured_metadata": dict.fromkeys(("level", "stream", "filename", "unit", "image"))
        }
        assert not [stage for stage in job["pipeline_stages"] if "labels" in stage], "each value would be a stream"


def test_a_log_source_has_its_own_job_and_labels() -> None:
    _, _, audit, nginx, _ = _promtail(full())["scrape_configs"]
    assert audit["static_configs"][0]["labels"]["job"] == "audit"
    assert nginx["static_configs"][0]["labels"] == {
        "job": "nginx", "log_source": "nginx", "__path__": "/var/log/nginx/*.log",
        "__path_exclude__": nginx["static_configs"][0]["labels"]["__path_exclude__"],
    }  # fmt: skip
    (json_stage, *_) = audit["pipeline_stages"][0]["match"]["stages"]
    found = json_stage["json"]["expressions"]["found"]
    assert found.startswith('["severity", '), "the user's key comes first"
    assert ", level, lvl, " in found


def test_containers_are_limited_by_project_but_ours_always_come() -> None:
    rule = _promtail(full())["scrape_configs"][0]["relabel_configs"][0]
    assert rule["action"] == "keep"
    keep = re.compile(f"^(?:{rule['regex']})$")
    assert keep.match("shop;")
    assert keep.match("blog;")
    assert keep.match(";fleetwatch"), "the hub's containers"
    assert keep.match("fleetwatch;fleetwatch"), "an edge always ships its own logs, or a quiet host would look dead"
    assert not keep.match("other;")
    assert not keep.match(";")
    assert not keep.match(";another-stack")
    assert not keep.match("another-stack;another-stack")
    everything = _promtail(_logs())["scrape_configs"][0]["relabel_configs"]
    assert all(rule.get("action") != "keep" for rule in everything)


def test_kept_and_dropped_lines() -> None:
    found = loglines.drops(full().edges["hub"])
    assert [drop.reason for drop in found] == ["level_debug", "pattern", "level_not_kept", "pattern_not_kept"]
    by_level = {drop.reason: re.compile(drop.expression) for drop in found if drop.source == "level"}
    assert by_level["level_debug"].search("debug")
    assert not by_level["level_debug"].search("debugger"), "a level is a whole word"
    assert by_level["level_not_kept"].search("info")
    assert not by_level["level_not_kept"].search("warn")
    assert not by_level["level_not_kept"].search(""), "a line whose level nobody knows is kept"


def test_every_drop_is_counted() -> None:
    *_, filters, _ = _promtail(full())["scrape_configs"][0]["pipeline_stages"]
    assert filters["match"]["selector"] == '{job="docker"}', "no filter applies to the audit log"
    drops = [body for stage in filters["match"]["stages"] for body in stage.values()]
    assert len(drops) == 4
    assert all(body["drop_counter_reason"] for body in drops), "what is dropped is seen, by its reason"


def test_stopped_containers_are_read_too_with_the_same_labels_and_within_the_outage_budget() -> None:
    running, stopped, *_ = _promtail(full())["scrape_configs"]
    (discovery,) = stopped["docker_sd_configs"]
    assert discovery["filters"] == [{"name": "status", "values": ["exited", "dead"]}]
    assert stopped["relabel_configs"] == running["relabel_configs"]
    assert stopped["pipeline_stages"][0]["drop"]["older_than"] == "36h"
    alloy = rendering.alloy_config(full_with_alloy(), "hub")
    assert 'values = ["running", "paused", "restarting", "exited", "dead"]' in alloy
    assert re.search(r'older_than\s+= "36h"', alloy)


def test_rotated_files_and_those_that_the_user_names_are_left_out() -> None:
    settings = _logs(files={"a": {"path": "/srv/logs/*", "exclude": ["debug-*.log"], "encoding": "ISO-8859-1"}})
    job = _promtail(settings)["scrape_configs"][2]
    excluded = job["static_configs"][0]["labels"]["__path_exclude__"]
    assert excluded.startswith("/srv/logs/**/{*.gz,")
    assert excluded.endswith(",debug-*.log}")
    assert job["encoding"] == "ISO-8859-1"
    text = rendering.alloy_config(settings, "hub")
    assert f'__path_exclude__ = "{excluded}"' in text
    assert 'encoding   = "ISO-8859-1"' in text


def test_loki_keeps_and_takes_what_the_settings_say() -> None:
    config = _loki(outage_budget="36h", retention={"logs": "60d"})
    limits = config["limits_config"]
    assert limits["retention_period"] == "60d"
    assert limits["reject_old_samples_max_age"] == "60d", "a log agent's first look reads all that Docker has"
    assert limits["discover_service_name"] == [], "no label that Loki makes up"
    assert config["schema_config"]["configs"][-1]["schema"] == "v13"
    assert config["compactor"]["retention_enabled"] is True
    assert config["compactor"]["delete_request_store"], "without it a Loki with retention does not start"


def test_lokis_limits_come_from_the_settings() -> None:
    limits = _loki(loki={"ingestion_rate": "3MB", "max_streams": 77, "max_line_size": "64KB"})["limits_config"]
    assert (limits["ingestion_rate_mb"], limits["max_global_streams_per_user"]) == (3.0, 77)
    assert limits["max_line_size"] == "64KB"


def test_folders_of_log_files_are_mounted_once() -> None:
    settings = _logs(
        files={"a": {"path": "/srv/logs/*.log"}, "b": {"path": "/srv/logs/x/*.log"}, "c": {"path": "/opt/c/d.log"}}
    )
    assert loglines.folders(settings.edges["hub"]) == ["/opt/c", "/srv/logs"]
