"""A Pulumi provider built from tables (schema.py) and, per resource type, code for create, read, update and delete.

This module converts Pulumi's values (secrets, unknowns) to plain ones and back. A secret input makes the output of the
same name secret, a property that the table marks as secret always is, and a refresh keeps secret values secret.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pulumi.provider.experimental import provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from localcloud.standins.plugins import schema
from localcloud.standins.plugins.compare import diff
from localcloud.standins.plugins.schema import Table
from localcloud.standins.plugins.server import InitFailed, Log

State = dict[str, Any]
# A property that a real bridged plugin adds to its state. It is stale, and would mislead that plugin, once a stand-in
# wrote the state.
REAL_NOTES = "__pulumi_raw_state_delta"
Values = dict[str, PropertyValue]
# Timeout in seconds of the current operation by the program's customTimeouts; 0: the provider's default.
TIMEOUT: contextvars.ContextVar[float] = contextvars.ContextVar("timeout", default=0)
KINDS = {
    "add": (sdk.PropertyDiffKind.ADD, sdk.PropertyDiffKind.ADD_REPLACE),
    "delete": (sdk.PropertyDiffKind.DELETE, sdk.PropertyDiffKind.DELETE_REPLACE),
    "update": (sdk.PropertyDiffKind.UPDATE, sdk.PropertyDiffKind.UPDATE_REPLACE),
}


class Resource(Protocol):
    """A provider's operations on one type. All values are plain, with defaults filled in; the calls may block."""

    table: Table

    def create(self, urn: str, inputs: State) -> tuple[str, State]: ...
    def read(self, resource_id: str, state: State) -> State | None: ...
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State: ...
    def delete(self, urn: str, resource_id: str, state: State) -> None: ...


class Unfinished(Exception):
    """A create failed after the resource existed, or an update failed and its state must be kept.

    `found` is the state that was read after a failed update.
    """

    def __init__(self, reason: str, resource_id: str, found: State | None = None) -> None:
        super().__init__(reason)
        self.resource_id, self.found = resource_id, found or {}


@dataclass
class Package:
    """A provider's name, its configuration's table, its resources by type token, and its functions by theirs."""

    name: str
    config: Table
    resources: dict[str, Resource]
    configure: Callable[[State], None] = lambda config: None
    cancel: Callable[[], None] = lambda: None
    functions: Mapping[str, Callable[[State], State]] = field(default_factory=dict)


def plain(value: PropertyValue) -> Any:
    inner = value.value
    if isinstance(inner, Mapping):
        return {k: plain(v) for k, v in inner.items()}
    if isinstance(inner, tuple):
        return [plain(v) for v in inner]
    if isinstance(inner, float) and inner.is_integer():
        return int(inner)
    return inner


def plain_map(values: Mapping[str, PropertyValue]) -> State:
    return {k: plain(v) for k, v in values.items()}


