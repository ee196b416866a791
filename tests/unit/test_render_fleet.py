"""A hub that is not this machine, rendered: its certificate, who may look, and how edges know it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs import names, rules, services
from configs.render import push_auth
from configs.services import agent, alertmanager, alloy, grafana, promtail
from configs.services.caddy import caddyfile
from configs.services.context import passwords
from configs.settings import Settings
from tests.fixtures import rendering
from tests.fixtures.hubs import own, public, staging


def _sites(settings: Settings) -> dict[str, str]:
    """Address -> block."""
    return dict(re.findall(r"^(http[^\n]*) \{\n(.*?)^\}\n", caddyfile.render(settings), re.DOTALL | re.MULTILINE))


def _globals(settings: Settings) -> str:
    return caddyfile.render(settings).split("\n}\n")[0]


def _https(settings: Settings) -> tuple[str, str]:
    (found,) = [(address, block) for address, block in _sites(settings).items() if address.startswith("https://")]
    return found


def _trusts(settings: Settings, host: str) -> list[dict[str, Any]]:
    """The `tls_config` of agent, Promtail and Alloy; {} where there is none."""
    (write,) = yaml.safe_load(rendering.agent_config(settings, host))["remote_write"]
    (client,) = yaml.safe_load(rendering.promtail_config(settings, host))["clients"]
    block = re.search(r"\t\ttls_config \{\n(.*?)\t\t\}\n", rendering.alloy_config(settings, host), re.DOTALL)
    text = dict(re.findall(r'\t\t\t(\w+) += "(.*)"\n', block[1])) if block else {}
    return [write.get("tls_config", {}), client.get("tls_config", {}), text]


def test_without_a_domain_one_certificate_answers_to_every_name_and_address() -> None:
    address, block = _https(own())
    assert address == f"https://{names.NO_DOMAIN}:443, https://:443"
    assert "tls internal" in block
    assert f"\tdefault_sni {names.NO_DOMAIN}\n" in _globals(own()), "who comes by an address sends no name"
    assert "acme" not in caddyfile.render(own())


def test_a_public_domain_is_certified_by_acme_for_whom_and_where_the_settings_say() -> None:
    address, block = _https(public())
    assert address == "https://monitor.example.com:443"
    assert "tls internal" not in block
    assert "\temail ops@example.com\n" in _globals(public())
    assert "acme_ca" not in _globals(public())
    assert f"\tacme_ca {caddyfile.ACME_STAGING}\n" in _globals(staging())
    assert "email" not in _globals(staging())
    assert "default_sni" not in _globals(public())


def test_redirects_lead_to_where_the_client_already_is_or_to_the_domain() -> None:
    assert "redir https://{host}{uri} 308" in _sites(own())["http://:80"]
    assert "redir https://monitor.example.com{uri} 308" in _sites(public())["http://:80"]


@pytest.mark.parametrize("settings", [own(), public()], ids=["own CA", "domain"])
def test_nothing_is_taken_without_tls_from_the_internet(settings: Settings) -> None:
    block = _sites(settings)["http://:80"]
    assert [line.split()[0] for line in block.splitlines()] == ["log", "redir"], "a push would be in the clear"


def test_the_allow_list_guards_grafana_alone() -> None:
    block = _https(public(access=["192.0.2.0/24", "10.1.0.0/16", "2001:db8::/32"]))[1]
    (guard,) = re.findall(r"@outside not remote_ip (.*)", block)
    assert guard == "10.1.0.0/16 192.0.2.0/24 2001:db8::/32", "sorted: the same list is no change"
    handle = block[block.index("handle {") :]
    assert handle.index("respond @outside") < handle.index("reverse_proxy")
    assert "@outside" not in block[: block.index("handle {")], "edges push from anywhere"
    text = caddyfile.render(public(access=["192.0.2.0/24"]))
    assert text.count("@outside") == 2, "nor does it guard redirects, challenges or the private doors"
    assert "trusted_proxies" not in text, "a header could then say where a person comes from"
    assert "@outside" not in caddyfile.render(public()), "without a list there is no limit"


@pytest.mark.parametrize("host", ["web-1", "vps-1"])
def test_edges_push_to_a_name_also_where_no_dns_record_has_it(host: str) -> None:
    """With an address in it, a hub that gets another one would cost what the agents have queued."""
    context = rendering.context(own(), host)
    assert context.push_url.startswith(("http://" if host == "web-1" else "https://") + names.NO_DOMAIN)
    assert context.hub_by_address
    assert all(f"{context.project}/hosts" in spec.binds for spec in services.edge_specs(context) if spec.pushes)


def test_an_edge_on_the_internet_looks_a_domain_up_by_itself() -> None:
    context = rendering.context(public(), "vps-1")
    assert context.push_url == "https://monitor.example.com"
    assert not context.hub_by_address


def test_edges_trust_the_hubs_own_ca_when_it_has_no_domain() -> None:
    assert _trusts(own(), "vps-1") == [
        {"ca_file": f"{module.CONFIG}/{names.HUB_CA}", "min_version": "TLS13"} for module in (agent, promtail, alloy)
    ]


def test_edges_trust_the_systems_cas_when_the_hub_has_a_domain() -> None:
    assert _trusts(public(), "vps-1") == [{"min_version": "TLS13"}] * 3, "no file of a CA is deployed then"
    assert _trusts(public(), "web-1") == [{}] * 3, "inside the VPC there is no TLS"


def test_a_rotated_password_is_another_users_in_another_file() -> None:
    settings = own(rotation=2)
    login = {"username": "vps-1.2", "password_file": "/run/secrets/fleetwatch/password-2"}
    metrics = yaml.safe_load(rendering.agent_config(settings, "vps-1"))
    assert metrics["remote_write"][0]["basic_auth"] == login
    (node,) = [job for job in metrics["scrape_configs"] if job["job_name"] == "node"]
    assert node["basic_auth"] == {
        "username": "agent",
        "password_file": "/run/secrets/fleetwatch/scrape-password",
    }, "each scrape sends it in clear"
    assert yaml.safe_load(rendering.promtail_config(settings, "vps-1"))["clients"][0]["basic_auth"] == login
    text = rendering.alloy_config(settings, "vps-1")
    assert all(f'{key.ljust(13)} = "{value}"' in text for key, value in login.items())


@pytest.mark.parametrize("host", ["web-1", "vps-1"])
def test_no_scrape_sends_the_push_password(host: str) -> None:
    metrics = yaml.safe_load(rendering.agent_config(own(rotation=1), host))
    sent = [job["basic_auth"] for job in metrics["scrape_configs"] if "basic_auth" in job]
    assert sent == [push_auth.scrape_auth()]
    push = set(passwords(rendering.context(own(rotation=1), host)))
    assert push == ({"password", "password-1"} if host == "vps-1" else set()), "a private push has no password"
    assert not {Path(one["password_file"]).name for one in sent} & push


def test_grafana_ties_nobody_to_a_name_that_does_not_resolve() -> None:
    ini = grafana.ini(own())
    assert names.NO_DOMAIN not in ini
    assert "root_url" not in ini
    assert "domain" not in ini
    assert "cookie_secure = true" in ini
    assert "strict_transport_security = false" in ini
    assert "root_url = https://monitor.example.com/\n" in grafana.ini(public())
    assert "strict_transport_security = true" in grafana.ini(public())


@pytest.mark.parametrize("settings", [own(), public()], ids=["own CA", "domain"])
def test_alertmanagers_links_lead_to_the_reading_side(settings: Settings) -> None:
    assert "--web.external-url=http://localhost:9080/alertmanager" in alertmanager.command(settings)


def test_nobody_is_alarmed_by_the_silence_of_an_abandoned_host() -> None:
    def watched(settings: Settings) -> set[str]:
        (group,) = yaml.safe_load(rules.files(settings, "https://monitor.example.com")["pipeline.yml"])["groups"]
        return {rule["labels"]["host"] for rule in group["rules"] if rule["alert"] == "HostSilent"}

    hosts = own().hosts
    given_up = {**hosts, "vps-1": hosts["vps-1"].model_copy(update={"abandoned": True})}
    assert watched(own()) == {"hub", "web-1", "vps-1"}
    assert watched(replace(own(), hosts=given_up)) == {"hub", "web-1"}
