"""Signed requests to an S3 server, by path (`/bucket/key`). Public protocol: AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import quote, unquote_plus, urlsplit

TIMEOUT = 60  # seconds


class S3Error(Exception):
    """The server refused a request: `code` is S3's, such as NoSuchBucket."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.status, self.code = status, code


@dataclass(frozen=True)
class S3:
    """One account at one server. `secret` is in no text of it."""

    endpoint: str
    region: str
    access: str
    secret: str = field(repr=False)

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> bytes:
        """The body of the answer. Raises S3Error for a refusal, OSError without an answer."""
        url = urlsplit(self.endpoint)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.netloc, timeout=TIMEOUT)
        line = "&".join(f"{_coded(k)}={_coded(v)}" for k, v in sorted((query or {}).items()))
        target = quote(path, safe="/-_.~")
        try:
            signed = self.signed(method, url.netloc, target, line, headers or {}, body, datetime.now(timezone.utc))
            connection.request(method, f"{target}?{line}" if line else target, body or None, signed)
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"{url.netloc}: {error}") from error
        finally:
            connection.close()
        if answer.status >= 300:
            code = _element(content, "Code") or {403: "Forbidden", 404: "NotFound"}.get(answer.status, answer.reason)
            raise S3Error(answer.status, code, _element(content, "Message"))
        return content

    def signed(
        self,
        method: str,
        host: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        at: datetime,
    ) -> dict[str, str]:
        """The headers of a request, with its signature."""
        digest = hashlib.sha256(body).hexdigest()
        time = at.strftime("%Y%m%dT%H%M%SZ")
        sent = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": time}
        sent |= {key.lower(): value.strip() for key, value in headers.items()}
        names = ";".join(sorted(sent))
        listed = "".join(f"{key}:{sent[key]}\n" for key in sorted(sent))
        request = "\n".join((method, path, query, listed, names, digest))
        scope = f"{time[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", time, scope, hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        value = f"AWS4-HMAC-SHA256 Credential={self.access}/{scope},SignedHeaders={names},Signature={signature}"
        return {**sent, "authorization": value}

    def keys(self, bucket: str) -> list[str]:
        """Up to a thousand keys of a bucket."""
        content = self.call("GET", f"/{bucket}", {"list-type": "2", "encoding-type": "url"}).decode()
        found = re.findall(r"<Contents>.*?<Key>(.*?)</Key>", content, re.DOTALL)
        return [unquote_plus(key) for key in found]


def _coded(text: str) -> str:
    return quote(text, safe="-_.~")


def _element(content: bytes, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", content.decode(errors="replace"), re.DOTALL)
    return found[1] if found else ""
