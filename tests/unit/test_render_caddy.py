"""Caddy and Grafana, rendered: who has access, and with which role. And how a script reaches a host."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess

import pytest
import yaml

from configs.deploy import bundle, on_stdin, script
from configs.services import grafana, grafana_files
from configs.services.caddy import caddyfile
from configs.settings import Settings, load
from configs.settings.grafana import Roles
from tests.fixtures.full import SECRETS, SOURCE, full, small
from tests.fixtures.hubs import public
from tests.fixtures.stackfiles import CASES


def _sites(settings: Settings) -> dict[str, str]:
    """Address -> block."""
    text = caddyfile.render(settings)
    return dict(re.findall(r"^(http[^\n]*) \{\n(.*?)^\}\n", text, re.DOTALL | re.MULTILINE))


def _ini(settings: Settings) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(grafana.ini(settings))
    return parser


@pytest.mark.parametrize("case", CASES)
def test_equal_settings_give_equal_bytes(case: str) -> None:
    def render(settings: Settings) -> list[str]:
        return [caddyfile.render(settings), grafana.ini(settings), grafana_files.data_sources(settings)]

    assert render(CASES[case]()) == render(CASES[case]())


def test_the_public_door_is_tls_1_3_with_a_password_for_pushing() -> None:
    (block,) = [block for address, block in _sites(full()).items() if address.startswith("https://")]
    assert "protocols tls1.3" in block
    assert "tls internal" in block, "the local stack has a CA of its own"
    for path in ("/api/v1/write", "/loki/api/v1/push"):
        route = block.split(f"route {path} {{")[1].split("\n\t\t}\n")[0]
        assert "basic_auth bcrypt" in route, f"{path} would be open to everybody"
        assert "max_size" in route
        assert route.index("basic_auth") < route.index("log_skip"), "what is refused must be in the log"
        assert "respond @other 405" in route


def test_a_public_domain_gets_a_certificate_by_acme() -> None:
    assert "tls internal" not in caddyfile.render(public())
    assert "https://monitor.example.com:443 {" in caddyfile.render(public())


def test_http_only_redirects_to_the_published_port() -> None:
    assert "redir https://fleetwatch.localhost:8443{uri} 308" in caddyfile.render(full())
    assert "redir https://monitor.example.com{uri} 308" in caddyfile.render(public())


def test_the_private_door_only_pushes_and_the_reading_one_never() -> None:
    sites = _sites(full())
    push, query = sites["http://:8080"], sites["http://127.0.0.1:9080, http://localhost:9080"]
    assert sites["http://:9080"].strip() == "respond 404", "a page in a browser must not reach it by a name of its own"
    assert "respond 404" in push
    assert "grafana" not in push
    assert query == sites["http://fleetwatch-caddy:9081"] == "\timport reading\n", "as Grafana's data sources"


def test_grafana_lets_nobody_in_by_itself() -> None:
    ini = _ini(full())
    assert ini["users"]["allow_sign_up"] == "false"
    assert ini["auth.anonymous"]["enabled"] == "false"
    assert ini["security"]["admin_password"] == "$__file{/run/secrets/fleetwatch/admin-password}"
    assert ini["server"]["root_url"] == "https://fleetwatch.localhost:8443/"
    assert ini["auth.anonymous"]["hide_version"] == "true", "a stranger would see which flaws it has"
    assert ini["server"]["router_logging"] == "true", "the log agent makes the audit log of these lines"
    assert not [secret for secret in SECRETS.values() if secret in grafana.ini(full())]


def test_every_way_to_sign_in_reads_its_secret_from_a_file() -> None:
    ini = _ini(full())
    files = grafana.secrets(full())
    assert sorted(files) == ["github-client-secret", "google-client-secret", "oidc-client-secret"]
    for section, way in (("auth.google", "google"), ("auth.github", "github"), ("auth.generic_oauth", "oidc")):
        assert ini[section]["client_secret"] == f"$__file{{/run/secrets/fleetwatch/{way}-client-secret}}"
    assert ini["auth.google"]["allowed_domains"] == "example.com"
    assert ini["auth.github"]["allowed_organizations"] == "acme"
    assert ini["auth.generic_oauth"]["role_attribute_strict"] == "true", "`otherwise: None` lets nobody else in"
    plain = _ini(load(small(), SOURCE))
    assert not [name for name in plain.sections() if name.startswith("auth.") and name != "auth.anonymous"]


def test_roles_become_a_jmespath() -> None:
    roles = Roles(admin=["ops", "o'brien"], editor=["dev"])
    assert grafana.role_path(roles) == (
        "contains(groups[*], 'ops') && 'Admin' || contains(groups[*], 'o\\'brien') && 'Admin' || "
        "contains(groups[*], 'dev') && 'Editor' || 'Viewer'"
    )
    by_mail = Roles(claim="email", admin=["a@example.com"], otherwise="None")
    assert grafana.role_path(by_mail) == "email == 'a@example.com' && 'Admin' || 'None'"


def test_data_sources_are_read_only_and_reach_the_hub_by_its_full_names() -> None:
    sources = {one["uid"]: one for one in yaml.safe_load(grafana_files.data_sources(full()))["datasources"]}
    assert {uid: one["url"] for uid, one in sources.items()} == {
        "prometheus": "http://fleetwatch-caddy:9081",
        "loki": "http://fleetwatch-caddy:9081",
        "alertmanager": "http://fleetwatch-caddy:9081/alertmanager",
    }
    assert not any(one["editable"] for one in sources.values())
    assert (
        yaml.safe_load(grafana_files.dashboard_provider("/etc/grafana/dashboards"))["providers"][0]["allowUiUpdates"]
        is False
    )


def test_a_script_travels_on_stdin_with_its_parameters() -> None:
    text = "odd=" + shlex.quote("a'b $(id) \u00e9") + '\nread -r line\nprintf "%s|%s" "$odd" "$line"\n'
    assert len(on_stdin(text)) < 100, "the engine shows a failed command whole"
    assert re.fullmatch(r"exec sh -c '[^'\\!\n]*'", on_stdin(text)), "a login shell reads it, which may be fish or tcsh"
    done = subprocess.run(
        ["/bin/sh", "-c", on_stdin(text)], input=text + "input\n", capture_output=True, text=True, check=True
    )
    assert done.stdout == "a'b $(id) \u00e9|input", (
        "nothing of the input is lost to the script, nor the other way round"
    )


def test_parameters_are_quoted_and_in_one_order() -> None:
    text = script("ready", B="2", A="it's; rm -rf /")
    assert text.startswith("A='it'\"'\"'s; rm -rf /'\nB=2\n")


def test_a_bundle_is_sorted_and_ends() -> None:
    assert bundle({"b": "2\n\n", "a": "1"}) == "==> a <==\n1\n==> b <==\n2\n==> . <==\n"
