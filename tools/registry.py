"""A client of image registries, by the OCI distribution API: Docker Hub, ghcr.io, quay.io, or a private one.

Only what the registry answers is given back: a digest is computed from the manifest itself, never taken on trust.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md describes the API,
https://distribution.github.io/distribution/spec/auth/token/ how to get a token.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from tools.errors import ToolError
from tools.net import LOOPBACK, opener_for

TIMEOUT = 15.0
DOCKER_HUB = "registry-1.docker.io"
PAGE, PAGES = 1000, 50  # tags in an answer, answers: more than any image here has
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_REFERENCE = re.compile(
    r"(?P<name>(?:[a-z0-9.-]+|\[[a-f0-9:]+\])(?::\d+)?(?:/[a-z0-9._-]+)+):(?P<tag>[\w][\w.-]{0,127})(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class RegistryError(ToolError):
    """The registry cannot be queried, or its answer is not valid."""


class NotFound(RegistryError):
    """The registry does not have this image."""


def registry_host(name: str) -> str:
    """The host, with its port, at which the registry of an image answers.

    As in Docker, the first component is a registry if it has a dot or a port, or is `localhost`.
    """
    first, slash, _ = name.partition("/")
    named = slash and (first == "localhost" or "." in first or ":" in first)
    return first if named and first not in ("docker.io", "index.docker.io") else DOCKER_HUB


def api_url(host: str) -> str:
    """The address of a registry's API: plain HTTP on loopback alone, as in Docker."""
    return f"{'http' if _loopback(host) else 'https'}://{host}/v2/"


def _loopback(host: str) -> bool:
    return urllib.parse.urlsplit(f"//{host}").hostname in LOOPBACK


@dataclass(frozen=True)
class Reference:
    """An image by its full name, tag and, if pinned, digest."""

    name: str
    tag: str
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """ToolError unless it is registry/repository:tag, with or without @sha256:..."""
        found = _REFERENCE.fullmatch(text)
        if not found or found["tag"] == "latest":
            raise ToolError(f"expected registry/repository:tag with an exact tag, got {text!r}")
        return cls(found["name"], found["tag"], found["digest"])

    @property
    def host(self) -> str:
        """The host, with its port, at which the registry answers."""
        return registry_host(self.name)

    @property
    def repository(self) -> str:
        """The image's name in its registry."""
        first, _, rest = self.name.partition("/")
        return rest if first == self.host or first.endswith("docker.io") else self.name

    @property
    def local(self) -> bool:
        """Whether the registry is on this machine's loopback."""
        return _loopback(self.host)

    @property
    def base(self) -> str:
        """The address of the image in its registry's API."""
        return f"{api_url(self.host)}{self.repository}"


class Registry:
    """Queries about one image; keeps the token that the registry issued."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._token = ""
        self._read: tuple[bytes, dict[str, Any]] | None = None
        self._open = opener_for(reference.base).open

    def tags(self) -> list[str]:
        """All tags. RegistryError if the list cannot be read, or is not complete."""
        url: str | None = f"{self.reference.base}/tags/list?n={PAGE}"
        found: list[str] = []
        for _ in range(PAGES):
            if url is None:
                return found
            body, link = self._get(url)
            try:
                found += [str(tag) for tag in json.loads(body)["tags"] or []]
            except (ValueError, KeyError, TypeError):
                raise RegistryError(f"{self.reference.host} answered with something that is no list of tags") from None
            following = re.search(r'<([^>]+)>;\s*rel="?next"?', link)
            url = urllib.parse.urljoin(url, following[1]) if following else None
            if url and urllib.parse.urlsplit(url).netloc != self.reference.host:
                raise RegistryError(f"{self.reference.host} sends to another host for the next tags; not followed")
        raise RegistryError(f"{self.reference.name} has more than {PAGE * PAGES} tags; not all of them were looked at")

    def digest(self) -> str:
        """The digest of the manifest (of all platforms, where there are several) that the tag names now."""
        return f"sha256:{hashlib.sha256(self._manifest()[0]).hexdigest()}"

    def platforms(self) -> set[str]:
        """Processors that the tag has a Linux image for, in Go's names; none where it names a single image."""
        try:
            found = [image["platform"] for image in self._manifest()[1].get("manifests", ()) if "platform" in image]
            return {str(one["architecture"]) for one in found if one["os"] == "linux"}
        except (KeyError, TypeError, AttributeError):
            raise RegistryError(f"{self.reference.host} answered with an index that names no platforms") from None

    def _manifest(self) -> tuple[bytes, dict[str, Any]]:
        """What the tag names now, as it was sent and parsed; read once, because registries limit such requests."""
        if self._read is not None:
            return self._read
        body, _ = self._get(f"{self.reference.base}/manifests/{self.reference.tag}")
        try:
            media = json.loads(body)
        except ValueError:
            media = None
        if not isinstance(media, dict) or media.get("schemaVersion") != 2:
            raise RegistryError(f"{self.reference.host} answered with something that is no manifest")
        self._read = body, media
        return self._read

    def _get(self, url: str, again: bool = True) -> tuple[bytes, str]:
        headers = {"Accept": ", ".join(_MANIFESTS)} if "/manifests/" in url else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            with self._open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer:
                return answer.read(), answer.headers.get("Link") or ""
        except urllib.error.HTTPError as error:
            challenge = error.headers.get("WWW-Authenticate") or ""
            if error.code == 401 and again and challenge.lower().startswith("bearer "):
                self._token = self._new_token(challenge)
                return self._get(url, again=False)
            kind = NotFound if error.code == 404 else RegistryError
            raise kind(self._refused(error.code)) from None
        except (OSError, ValueError) as error:
            raise RegistryError(f"{self.reference.host} cannot be reached ({_reason(error)})") from None

    def _new_token(self, challenge: str) -> str:
        """An anonymous token for pulling; none of a user is sent."""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = fields.get("realm", "")
        if urllib.parse.urlsplit(realm).scheme != self.reference.base.partition(":")[0]:
            raise RegistryError(f"{self.reference.host} requires a token by an unknown method")
        query = {key: fields[key] for key in ("service", "scope") if key in fields}
        try:
            with self._open(f"{realm}?{urllib.parse.urlencode(query)}", timeout=TIMEOUT) as answer:
                given = json.loads(answer.read())
                return str(given.get("token") or given["access_token"])
        except urllib.error.HTTPError as error:
            raise RegistryError(self._refused(error.code)) from None
        except (OSError, ValueError, KeyError, AttributeError) as error:
            host = urllib.parse.urlsplit(realm).netloc
            raise RegistryError(f"{host} gives no token ({_reason(error)})") from None

    def _refused(self, code: int) -> str:
        name, host = self.reference.name, self.reference.host
        if code == 429:
            return f"{host} has had too many requests from here (429); try again later"
        if code in (401, 403):
            return f"{host} does not show {name} without an account ({code})"
        if code == 404:
            return f"{host} has no {name}:{self.reference.tag}, or no such repository (404)"
        return f"{host} answered {code}"


def offline() -> bool:
    """Whether the network must not be used."""
    return os.environ.get("FLEETWATCH_OFFLINE") == "1"


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", error)
    if isinstance(inner, ssl.SSLError):
        return "its certificate is not accepted here"
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__)
