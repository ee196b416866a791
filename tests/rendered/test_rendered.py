"""What every stack file renders, put before the tool of the component that will read it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from configs import names, rules
from configs.services import agent, alertmanager, alloy, caddy, loki, prometheus, promtail, vmagent
from configs.services.alertmanager import templates
from configs.services.caddy import caddyfile, entry
from configs.services.spec import Late
from configs.settings import Settings, load
from tests.fixtures import rendering
from tests.fixtures.fleets import cluster
from tests.fixtures.full import small
from tests.fixtures.programs import Tool

HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
GATEWAY = "10.213.77.1"


def _write(folder: Path, text: str, name: str, container_folder: str) -> Path:
    """The rendered text below `folder`; its container paths, and those of the secrets, lead there too."""
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / names.PASSWORD).write_text("x\n")
    (folder / names.HUB_CA).write_text("")
    text = text.replace(names.SECRETS, str(secrets)).replace(container_folder, str(folder))
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _accepted(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"the component's own tool refuses it:\n{done.stdout}{done.stderr}"


def test_promtool_accepts_the_hubs_prometheus_and_its_rules(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    for name, text in rules.files(settings, "https://monitor.example.com").items():
        _write(tmp_path, text, f"rules/{name}", "/nowhere")
    path = _write(tmp_path, rendering.prometheus_config(settings), "prometheus.yml", prometheus.CONFIG)
    done = tool("promtool")("check", "config", path)
    _accepted(done)
    assert "rules found" in done.stdout, "promtool did not find the rule files, so it checked none"
    _accepted(tool("promtool")("check", "rules", *sorted((tmp_path / "rules").iterdir())))


def test_promtool_accepts_every_agent(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    for host in settings.hosts:
        for file in rendering.agent_files(settings, host):
            for folder in ("", "secrets/"):
                _write(tmp_path, "x\n", f"{folder}{file}", agent.CONFIG)
        text = rendering.agent_config(settings, host)
        path = _write(tmp_path, text, f"{host}.yml", agent.CONFIG)
        _accepted(tool("promtool")("check", "config", "--agent", path))


def test_vmagent_accepts_every_agent(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    """Every host's jobs, also where the Prometheus agent reads them."""
    for host in settings.hosts:
        for file in rendering.agent_files(settings, host):
            for folder in ("", "secrets/"):
                _write(tmp_path, "x\n", f"{folder}{file}", vmagent.CONFIG)
        path = _write(tmp_path, vmagent.config(rendering.context(settings, host)), f"{host}.yml", vmagent.CONFIG)
        _accepted(tool("vmagent")("-dryRun", f"-promscrape.config={path}"))


