"""Settings of the hub's backup: where to, how often, what is kept."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from configs import names
from configs.settings.addresses import http_base
from configs.settings.base import Secret, Strict, require_one
from configs.settings.places import Slug, refuse_shared
from configs.units import Duration, parse_duration


def _bucket(value: str) -> str:
    if not names.is_bucket(value):
        raise ValueError("expected the name of a bucket: 3 to 63 lower-case letters, digits and inner hyphens")
    return value


def _s3_endpoint(value: str) -> str:
    if urlsplit(http_base(value)).path.strip("/"):
        raise ValueError("expected the address of the S3 server alone, without a path; `bucket` has the bucket's name")
    return value


def _path(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", value) or "/.." in value:
        raise ValueError("expected an absolute path on the hub such as /mnt/backup: letters, digits, and . _ - /")
    refuse_shared(value)
    return value


class S3(Strict):
    """A bucket of any S3 server. The key should be allowed this bucket alone."""

    endpoint: Annotated[str, AfterValidator(_s3_endpoint)]
    bucket: Annotated[str, AfterValidator(_bucket)]
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] | None = None
    access_key: Secret
    secret_key: Secret

    @property
    def place(self) -> tuple[str, str]:
        """Server and name: two buckets of one place are one, however their endpoints are written."""
        parts = urlsplit(self.endpoint)
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
        return f"{parts.hostname}{port}", self.bucket

    @model_validator(mode="after")
    def _not_in_the_name(self) -> S3:
        rest = self.place[0].removeprefix(f"{self.bucket}.")
        if rest != self.place[0] and (rest.startswith(("s3.", "s3-")) or rest.endswith(".digitaloceanspaces.com")):
            raise ValueError(f"endpoint: expected the server's name without the bucket's; remove `{self.bucket}.`")
        return self


class Spaces(Strict):
    """A bucket of DigitalOcean Spaces and a key for this bucket alone, both made by the program; `spaces: ams3` is
    short for `spaces: {region: ams3}`. `bucket`: one that exists in this region, such as that of a lost stack; then
    only the key is made. `keep`: the bucket stays, with all backups, when it leaves the stack and after `make down`."""

    region: Slug
    bucket: Annotated[str, AfterValidator(_bucket)] | None = None
    keep: bool = True

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"region": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _not_ours(self) -> Spaces:
        if self.bucket is not None and not self.keep:
            raise ValueError(
                "expected no `keep: false` beside `bucket`, the program deletes only a bucket that it made"
            )
        return self


class Destination(Strict):
    """Where backups go: exactly one of `spaces`, `s3` and `path`. `path`: a folder of the hub that exists, on a disk
    that survives the hub."""

    spaces: Spaces | None = None
    s3: S3 | None = None
    path: Annotated[str, AfterValidator(_path)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Destination:
        wanted = "expected exactly one destination: spaces, s3 or path (such as `spaces: ams3`)"
        require_one(self, ("spaces", "s3", "path"), wanted)
        return self


class Keep(Strict):
    """How many backups of each part are kept: the newest ones, then one of each day, week and month."""

    last: Annotated[int, Field(ge=1, le=10_000)] = 4
    daily: Annotated[int, Field(ge=0, le=10_000)] = 7
    weekly: Annotated[int, Field(ge=0, le=10_000)] = 4
    monthly: Annotated[int, Field(ge=0, le=10_000)] = 6


class Backup(Strict):
    """Backups of the hub's data, encrypted with `password`. Keep a copy of the password outside of the hub and of this
    stack file: without it a backup cannot be read (docs/tasks/backup.md).

    `same_region`: accept a bucket of DigitalOcean Spaces in the hub's own region, which one event may take together
    with the hub. `drill`: how old the newest successful `make drill` may be before an alert."""

    to: Destination
    every: Annotated[Duration, Field(ge=60, le=7 * 86400)] = parse_duration("6h")
    keep: Keep = Keep()
    password: Secret
    same_region: bool = False
    drill: Annotated[Duration, Field(ge=86400)] = parse_duration("35d")
