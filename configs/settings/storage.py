"""Settings of where the hub keeps metrics and logs: on its own disk, or in a bucket of object storage."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from configs.settings.backup import S3, Spaces
from configs.settings.base import Strict, require_one
from configs.settings.database import Database, Managed
from configs.settings.nodes import COUNT, Node, NodeName
from configs.units import Duration, parse_duration

DAY = 86400


class Bucket(Strict):
    """A bucket for the hub's metrics and logs: exactly one of `spaces` and `s3`. One bucket belongs to one stack."""

    spaces: Spaces | None = None
    s3: S3 | None = None

    @model_validator(mode="after")
    def _one(self) -> Bucket:
        require_one(self, ("spaces", "s3"), "expected exactly one bucket: spaces or s3 (such as `spaces: fra1`)")
        return self


class Resolutions(Strict):
    """How long samples are kept in a bucket, by resolution: as they arrived, one for five minutes, one for an hour."""

    raw: Annotated[Duration, Field(ge=2 * DAY)] = parse_duration("90d")
    five_minutes: Annotated[Duration, Field(ge=10 * DAY)] = parse_duration("2y")
    one_hour: Annotated[Duration, Field(ge=10 * DAY)] = parse_duration("2y")

    @model_validator(mode="after")
    def _coarser_is_kept_longer(self) -> Resolutions:
        if not self.raw <= self.five_minutes <= self.one_hour:
            raise ValueError("expected raw <= five_minutes <= one_hour: a coarser resolution outlives a finer one")
        return self


def _day(value: str) -> str:
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):  # Python reads more forms than Loki
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        raise ValueError('expected a day in quotes, such as "2026-12-01"') from None
    return value


class Storage(Strict):
    """Where the hub's metrics and logs are kept.

    `single`: on the hub's disk. `bucket`: in object storage, by Thanos and Loki; the hub's disk holds only what was not
    uploaded yet (docs/growing.md). `keep` replaces `hub.retention.metrics` there. `cluster`: the same on three hub
    nodes, of which one may be lost.

    `nodes`: their names (at most 59 characters), for `cluster` alone. The first in the alphabet is the host `hub`,
    placed by `hub.droplet` or `hub.server`; another, `b`, is the host `hub-b`. The private network of the hub has all
    three. One of them may have another size in one update.

    `database`: the PostgreSQL that the nodes share, for `cluster` alone; on droplets the managed one by default.

    A `bucket` beside `kind: single` prepares for it: the metrics agents push by remote write 1.0, which Thanos takes. A
    hub that has data goes through one update with both, so that nothing is lost when it changes.

    `logs_since`: the day (UTC) from which log lines are in the bucket; those before stay on the hub's disk, and are
    read there. `logs_until`, with `kind: single`: the day from which they are on the disk again; those before stay in
    the bucket.
    """

    kind: Literal["single", "bucket", "cluster"] = "single"
    nodes: dict[NodeName, Node] = {}
    database: Database | None = Field(None, description="`managed: {}` for a cluster on droplets")
    bucket: Bucket | None = None
    logs_since: Annotated[str, AfterValidator(_day)] | None = None
    logs_until: Annotated[str, AfterValidator(_day)] | None = None
    keep: Resolutions = Resolutions()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"kind": raw} if isinstance(raw, str) else raw

    @field_validator("database", mode="before")
    @classmethod
    def _of_a_cluster(cls, raw: Any, info: ValidationInfo) -> Any:
        """A database beside another kind is a mistake itself; those in it are no separate ones."""
        other = info.data.get("kind", "cluster") != "cluster"
        return Database(managed=Managed()) if other and raw is not None else raw

    @model_validator(mode="after")
    def _consistent(self) -> Storage:
        if self.kind != "single" and self.bucket is None:
            raise ValueError(f"expected `bucket` beside `kind: {self.kind}`, such as `bucket: {{spaces: fra1}}`")
        if self.bucket is None and "keep" in self.model_fields_set:
            raise ValueError("keep: expected no such key without a bucket, hub.retention has the times; remove it")
        self._check_nodes()
        if self.logs_until is None:
            return self
        if self.kind != "single" or self.bucket is None:
            raise ValueError(
                "expected `kind: single` and the bucket beside `logs_until`: lines before that day are in the bucket"
            )
        if self.logs_since is not None and self.logs_since >= self.logs_until:
            raise ValueError(f'expected `logs_until` after `logs_since`, "{self.logs_since}"')
        return self

    def _check_nodes(self) -> None:
        """Each sentence begins with the key that decides: at the path of an earlier mistake it is not reported."""
        for key, given in (("nodes", self.nodes), ("database", self.database)):
            if self.kind != "cluster" and given:
                raise ValueError(
                    f"kind: expected `cluster` beside `{key}`, got `{self.kind}`; set it, or remove `{key}`"
                )
        if self.kind == "cluster" and len(self.nodes) != COUNT:
            raise ValueError(
                f"nodes: expected exactly three beside `kind: cluster`, got {len(self.nodes)}, such as "
                "`nodes: {a: {}, b: {}, c: {}}`"
            )
        if self.kind == "cluster" and self.logs_since is not None:
            raise ValueError(
                "expected no `logs_since` beside `kind: cluster`: lines before that day are on one disk; remove it; "
                "`make grow TO=cluster` copies them into the bucket"
            )

    @property
    def shared(self) -> Database | None:
        """The PostgreSQL of a cluster's nodes; None without a cluster, where each program has one on the hub."""
        return None if self.kind != "cluster" else self.database or Database(managed=Managed())

    @property
    def in_bucket(self) -> Bucket | None:
        """The bucket that metrics and logs are kept in; None: they are on the hub's disk."""
        return self.bucket if self.kind != "single" else None

    @property
    def lines_in_bucket(self) -> bool:
        """Whether Loki reads lines in the bucket: all new ones, or those of before a move back."""
        return self.kind != "single" or self.logs_until is not None