def test_amtool_accepts_the_alertmanager(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    (tmp_path / alertmanager.TEMPLATES).write_text(templates.TEMPLATES)
    path = _write(tmp_path, alertmanager.config(settings), "alertmanager.yml", alertmanager.CONFIG)
    done = tool("amtool")("check-config", path)
    _accepted(done)
    assert "1 templates" in done.stdout, "amtool did not find the messages' templates, so it checked none"


def test_caddy_accepts_its_file_with_the_hosts_that_may_push(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    for host, edge in settings.hosts.items():
        if edge.via == "internet":
            _write(tmp_path, caddy.users({host: HASH}), f"secrets/{caddyfile.USERS}/{host}.caddy", "/nowhere")
    path = _write(tmp_path, caddyfile.render(settings), "Caddyfile", caddy.CONFIG)
    done = tool("caddy")("validate", "--config", path, "--adapter", "caddyfile")
    _accepted(done)
    assert "Caddyfile input is not formatted" not in done.stderr, "an operator expects the form of `caddy fmt`"


def test_caddy_accepts_two_hashes_while_a_password_is_changed(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    for name in ("one", "two"):
        _write(tmp_path, caddy.users({name: HASH}), f"secrets/{caddyfile.USERS}/{name}.caddy", "/nowhere")
    path = _write(tmp_path, caddyfile.render(settings), "Caddyfile", caddy.CONFIG)
    _accepted(tool("caddy")("validate", "--config", path, "--adapter", "caddyfile"))


AUTHORITY = "{\n\tskip_install_trust\n\tpki {\n\t\tca local\n\t}\n}\n"


@pytest.mark.parametrize("domain", ["", "monitor.example.com"])
@pytest.mark.parametrize("proxies", [(), ("10.77.0.0/20", "192.0.2.7/32")])
def test_caddy_accepts_the_file_of_a_clusters_node(
    tool: Tool, tmp_path: Path, domain: str, proxies: tuple[str, ...]
) -> None:
    settings = cluster({"domain": domain} if domain else None)
    _write(tmp_path, caddy.users({"vps-1": HASH}), f"secrets/{caddyfile.USERS}/vps-1.caddy", "/nowhere")
    made = tmp_path / "xdg/caddy/pki/authorities/local"  # as authority.sh has them made
    _accepted(
        tool("caddy")("validate", "--config", _write(tmp_path, AUTHORITY, "a", "/nowhere"), "--adapter", "caddyfile")
    )
    for path, name in ((entry.ROOT, "root.crt"), (entry.KEY, "root.key")):
        _write(tmp_path, (made / name).read_text(), f"secrets/{path}", "/nowhere")
    text = caddyfile.render(settings, entry.Entry(proxies, ("b", "c")))
    done = tool("caddy")(
        "validate", "--config", _write(tmp_path, text, "Caddyfile", caddy.CONFIG), "--adapter", "caddyfile"
    )
    _accepted(done)
    assert "Caddyfile input is not formatted" not in done.stderr


def test_loki_accepts_its_configuration(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    path = _write(tmp_path, loki.config(settings).replace(f"{loki.DATA}", str(tmp_path)), "loki.yml", "/nowhere")
    _accepted(tool("loki")(f"-config.file={path}", "-verify-config=true"))


def test_loki_accepts_its_configuration_on_each_node(tool: Tool, tmp_path: Path) -> None:
    settings = cluster()
    for host in settings.hub.nodes:
        (spec,) = loki.specs(rendering.context(settings, host))
        text = spec.files["loki.yml"].render(Late(private="10.77.0.2"))
        path = _write(tmp_path, text.replace(f"{loki.DATA}", str(tmp_path)), "loki.yml", "/nowhere")
        _accepted(tool("loki")(f"-config.file={path}", "-verify-config=true"))


def test_promtail_accepts_every_host(settings: Settings, tool: Tool, tmp_path: Path) -> None:
    for host in settings.hosts:
        path = _write(tmp_path, rendering.promtail_config(settings, host), promtail.FILE, promtail.CONFIG)
        _accepted(tool("promtail")(f"-config.file={path}", "-check-syntax"))


@pytest.mark.parametrize("budget", ["24h", "7d", "90m"])
def test_log_agents_accept_the_journal_at_every_budget(tool: Tool, tmp_path: Path, budget: str) -> None:
    settings = load(small(hub={"local": {}, "outage_budget": budget}, hosts={"hub": {"logs": {"journal": True}}}), "x")
    path = _write(tmp_path, rendering.promtail_config(settings, "hub"), promtail.FILE, promtail.CONFIG)
    _accepted(tool("promtail")(f"-config.file={path}", "-check-syntax"))
    path = _write(tmp_path, rendering.alloy_config(settings, "hub"), alloy.FILE, alloy.CONFIG)
    _accepted(tool("alloy-syntax")(path))


def test_log_agents_refuse_a_journal_age_in_days(tool: Tool, tmp_path: Path) -> None:
    settings = load(small(hosts={"hub": {"logs": {"journal": True}}}), "x")
    text = rendering.promtail_config(settings, "hub").replace("max_age: 24h", "max_age: 1d")
    path = _write(tmp_path, text, promtail.FILE, promtail.CONFIG)
    done = tool("promtail")(f"-config.file={path}", "-check-syntax")
    assert (done.returncode, 'unknown unit "d"' in done.stderr) == (1, True), done.stdout + done.stderr
    text = re.sub(r'(max_age\s+= )"24h"', r'\1"1d"', rendering.alloy_config(settings, "hub"))
    done = tool("alloy-syntax")(_write(tmp_path, text, alloy.FILE, alloy.CONFIG))
    assert (done.returncode, 'unknown unit "d"' in done.stderr) == (1, True), done.stdout + done.stderr


def test_alloys_parser_reads_every_host_which_checks_syntax_and_durations(
    settings: Settings, tool: Tool, tmp_path: Path
) -> None:
    for host in settings.hosts:
        path = _write(tmp_path, rendering.alloy_config(settings, host), alloy.FILE, alloy.CONFIG)
        _accepted(tool("alloy-syntax")(path))


def test_the_tools_refuse_what_is_wrong(tool: Tool, tmp_path: Path) -> None:
    """Without this, a tool that takes everything would pass every test above."""
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense: [1\n")
    calls = {
        "promtool": ("check", "config", wrong),
        "amtool": ("check-config", wrong),
        "caddy": ("validate", "--config", wrong, "--adapter", "caddyfile"),
        "loki": (f"-config.file={wrong}", "-verify-config=true"),
        "promtail": (f"-config.file={wrong}", "-check-syntax"),
        "alloy-syntax": (wrong,),
    }
    for name, words in calls.items():
        assert tool(name)(*words).returncode != 0, f"{name} takes a broken file, so its yes means nothing"
