"""Values that a program on a host would refuse or take for something else: they are refused before anything changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from configs.validation import check_file
from tests.fixtures.fleets import HUB, SERVER_HUB, droplet, fleet, server
from tests.fixtures.full import CERTIFICATE, SOURCE, STORAGE, small


def _hub(**keys: Any) -> dict[str, Any]:
    return small(hub={"local": {}, **keys})


def _host(**keys: Any) -> dict[str, Any]:
    return small(hosts={"hub": keys})


def _app(**keys: Any) -> dict[str, Any]:
    return _host(apps={"shop": {"target": "shop:8000", **keys}})


def _dns(target: str) -> dict[str, Any]:
    return _host(apps={"shop": {"dns": target}})


def _probe(**keys: Any) -> dict[str, Any]:
    return _host(probes={"site": keys})


def _dsn(dsn: str) -> dict[str, Any]:
    return _host(postgres={"main": {"dsn": dsn}})


def _file(path: str, **keys: Any) -> dict[str, Any]:
    return _host(logs={"files": {"a": {"path": path, **keys}}})


def _receiver(**services: Any) -> dict[str, Any]:
    return _hub(alerts={"receivers": {"team": services}})


def _mail(**keys: Any) -> dict[str, Any]:
    given = {"to": "a@example.com", "sender": "b@example.com", "smarthost": "smtp.example.com:587"}
    return _receiver(email={**given, **keys})


def _routes(*routes: dict[str, Any]) -> dict[str, Any]:
    return _hub(alerts={"receivers": {"a": {"slack": {"url": "https://h.example/x"}}}, "routes": list(routes)})


def _bucket(**s3: Any) -> dict[str, Any]:
    storage: dict[str, Any] = copy.deepcopy(STORAGE)
    storage["bucket"]["s3"] |= s3
    return _hub(storage=storage)


def _backup(endpoint: str, kind: str = "bucket") -> dict[str, Any]:
    given: dict[str, Any] = copy.deepcopy(STORAGE)
    s3 = {**given["bucket"]["s3"], "endpoint": endpoint}
    return _hub(storage={**STORAGE, "kind": kind}, backup={"to": {"s3": s3}, "password": "x"})


SHOP = "hosts.hub.apps.shop"
SITE = "hosts.hub.probes.site"
DSN = "hosts.hub.postgres.main.dsn"
LOGS = "hosts.hub.logs"
TEAM = "hub.alerts.receivers.team"
S3 = "hub.storage.bucket.s3.endpoint"
ONE_BUCKET = "hub.backup.to: this is the bucket of hub.storage"

TRAPS: dict[str, tuple[dict[str, Any], str]] = {
    # names and addresses
    "an address with a part above 255": (_app(target="256.1.1.1:80"), f"{SHOP}.target: expected host:port"),
    "an address of three parts": (_app(target="127.1:80"), f"{SHOP}.target: expected host:port"),
    "an address in hexadecimal": (_app(target="0x7f.1:80"), f"{SHOP}.target: expected host:port"),
    "an address as one number": (_app(target="2130706433:80"), f"{SHOP}.target: expected host:port"),
    "a name with an empty part": (_app(target="shop..x:80"), f"{SHOP}.target: expected host:port"),
    "a name of 254 characters": (_app(target=f"{'a.' * 127}:80"), f"{SHOP}.target: expected host:port"),
    "a label of 64 characters": (server(address=f"{'a' * 64}.example.com"), "hosts.vps-1.server.address: expected"),
    "an address for a lookup": (_dns("10.0.0.1:80"), f"{SHOP}.dns: expected a name and a port"),
    "the host for a lookup": (_dns("host.docker.internal:80"), f"{SHOP}.dns: expected a name in DNS"),
    "a URL with such an address": (_probe(http="https://256.1.1.1/"), f"{SITE}.http: expected a URL"),
    "a URL with an empty part": (_probe(http="https://x..com/"), f"{SITE}.http: expected a URL"),
    "a probe of itself": (_probe(http="http://localhost:80/"), f"{SITE}.http: expected a name or an address as seen"),
    "a probe of itself over IPv6": (_probe(http="http://[::1]/"), f"{SITE}.http: expected a name or an address as"),
    "a ping of itself": (_probe(icmp="127.0.0.1"), f"{SITE}.icmp: expected a name or an address as seen"),
    "an address as a name": (
        _probe(dns={"name": "10.0.0.1", "server": "192.0.2.1"}),
        f"{SITE}.dns.name: expected a domain name",
    ),
    "a mail server on the hub": (_mail(smarthost="localhost:25"), f"{TEAM}.email.smarthost: expected a server's name"),
    "a webhook on the hub": (
        _receiver(webhook={"url": "http://127.0.0.1:9/"}),
        f"{TEAM}.webhook.url: expected a server",
    ),
    "a domain for this network": (fleet({**HUB, "domain": "hub.home.arpa"}), "hub.domain: expected a name that others"),
    "a URL with a password": (
        _hub(alerts={"runbooks": "https://u:hunter2@wiki.example/"}),
        "hub.alerts.runbooks: expected a URL without a user and a password",
    ),
    # signs with a meaning
    "a % without digits in a path": (_app(path="/%zz"), f"{SHOP}.path: expected two hexadecimal digits after each %"),
    "a % without digits in a URL": (_probe(http="https://a/%zz"), f"{SITE}.http: expected two hexadecimal digits"),
    "a % without digits in a DSN": (_dsn("postgresql://u:hunter2%@db/shop"), f"{DSN}: expected two hexadecimal digits"),
    "a brace in a DSN": (_dsn("postgresql://u:{hunter2}@db/shop"), f"{DSN}: expected user and password in the DSN of"),
    "an umlaut in a DSN": (_dsn("postgresql://u:hünter2@db/shop"), f"{DSN}: expected user and password in the DSN of"),
    "a DSN in capitals": (_dsn("POSTGRESQL://u:hunter2@db/shop"), f"{DSN}: expected postgresql:// in lower-case"),
    "a timeout with a unit": (
        _dsn("postgresql://u@db/shop?connect_timeout=10s"),
        f"{DSN}: expected connect_timeout as a number of seconds",
    ),
    "a user with a colon": (
        _app(basic_auth={"username": "a:b", "password": "hunter2"}),
        f"{SHOP}.basic_auth.username: expected a user name without a colon",
    ),
    "a path with a colon": (_file("/var/log/a:b/*.log"), f"{LOGS}.files.a.path: expected a path without a colon"),
    "an open wildcard": (_file("/var/log/a/[a.log"), f"{LOGS}.files.a.path: expected whole wildcards"),
    "a range from high to low": (_file("/var/log/a/[z-a].log"), f"{LOGS}.files.a.path: expected whole wildcards"),
    "an open wildcard to exclude": (
        _file("/var/log/a/*.log", exclude=["[a"]),
        f"{LOGS}.files.a.exclude.0: expected whole wildcards",
    ),
    "a certificate with a hole": (
        _app(tls={"ca": CERTIFICATE.replace("MIIB", "M?IB")}),
        f"{SHOP}.tls.ca: expected base64 between the lines",
    ),
    "a short digest": (
        small(images={"grafana": f"grafana/grafana@sha256:{'a' * 40}"}),
        "images.grafana: expected a digest of 64",
    ),
    "another form of a day": (
        _hub(storage={**STORAGE, "logs_since": "20261201"}),
        "hub.storage.logs_since: expected a day in quotes",
    ),
    # everything or nothing
    "lines that are all dropped": (
        _host(logs={"drop": [{"pattern": "x*"}]}),
        f"{LOGS}.drop.0.pattern: expected a pattern that only some lines match",
    ),
    "lines that all begin an event": (
        _host(logs={"multiline": [{"container": "shop", "first_line": ".*"}]}),
        f"{LOGS}.multiline.0.first_line: expected a pattern that only some lines match",
    ),
    "metrics that are all dropped": (_app(drop=[".+"]), f"{SHOP}.drop.0: expected names of some metrics"),
    "an empty pattern": (_app(keep=[""]), f"{SHOP}.keep.0: expected at least 1 character, got an empty text"),
    "files that are compressed": (_file("/var/log/a/*.gz"), f"{LOGS}.files.a.path: expected files that are not"),
    "a histogram with its ending": (
        _app(http={"duration": "request_seconds_bucket"}),
        f"{SHOP}.http.duration: expected the name of the histogram without",
    ),
    "a label of histograms": (_app(labels={"le": "x"}), f"{SHOP}.labels: `le` is reserved"),
    "fewer labels than there are": (
        _app(labels={"team": "a"}, label_limit=5),
        f"{SHOP}.label_limit: expected at least 6 with 1 `labels`, got 5",
    ),
    "a route that gets nothing": (
        _routes({"receiver": "a", "severity": ["critical", "info"]}, {"receiver": "a", "severity": ["info"]}),
        "hub.alerts.routes.1: expected alerts that no earlier route takes, routes.0 takes all",
    ),
    "all addresses in two networks": (
        {**droplet(), "access": {"admin_cidrs": ["0.0.0.0/1", "128.0.0.0/1"]}},
        "access.admin_cidrs: expected fewer than all addresses, together these networks",
    ),
    # sizes, times and numbers
    "a number beyond 64 bits": (_app(sample_limit=10**30), f"{SHOP}.sample_limit: expected at most 1000000000"),
    "a chat beyond 64 bits": (
        _receiver(telegram={"bot_token": "x", "chat_id": -(10**20)}),
        f"{TEAM}.telegram.chat_id: expected the number of a chat",
    ),
    "a store that drops each block": (
        _hub(retention={"metrics_size": "1KB"}),
        "hub.retention.metrics_size: expected at least 256MB, got '1KB'",
    ),
    "a body below one push": (_hub(body_limit="1KB"), "hub.body_limit: expected at least 2MB, got '1KB'"),
    "a line of one byte": (_hub(loki={"max_line_size": "1B"}), "hub.loki.max_line_size: expected at least 1KB"),
    "memory that starts nothing": (
        _hub(limits={"prometheus": {"memory": "10MB"}}),
        "hub.limits.prometheus.memory: expected at least 128MB, with less the container is killed",
    ),
    "metrics for less than an outage": (
        _hub(outage_budget="48h", retention={"metrics": "1d"}),
        "hub.outage_budget: expected at most hub.retention.metrics, otherwise samples expire",
    ),
    # what belongs to others
    "the port of SSH": (fleet({**HUB, "ports": {"push": 22}}), "hub.ports.push: port 22 is taken by SSH"),
    "the port of the server's SSH": (
        small(hub={"server": {**SERVER_HUB["server"], "port": 2222}, "ports": {"http": 2222}}),
        "hub.ports.http: port 2222 is taken by SSH",
    ),
    "the port of the node exporter": (_hub(ports={"http": 9100}), "hub.ports.http: port 9100 is taken by the node"),
    "a folder of the system": (server(files="/etc"), "hosts.vps-1.server.files: expected a separate folder"),
    "the root": (_hub(local={"files": "/"}), "hub.local.files: expected a separate folder"),
    "a network of the cloud": (fleet(cloud={"range": "10.245.0.0/16"}), "cloud.range: expected a network that Digital"),
    "the public key's file": (fleet(ssh={"key": "~/.ssh/id.pub"}), "ssh.key: expected the private key's file"),
    "the bucket's name in the server's": (
        _bucket(endpoint="https://acme.s3.example.com"),
        f"{S3}: expected the server",
    ),
    "the bucket's name behind the server's": (
        _bucket(endpoint="https://s3.example.com/acme"),
        f"{S3}: expected the addr",
    ),
    "one bucket, with a port": (_backup("https://s3.example.com:443"), ONE_BUCKET),
    "one bucket, with capitals": (_backup("https://S3.example.com"), ONE_BUCKET),
    "one bucket that is prepared": (_backup("https://s3.example.com", "single"), ONE_BUCKET),
    "times for a bucket that is not there": (
        _hub(storage={"kind": "single", "keep": {"raw": "10d"}}),
        "hub.storage.keep: expected no such key without a bucket",
    ),
    "a key of JSON for other lines": (
        _file("/var/log/a/*.log", level_key="x"),
        f"{LOGS}.files.a.level_key: expected `format: json` beside it",
    ),
    "a default as value": (
        _file("/var/log/a/*.log", encoding="UTF-8"),
        f"{LOGS}.files.a.encoding: expected no `encoding` for UTF-8, which is the default; remove the key",
    ),
    "UTF-16 for Promtail": (
        _file("/var/log/a/*.log", encoding="UTF-16LE"),
        f"{LOGS}.files.a.encoding: Promtail ends a line at one byte, which garbles UTF-16LE; set `agent: alloy`",
    ),
    "groups of Google": (
        _hub(
            grafana={
                "auth": {
                    "google": {
                        "client_id": "x",
                        "client_secret": "hunter2",
                        "allowed_domains": ["example.com"],
                        "roles": {"claim": "groups"},
                    }
                }
            }
        ),
        "hub.grafana.auth.google.roles.claim: expected email, Google sends no groups; remove the key",
    ),
    # empty values, which would turn nothing on
    "an assistant left empty": (_hub(ask=None), "hub.ask: expected a mapping, got nothing; write `ask: {}` for its"),
    "TLS left empty": (_app(tls=None), f"{SHOP}.tls: expected a mapping, got nothing; write `tls: {{}}` for its"),
    "a channel behind a #": (
        _receiver(slack={"url": "https://h.example/x", "channel": None}),
        f"{TEAM}.slack.channel: expected a value, got nothing; remove the key, or put the value in quotes if it",
    ),
    "a list left empty": (_mail(to=[]), f"{TEAM}.email.to: expected one text with e-mail addresses, or a list"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_what_fails_on_a_host_is_refused_before(trap: str) -> None:
    sections, start = TRAPS[trap]
    (problem,) = check_file(sections, SOURCE)[1]
    assert problem.startswith(start), problem
    assert "hunter2" not in problem
    assert "hünter2" not in problem


VALID: dict[str, dict[str, Any]] = {
    "a service record": _probe(dns={"name": "_sip._tcp.example.com", "server": "192.0.2.1", "type": "SRV"}),
    "a ping over IPv6": _probe(icmp="fd00::1"),
    "a container with _": _app(target="shop_api:8000"),
    "a server named like its bucket": _bucket(endpoint="https://acme.example.com"),
    "wildcards of every kind": _file("/var/log/a/{x,y}-[0-9]?.log"),
    "UTF-16 for Alloy": _host(
        logs={"agent": "alloy", "files": {"a": {"path": "/var/log/a/*.log", "encoding": "UTF-16"}}}
    ),
    "a route that another lets through": _routes({"receiver": "a", "also": True}, {"receiver": "a"}),
    "a folder on a disk of its own": server(files="/data"),
    "an encoded % in a DSN": _dsn("postgresql://u:a%25%7Bb@db/shop?connect_timeout=10"),
    "a label of some metrics": _app(drop=["go_.*"], keep=["(go|process)_.+"]),
}


@pytest.mark.parametrize("case", VALID)
def test_what_works_is_accepted(case: str) -> None:
    assert check_file(VALID[case], SOURCE)[1] == []


WAYS_OUT: dict[str, tuple[dict[str, Any], str]] = {
    "a blank": (_hub(outage_budget="24h "), "; remove the blanks or line breaks around it"),
    "quotes of a word processor": (_hub(outage_budget="“24h”"), "; it has a character outside of ASCII"),
    "a choice": (_host(logs={"agent": "Promtail"}), "; did you mean promtail?"),
    "a time zone": (
        _hub(alerts={"quiet": [{"hours": "22:00-07:00", "time_zone": "europe/berlin"}]}),
        "; did you mean Europe/Berlin?",
    ),
    "a receiver": (
        _routes({"receiver": "b"}),
        "expected the name of a receiver (a); add it under hub.alerts.receivers",
    ),
    "a network": (_host(subnet="10.1.1.5/24"), "; the network of this address is 10.1.1.0/24, got '10.1.1.5/24'"),
    "a missing level": (_host(apps={"target": "shop:8000"}), "; a name of your choice is missing between `apps` and"),
    "a level missing above": (
        _hub(alerts={"receivers": {"slack": {"url": "https://h.example/hunter2"}}}),
        "; a name of your choice is missing above `slack`",
    ),
    "a key of hosts": (_hub(probes={}), "; `probes` is a key of hosts.<name>"),
    "a key of receivers": (_hub(alerts={"slack": {}}), "; `slack` is a key of hub.alerts.receivers.<name>"),
    "another word": (server(bastion={"address": "192.0.2.1", "username": "x"}), "; did you mean user?"),
    "a command": (_dsn(""), "(`make secret KEY=hosts.hub.postgres.main.dsn` sets one without showing it)"),
    "capitals": (_bucket(region="EU"), "expected only lower-case letters, digits and -"),
}


@pytest.mark.parametrize("case", WAYS_OUT)
def test_a_message_has_the_way_out(case: str) -> None:
    sections, words = WAYS_OUT[case]
    (problem,) = check_file(sections, SOURCE)[1]
    assert words in problem
    assert "hunter2" not in problem
