"""Alerts about probes: what does not answer, what answers slowly, and certificates that end soon."""

from __future__ import annotations

from configs.rules.model import Alert, Group
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

BY = "env, host, probe, instance"
PROBE = "{{ $labels.probe }} ({{ $labels.instance }})"
NO_CERTIFICATE = "no probe has TLS"


def group(settings: Settings) -> Group:
    """Empty if no host has a probe."""
    return Group(name="probes", rules=(DOWN, SLOW, CERTIFICATE) if has_probes(settings) else ())


def has_probes(settings: Settings) -> bool:
    """Whether any host has a probe."""
    return any(edge.probes for edge in settings.edges.values())


def _down(matchers: str, _: Thresholds) -> str:
    return f'min by ({BY}) ({{__name__=~"up|probe_success",job="probe"{matchers}}}) == 0'


DOWN = Alert(
    name="ProbeFails",
    expr=_down,
    wait="2m",
    severity="critical",
    summary="Probe " + PROBE + " from {{ $labels.host }} fails",
    description="It does not answer as the stack file expects, or the blackbox exporter of the host is down.",
    board="probes",
)


def _slow(matchers: str, limits: Thresholds) -> str:
    selector = f'job="probe"{matchers}'
    return f"avg_over_time(probe_duration_seconds{{{selector}}}[10m]) > {limits.probe_duration}"


SLOW = Alert(
    name="ProbeSlow",
    expr=_slow,
    keys=("probe_duration",),
    wait="5m",
    summary="Probe " + PROBE + " from {{ $labels.host }} takes {{ $value | humanizeDuration }}",
    description="Average of ten minutes. The service is overloaded, or the network between it and the host.",
    board="probes",
)


def _certificate(matchers: str, limits: Thresholds) -> str:
    ends = f'probe_ssl_earliest_cert_expiry{{job="probe"{matchers}}}'
    return f"{ends} - time() < {limits.probe_certificate}"


CERTIFICATE = Alert(
    name="ProbeCertificateExpires",
    expr=_certificate,
    keys=("probe_certificate",),
    wait="10m",
    summary="The certificate of probe " + PROBE + " ends in {{ $value | humanizeDuration }}",
    description="Its renewal has failed or is not automatic. Clients refuse the service from then on.",
    board="probes",
    empty=NO_CERTIFICATE,
)
