"""Settings of one host: where it is and how its edge reaches the hub. What the edge collects is edge.py."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from configs.settings.base import MOST, DnsLabel, Strict, require_one
from configs.settings.places import Droplet, Local, Server, private

PLACES = ("local", "droplet", "server")


class Host(Strict):
    """Where a host is (exactly one of `local`, `droplet` and `server`) and how its edge reaches the hub.

    `via: internet` pushes over HTTPS with the host's own password, `via: vpc` without TLS over a private network.

    `rotation`: increase it by one to give the host new passwords. `abandoned`: a server that cannot be reached
    any more is left as it is; remove the entry one run later. `renamed_from`: the name that the host had before.
    """

    local: Local | None = None
    droplet: Droplet | None = None
    server: Server | None = None
    via: Literal["internet", "vpc"] = Field(
        "internet", description="`vpc` for droplets and private addresses, else `internet`"
    )
    rotation: Annotated[int, Field(ge=0, le=MOST)] = 0
    abandoned: bool = False
    renamed_from: DnsLabel | None = None

    @model_validator(mode="before")
    @classmethod
    def _via(cls, raw: Any) -> Any:
        """Privately where it can be: a droplet and a server with a private address are in the hub's network."""
        if isinstance(raw, dict) and "via" not in raw:
            server = raw.get("server")
            address = server.get("address") if isinstance(server, dict) else None
            return {**raw, "via": "vpc" if "droplet" in raw or private(str(address)) else "internet"}
        return raw

    @model_validator(mode="after")
    def _place(self) -> Host:
        require_one(self, PLACES, "expected exactly one place: local, droplet or server (such as `droplet: {}`)")
        if self.abandoned and self.server is None:
            raise ValueError(f"abandoned: expected a server; a {self.kind} host is removed by taking out its entry")
        return self

    @property
    def kind(self) -> str:
        """`local`, `droplet` or `server`."""
        return next(key for key in PLACES if getattr(self, key) is not None)
