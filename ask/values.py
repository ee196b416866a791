"""Values of labels that a question states in ordinary terms: status 404, critical alerts, idle connections, loki up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ask.catalogue import Entry
from ask.words import cut


@dataclass(frozen=True)
class Stated:
    """A value of a label of some metrics. `only`: an entry without the label does not answer the question."""

    label: str
    value: str
    metrics: str  # a pattern
    only: bool = True

    def fits(self, entry: Entry) -> bool:
        """Whether all metrics of the entry have the label."""
        return all(re.fullmatch(self.metrics, name) for name in entry.metrics)


_OF_ALERTS = "ALERTS|ALERTS_FOR_STATE"
_ALERTS = re.compile(r"\b(?:alerts?|alarms?|firing|fired|alarme|alertas)\b")
_SEVERITY = re.compile(r"\b(?P<critical>critical|crit|kritische[rns]?|cr[ií]ticas?)\b|\b(?P<warning>warnings?)\b")
_STATE = re.compile(
    r"\b(?P<state>idle in transaction|idle|active)\s+(?:(?:postgres|database|db)\s+)?"
    r"(?:connections?|sessions?|backends?|clients?)\b"
)
_STATUS = re.compile(r"\b(?P<code>[2-5]\d\d)(?:'?s\b|\s+(?:responses?|errors?|status(?:es)?|codes?)\b)")
_STATUS_COUNTED = re.compile(
    r"\b(?:how many|number of|count of|any|rate of|http) (?P<code>[2-5]\d\d)\b(?! ?[kmg]?i?b\b|%)"
)
_STATUS_AFTER = re.compile(r"\bstatus(?: codes?)? (?P<code>[2-5]\d\d)\b")
_PART = re.compile(
    r"\b(?P<part>metrics|logs|grafana)(?= backups?\b)|\bbackups? of (?:the )?(?P<part2>metrics|logs|grafana)\b"
)
_COMPONENT = re.compile(r"\b(?P<job>prometheus|loki|grafana|caddy|alertmanager)\b")


def find(text: str, alerts: Iterable[str]) -> tuple[tuple[Stated, ...], str]:
    """The values that a text in lower case states, and the text with ordinary terms in their place. `alerts`: names."""
    for name in alerts:
        if name.lower() in text and (found := re.search(rf"\b{name.lower()}\b(?: alerts?\b)?", text)):
            return (Stated("alertname", name, _OF_ALERTS),), cut(text, found, " alerts ")
    if _ALERTS.search(text) and (found := _SEVERITY.search(text)):
        value = "critical" if found["critical"] else "warning"
        return (Stated("severity", value, _OF_ALERTS),), cut(text, found, " alerts ")
    if found := _STATE.search(text):
        return (Stated("state", found["state"], "pg_stat_activity_count"),), cut(text, found, " connections by state ")
    if found := _STATUS.search(text) or _STATUS_AFTER.search(text) or _STATUS_COUNTED.search(text):
        label, metrics, words = "status", "http_requests_total", " responses by status "
        if "caddy" in text:
            label, metrics, words = "code", "caddy_http_request_duration_seconds_count", " requests status code "
        return (Stated(label, found["code"], metrics),), cut(text, found, words)
    if found := _PART.search(text):
        part = found["part"] or found["part2"]
        return (Stated("part", part, "fleetwatch_backup_.*"),), cut(text, found, "  " if found["part"] else " backup ")
    if found := _COMPONENT.search(text):
        return (Stated("job", found["job"], "up", only=False),), text
    return (), text
