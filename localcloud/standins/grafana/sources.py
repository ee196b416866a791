"""Requests to a data source, with the authentication from its provisioning.

Limits: no redirects, no web sockets (live tail), answers up to 32 MiB.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from .provisioning import DataSource

LIMIT = 32 * 2**20
TIMEOUT = 30.0
HEALTH_TIMEOUT = 5.0


class SourceError(Exception):
    """The data source did not answer or refused; the text can be shown in a panel."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    content_type: str
    body: bytes


def _headers(source: DataSource) -> dict[str, str]:
    headers = {}
    if source.raw.get("basicAuth"):
        pair = f"{source.raw.get('basicAuthUser', '')}:{source.secure.get('basicAuthPassword', '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    options = source.raw.get("jsonData") or {}
    for key, name in options.items():
        if key.startswith("httpHeaderName"):
            value = source.secure.get("httpHeaderValue" + key.removeprefix("httpHeaderName"))
            if value:
                headers[str(name)] = value
    return headers


def _tls(source: DataSource) -> ssl.SSLContext:
    options = source.raw.get("jsonData") or {}
    ca = source.secure.get("tlsCACert") if options.get("tlsAuthWithCACert") else None
    context = ssl.create_default_context(cadata=ca)
    if options.get("tlsSkipVerify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def send(
    source: DataSource,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """One request; `path` is relative to the source's url and carries its query string."""
    url = urlsplit(source.url)
    host, port = url.hostname or "", url.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=timeout, context=_tls(source))
        if url.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=timeout)
    )
    target = url.path.rstrip("/") + "/" + path.lstrip("/")
    try:
        connection.request(method, target, body=body, headers={**(headers or {}), **_headers(source)})
        reply = connection.getresponse()
        content = reply.read(LIMIT + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceError(f"{source.name} does not answer: {error}") from None
    finally:
        connection.close()
    if len(content) > LIMIT:
        raise SourceError(f"{source.name}: the answer is larger than {LIMIT // 2**20} MiB; request less")
    return Answer(reply.status, reply.getheader("Content-Type") or "application/octet-stream", content)


def fetch(source: DataSource, path: str, params: Mapping[str, object], timeout: float = TIMEOUT) -> Any:
    """The `data` of a Prometheus or Loki API answer (or the plain document), or SourceError with its message."""
    query = urlencode({k: v for k, v in params.items() if v is not None}, doseq=True)
    answer = send(source, "GET", f"{path}?{query}" if query else path, timeout=timeout)
    text = answer.body.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except ValueError:
        raise SourceError(f"{source.name}: HTTP {answer.status}: {text.strip()[:300]}") from None
    if answer.status >= 400 or (isinstance(document, dict) and document.get("status") == "error"):
        message = document.get("error") or document.get("message") if isinstance(document, dict) else None
        raise SourceError(f"{source.name}: HTTP {answer.status}: {message or text[:300]}")
    return document.get("data", document) if isinstance(document, dict) else document


def health(source: DataSource) -> tuple[bool, str]:
    """Whether the source answers a smallest question, and what to show."""
    try:
        if source.type == "prometheus":
            fetch(source, "/api/v1/query", {"query": "1+1"}, HEALTH_TIMEOUT)
        elif source.type == "loki":
            fetch(source, "/loki/api/v1/query", {"query": "vector(1)+vector(1)"}, HEALTH_TIMEOUT)
        else:
            fetch(source, "/api/v2/status", {}, HEALTH_TIMEOUT)
    except SourceError as error:
        return False, str(error)
    return True, "answers queries"
