"""Caddy's rendered file in a running Caddy: which certificate it presents, and which requests it accepts.

The CA for ACME is a second Caddy, on a network that no real one can be reached from; it tries the challenges as
any other would. The same Caddy is the upstream, in place of Grafana, Prometheus and Loki.
"""

from __future__ import annotations

import httpx
import pytest

from configs import names
from configs.services import caddy
from configs.services.caddy import caddyfile
from tests.fixtures.hubs import own, staging
from tests.integration.rig import docker, eventually
from tests.rendered.caddy_street import CHALLENGES, PUSHER, Client, Street, own_caddy

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("caddy")]
DOMAIN = "monitor.example.com"
PUSHES = ("/api/v1/write", "/loki/api/v1/push")


@pytest.fixture(scope="module")
def open_caddy(street: Street, ca: str) -> Client:
    """Without a domain; this process is on the allow-list."""
    return own_caddy(street, "open", own(access=[street.subnet]))


@pytest.fixture(scope="module")
def restricted_caddy(street: Street, ca: str) -> Client:
    """Without a domain; this process is not on the allow-list."""
    return own_caddy(street, "shut", own(access=["192.0.2.0/24"]))


def test_an_edge_that_goes_to_the_address_can_tell_that_it_is_the_hub(open_caddy: Client) -> None:
    assert open_caddy.ask("POST", PUSHES[0], names.NO_DOMAIN).status_code == 401
    taken = open_caddy.ask("POST", PUSHES[0], names.NO_DOMAIN, auth=PUSHER, content=b"x")
    assert (taken.status_code, taken.text) == (200, "prometheus")
    with pytest.raises(httpx.ConnectError):
        open_caddy.ask("GET", "/", DOMAIN)


def test_a_browser_that_goes_to_the_address_gets_the_same_certificate(open_caddy: Client) -> None:
    assert open_caddy.certified() == [names.NO_DOMAIN]
    assert open_caddy.ask("GET", "/").text == "grafana"
    assert open_caddy.ask("GET", "/", headers={"Host": names.NO_DOMAIN}).text == "grafana"


def test_http_leads_to_where_one_already_is(open_caddy: Client) -> None:
    got = open_caddy.plain("GET", "/d/hosts?from=now-1h")
    assert got.status_code == 308
    assert got.headers["location"] == f"https://{open_caddy.address}/d/hosts?from=now-1h"


@pytest.mark.parametrize("path", PUSHES)
def test_a_push_without_tls_is_sent_away_even_with_the_right_password(open_caddy: Client, path: str) -> None:
    got = open_caddy.plain("POST", path, auth=PUSHER, content=b"x" * 1000)
    assert (got.status_code, got.text) == (308, ""), "neither Prometheus nor Loki may have answered"
    assert got.headers["location"] == f"https://{open_caddy.address}{path}"


def test_the_allow_list_shuts_grafana_and_nothing_else(restricted_caddy: Client) -> None:
    refused = restricted_caddy.ask("GET", "/", names.NO_DOMAIN)
    assert refused.status_code == 403
    assert "access.cidrs" in refused.text, "a person must learn whom to ask for what"
    claims = {"X-Forwarded-For": "192.0.2.7", "X-Real-Ip": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
    assert restricted_caddy.ask("GET", "/", names.NO_DOMAIN, headers=claims).status_code == 403, "a claim is no address"
    for path, role in zip(PUSHES, ("prometheus", "loki"), strict=True):
        assert restricted_caddy.ask("POST", path, names.NO_DOMAIN).status_code == 401
        assert restricted_caddy.ask("POST", path, names.NO_DOMAIN, auth=PUSHER, content=b"x").text == role


@pytest.mark.parametrize("kind", CHALLENGES)
def test_a_domain_is_certified_by_acme_over_either_port(street: Street, ca: str, kind: str) -> None:
    """With an allow-list that lets nobody in: the CA comes from anywhere."""
    text = caddyfile.render(staging(access=["192.0.2.0/24"], email="ops@example.com"))
    assert caddyfile.ACME_STAGING in text
    there = f"https://{kind}.ca.test/acme/local/directory\n\tacme_ca_root {caddy.CONFIG}/ca.crt"
    container = street.caddy(kind, text.replace(caddyfile.ACME_STAGING, there), DOMAIN, **{"ca.crt": ca})
    try:
        client = Client(street.address(container), ca, DOMAIN)
        got = eventually(f"a certificate by {kind}", lambda: client.ask("GET", "/", DOMAIN), 60)
        assert got.status_code == 403
        assert client.ask("POST", PUSHES[0], DOMAIN, auth=PUSHER, content=b"x").text == "prometheus"
        assert client.plain("GET", "/x").headers["location"] == f"https://{DOMAIN}/x"
        assert f'"challenge_type":"{kind}"' in docker("logs", container), "the CA took another way"
    finally:
        docker("rm", "-f", "-v", container)  # the next one has its name
