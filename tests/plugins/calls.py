"""A stand-in provider called as Pulumi's engine calls it, without that engine."""

from __future__ import annotations

import asyncio
from typing import Any

from pulumi.provider.experimental import provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from localcloud.standins.plugins.provider import Package, TableProvider, plain_map, wrap
from localcloud.standins.plugins.server import Log

Values = dict[str, PropertyValue]


class Lines(Log):
    """Keeps what would be shown."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, message: str, urn: str = "", live: bool = False) -> None:
        self.said.append(message)


def values(inputs: dict[str, Any]) -> Values:
    return {k: v if isinstance(v, PropertyValue) else wrap(v) for k, v in inputs.items()}


class Calls:
    """One provider. Types are given by their short name, states are Pulumi's values."""

    def __init__(self, package: Package, log: Log, config: dict[str, Any]) -> None:
        self._package, self._provider = package, TableProvider(package, log, lambda: False)
        asyncio.run(self._provider.configure(sdk.ConfigureRequest({}, values(config), True, True)))

    def _urn(self, kind: str) -> str:
        token = next(t for t in self._package.resources if t.endswith(f":{kind}"))
        return f"urn:pulumi:s::p::{token}::x"

    def problems(self, kind: str, inputs: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
        request = sdk.CheckRequest(self._urn(kind), values(old or {}), values(inputs), b"")
        return [f.reason for f in asyncio.run(self._provider.check(request)).failures or []]

    def check(self, kind: str, inputs: dict[str, Any]) -> Values:
        answer = asyncio.run(self._provider.check(sdk.CheckRequest(self._urn(kind), {}, values(inputs), b"")))
        assert not answer.failures, [f.reason for f in answer.failures]
        return answer.inputs or {}

    def check_config(self, config: dict[str, Any]) -> Values:
        answer = asyncio.run(self._provider.check_config(sdk.CheckRequest("urn", {}, values(config), b"")))
        assert not answer.failures, [f.reason for f in answer.failures]
        return answer.inputs or {}

    def invoke(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One of its functions, by its short name."""
        request = sdk.InvokeRequest(f"{self._package.name}:index/{name}:{name}", values(arguments))
        return plain_map(asyncio.run(self._provider.invoke(request)).return_value or {})

    def preview(self, kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
        request = sdk.CreateRequest(self._urn(kind), self.check(kind, inputs), 0, True)
        return plain_map(asyncio.run(self._provider.create(request)).properties)

    def create(self, kind: str, inputs: dict[str, Any], timeout: float = 0) -> tuple[str, Values]:
        request = sdk.CreateRequest(self._urn(kind), self.check(kind, inputs), timeout, False)
        made = asyncio.run(self._provider.create(request))
        return made.resource_id or "", made.properties

    def diff(self, kind: str, state: Values, inputs: dict[str, Any]) -> sdk.DiffResponse:
        request = sdk.DiffRequest(self._urn(kind), "", state, self.check(kind, inputs), [])
        return asyncio.run(self._provider.diff(request))

    def update(self, kind: str, made: str, state: Values, inputs: dict[str, Any], preview: bool = False) -> Values:
        request = sdk.UpdateRequest(self._urn(kind), made, state, self.check(kind, inputs), 0, [], preview)
        return asyncio.run(self._provider.update(request)).properties

    def read(self, kind: str, made: str, state: Values, inputs: dict[str, Any]) -> sdk.ReadResponse:
        request = sdk.ReadRequest(self._urn(kind), made, state, self.check(kind, inputs))
        return asyncio.run(self._provider.read(request))

    def delete(self, kind: str, made: str, state: Values, timeout: float = 0) -> None:
        asyncio.run(self._provider.delete(sdk.DeleteRequest(self._urn(kind), made, state, timeout)))