def wrap(value: Any) -> PropertyValue:
    if isinstance(value, Mapping):
        return PropertyValue({k: wrap(v) for k, v in value.items()})
    if isinstance(value, list | tuple):
        return PropertyValue([wrap(v) for v in value])
    return PropertyValue(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def wrap_map(table: Table, state: State, *sources: Values) -> Values:
    """The state as Pulumi values. Secret are the properties that the table or any of the sources marks as secret."""
    secret = {k for source in sources for k, v in source.items() if v.contains_secret()}
    secret |= {k for k, p in table.props.items() if p.secret}
    return {k: wrap(v).with_secret(k in secret) for k, v in state.items() if k != REAL_NOTES}


class TableProvider(sdk.Provider):
    def __init__(self, package: Package, log: Log, first: Callable[[], bool]) -> None:
        self._package, self._log, self._first = package, log, first

    def _resource(self, token: str) -> Resource:
        token = token.rpartition("$")[2]  # a child's type is prefixed by those of its parents
        found = self._package.resources.get(token)
        if found is None:
            raise ValueError(
                f"stand-in for {self._package.name}: the type {token} is not covered (it covers "
                f"{', '.join(sorted(self._package.resources))}); it needs the vendor's own plugin: "
                f"pulumi plugin install resource {self._package.name}"
            )
        return found

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        inputs = {k: v for k, v in plain_map(request.new_inputs).items() if k != "version"}
        problems = schema.check(self._package.name, self._package.config, inputs)
        secret = {k for k, p in self._package.config.props.items() if p.secret}
        checked = {k: v.with_secret(True) if k in secret else v for k, v in request.new_inputs.items()}
        return sdk.CheckResponse(inputs=checked, failures=[sdk.CheckFailure(*p) for p in problems])

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:
        self._package.configure(plain_map(request.args))
        if self._first():
            self._log.info(
                f"stand-in for the {self._package.name} provider (the vendor's plugin could not be installed here)"
            )
        return sdk.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        table = self._resource(request.type).table
        problems = schema.check(self._package.name, table, plain_map(request.new_inputs))
        inputs = {k: _lifted(v) for k, v in request.new_inputs.items() if v.value is not None}
        # As in the real providers, an empty default (0, false) is not added to the inputs.
        inputs |= {k: wrap(p.default) for k, p in table.inputs().items() if p.default and k not in inputs}
        return sdk.CheckResponse(inputs=inputs, failures=[sdk.CheckFailure(*p) for p in problems])

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        table = self._resource(request.type).table
        state, inputs = plain_map(request.old_state), plain_map(request.new_inputs)
        if problems := schema.verify(self._package.name, table, state, inputs):
            raise ValueError("; ".join(sentence for _, sentence in problems))
        changes = diff(table, state, inputs)
        replaces = sorted({c.top for c in changes if c.replace})
        same_name = bool(inputs.get("name")) and inputs.get("name") == state.get("name")
        return sdk.DiffResponse(
            changes=bool(changes),
            replaces=replaces,
            diffs=sorted({c.top for c in changes}),
            delete_before_replace=bool(replaces) and table.delete_first and same_name,
            detailed_diff={c.path: sdk.PropertyDiff(KINDS[c.kind][c.replace], input_diff=False) for c in changes},
        )

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        resource = self._resource(request.type)
        inputs, table = plain_map(request.properties), resource.table
        if request.preview:
            return sdk.CreateResponse("", wrap_map(table, schema.expected_state(table, inputs), request.properties))
        filled = schema.with_defaults(table, inputs)
        TIMEOUT.set(request.timeout)
        try:
            made, state = await asyncio.to_thread(resource.create, request.urn, filled)
        except Unfinished as failed:
            values = wrap_map(table, {**schema.kept(table, filled), **table.meta}, request.properties)
            raise InitFailed(str(failed), failed.resource_id, values, request.properties) from failed
        return sdk.CreateResponse(made, wrap_map(table, schema.recorded(table, filled, state), request.properties))

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        resource = self._resource(request.type)
        table, old, inputs = resource.table, plain_map(request.olds), plain_map(request.news)
        if request.preview:
            state = schema.expected_state(table, inputs, old)
        else:
            filled = schema.with_defaults(table, inputs)
            TIMEOUT.set(request.timeout)
            try:
                state = await asyncio.to_thread(resource.update, request.urn, request.resource_id, old, filled)
            except Unfinished as failed:
                values = wrap_map(table, _updated(table, old, filled, failed.found), request.news)
                raise InitFailed(str(failed), request.resource_id, values, request.news) from failed
            state = _updated(table, old, filled, state)
        return sdk.UpdateResponse(wrap_map(table, state, request.news))

    async def read(self, request: sdk.ReadRequest) -> sdk.ReadResponse:
        resource = self._resource(request.type)
        table, old = resource.table, plain_map(request.properties)
        state = await asyncio.to_thread(resource.read, request.resource_id, old)
        if state is None:
            return sdk.ReadResponse("", {}, {})
        found = schema.sort_sets(table, {**{k: [] for k, _ in schema.filled_lists(table)}, **old, **state})
        properties = wrap_map(table, found, request.properties, request.inputs)
        return sdk.ReadResponse(request.resource_id, properties, _refreshed(table, request.inputs, found))

    async def delete(self, request: sdk.DeleteRequest) -> None:
        resource = self._resource(request.type)
        TIMEOUT.set(request.timeout)
        await asyncio.to_thread(resource.delete, request.urn, request.resource_id, plain_map(request.properties))

    async def invoke(self, request: sdk.InvokeRequest) -> sdk.InvokeResponse:
        function = self._package.functions.get(request.tok)
        if function is None:
            raise ValueError(f"stand-in for {self._package.name}: the function {request.tok} is not covered")
        found = await asyncio.to_thread(function, plain_map(request.args))
        return sdk.InvokeResponse(return_value={key: wrap(value) for key, value in found.items()})

    async def cancel(self) -> None:
        self._package.cancel()


def _updated(table: Table, old: State, filled: State, found: State) -> State:
    """The state after an update, from the state that it returned (`found`)."""
    if table.reads_back:
        before = {k: v for k, v in old.items() if k not in table.inputs()}
        return schema.sort_sets(table, {**before, **schema.kept(table, filled), **found, **table.meta})
    kept = {k: v for k, v in found.items() if k not in table.inputs() or table.props[k].computed}
    return schema.sort_sets(table, {**kept, **schema.kept(table, filled), **table.meta})


def _lifted(value: PropertyValue) -> PropertyValue:
    """Marks a whole list or object as secret if a value in it is, as the real providers record it."""
    return wrap(plain(value)).with_secret(True) if value.contains_secret() else value


def _refreshed(table: Table, inputs: Values, state: State) -> Values:
    """The inputs after a refresh: the program's value, or the one that was read if it differs."""
    fresh = dict(inputs)
    for key in {c.top for c in diff(table, state, plain_map(inputs))} & set(inputs):
        fresh[key] = wrap(state.get(key)).with_secret(inputs[key].contains_secret())
    return {k: v for k, v in fresh.items() if v.value is not None}
