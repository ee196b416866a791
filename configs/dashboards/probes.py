"""The dashboard of probes: what answers, how fast, and how long certificates are valid."""

from __future__ import annotations

from configs.dashboards.layout import visible_rows
from configs.dashboards.model import (
    NOT_SHOWN,
    SOME_HOSTS,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    env_and_host,
    largest,
    link,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above, red_below
from configs.rules.probes import NO_CERTIFICATE
from configs.settings import Settings

OF = 'job="probe",env=~"$env",host=~"$host",probe=~"$probe"'
BY = "env, host, probe"
NAME = "{{host}} {{probe}}"
NO_HTTP = "no probe is an HTTP request"


def board(settings: Settings) -> Dashboard:
    """Only for settings with a probe."""
    limits = fleet_thresholds(settings)
    count = sum(len(edge.probes) for edge in settings.edges.values())
    durations = red_above(limits.probe_duration, 0.5)
    certificates = red_below(limits.probe_certificate, 1.5)
    days = f"min by ({BY}) (probe_ssl_earliest_cert_expiry{{{OF}}}) - time()"
    numbers = Row(
        height=4,
        panels=(
            Stat(
                title="Probes that succeed",
                description="Probes of the stack file that had the expected answer.",
                unit="none",
                query=Query(expr=f"sum(probe_success{{{OF}}})"),
            ),
            Stat(
                title="Failing probes",
                description="Probes without the expected answer.",
                unit="none",
                query=Query(expr=f"count(probe_success{{{OF}}}) - sum(probe_success{{{OF}}})"),
                steps=((None, "green"), (1, "red")),
            ),
            Stat(
                title="Slowest probe",
                description="The longest duration of all probes.",
                unit="s",
                query=Query(expr=f"max(probe_duration_seconds{{{OF}}})"),
                steps=durations,
            ),
            Stat(
                title="Next certificate to expire",
                description="The time to the first end of a certificate.",
                no_value="no TLS",
                unit="s",
                query=Query(expr=f"min({days})", empty=NO_CERTIFICATE),
                steps=certificates,
            ),
        ),
    )
    table = Table(
        title="Probe overview",
        description="Current values. Link: host to Hosts.",
        labels={"env": NOT_SHOWN, "host": "Host", "probe": "Probe"},
        rows=visible_rows(count),
        columns=(
            Column(title="Success", expr=f"min by ({BY}) (probe_success{{{OF}}})", unit="none"),
            Column(title="Duration", expr=f"max by ({BY}) (probe_duration_seconds{{{OF}}})", unit="s", steps=durations),
            Column(
                title="HTTP status",
                expr=f"max by ({BY}) (probe_http_status_code{{{OF}}})",
                unit="none",
                empty=NO_HTTP,
            ),
            Column(title="Certificate", expr=days, unit="s", steps=certificates, empty=NO_CERTIFICATE),
        ),
        links={"Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}"))},
        sort="Duration",
    )
    graphs = Row(
        title="Over time",
        panels=(
            Graph(
                title="Success ratio by probe",
                description="Share of the probes that had the expected answer.",
                unit="percentunit",
                axis_max=1,
                queries=(
                    Query(
                        expr=largest(f"min by ({BY}) (avg_over_time(probe_success{{{OF}}}[$__rate_interval]))"),
                        legend=NAME,
                    ),
                ),
            ),
            Graph(
                title="Duration by probe",
                description="From the name's resolution to the end of the answer.",
                unit="s",
                queries=(Query(expr=largest(f"max by ({BY}) (probe_duration_seconds{{{OF}}})"), legend=NAME),),
            ),
        ),
    )
    return Dashboard(
        name="probes",
        title="Probes",
        description="Whether what the stack file probes answers, how fast, and until when certificates are valid.",
        coverage=SOME_HOSTS,
        variables=(
            *env_and_host('probe_success{job="probe"}'),
            Variable(
                name="probe",
                title="Probe",
                selector='probe_success{job="probe",env=~"$env",host=~"$host"}',
                label="probe",
            ),
        ),
        rows=(numbers, Row(panels=(table,)), graphs),
    )
