"""Runs `__main__.py` against a recording engine: every registration as the real engine would get it, secrets marked.

One event loop and one context per run; absence is only told once every registration has landed.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import logging
import re
import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pulumi
import pytest
import yaml
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import mocks, settings, stack
from pulumi.runtime.proto import provider_pb2, resource_pb2

from components import cloud_facts, machine_facts, remote_host
from configs.validation import CloudFacts, MachineFacts
from tests.component import secret_marks
from tests.component.made_up import CLOUD, FACTS, MADE_UP, NUMBERED, PRINTED, number
from tests.fixtures.full import ROOT, raw, without_web_1

PASSWORD = "generated-s3cret"
CA = "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n"
HASH = "$2a$10$generated-s3cret"


@dataclass(frozen=True)
class Made:
    """One registration. In `inputs` a secret is a mapping with the engine's own mark."""

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    request: Any

    def plain(self) -> dict[str, Any]:
        found: dict[str, Any] = secret_marks.plain(self.inputs)
        return found

    @property
    def script(self) -> str:
        """What a command runs, on its host."""
        found: str = self.plain()["environment"]["SCRIPT"]
        return found

    def in_clear(self) -> list[str]:
        """Every text of the inputs that is not marked as secret."""
        return list(secret_marks.clear_texts(self.inputs))


@dataclass
class Run:
    """What a run of the program made, said and exported."""

    made: list[Made] = field(default_factory=list)
    outputs_of: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Made]:
        return {made.name: made for made in self.made if made.type == kind}

    @property
    def containers(self) -> dict[str, Made]:
        return self.of("docker:index/container:Container")

    @property
    def commands(self) -> dict[str, Made]:
        return self.of("command:local:Command")

    def files(self, host: str) -> dict[str, str]:
        """The files of a host's edge by path, secret ones too, from what its command sends there."""
        inputs = self.commands[f"{host}-project"].plain()
        sent = [inputs["environment"][name] for name in re.findall(r'"\$(FILES\w*)"', inputs["create"])]
        parts = re.split(r"^==> (.+) <==\n", "".join([*sent, inputs["stdin"]]), flags=re.MULTILINE)
        assert (parts[0], parts[-2:]) == ("", [".", ""]), "a whole bundle"
        return dict(zip(parts[1:-2:2], parts[2:-2:2], strict=True))

    def project(self, host: str) -> dict[str, Any]:
        """The Compose project of a host's edge."""
        found: dict[str, Any] = yaml.safe_load(self.files(host)["compose.yaml"])
        return found

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """The containers of all edges, as Compose gets them, by `<host>-<role>`."""
        hosts = [name.removesuffix("-project") for name in self.commands if name.endswith("-project")]
        return {f"{host}-{role}": service for host in hosts for role, service in self.project(host)["services"].items()}


class _NoMocks(mocks.Mocks):
    """`_Monitor` answers every request itself; one that it leaves to the SDK's monitor is a fault of the test."""

    def call(self, args: mocks.MockCallArgs) -> NoReturn:
        raise AssertionError(f"not recorded: call of {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> NoReturn:
        raise AssertionError(f"not recorded: resource {args.name}")


class _Monitor(mocks.MockMonitor):
    def __init__(self, run: Run) -> None:
        super().__init__(_NoMocks())
        self.run = run

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = json_format.MessageToDict(request.object)
        self.run.made.append(Made(request.type, request.name, request.parent, inputs, request))
        state = dict(inputs)
        if request.type == "random:index/randomPassword:RandomPassword":
            state |= {"result": f"{PASSWORD}-{request.name}", "bcryptHash": HASH}
        if request.type == "command:local:Command":
            contact, key = request.name.endswith("-contact"), f"ssh-ed25519 AAAA{request.name}"
            state["stdout"] = (
                key if contact else PRINTED.get(request.name, f"applied at {len(request.name)}\nseen at 1")
            )
        state |= MADE_UP.get(request.type, lambda _: {})(request.name)
        state |= {
            key: secret_marks.secret(state[key])
            for key in request.additionalSecretOutputs
            if isinstance(state.get(key), str)
        }
        made = number(request.name) if request.type in NUMBERED else f"{request.name}-id"
        response = resource_pb2.RegisterResourceResponse(urn=urn, id=made if request.custom else "")
        json_format.ParseDict(state, response.object)
        return response

    def Invoke(self, request: Any) -> Any:
        """Of the provider's functions only the one that the program calls."""
        assert request.tok == "digitalocean:index/getDatabaseCa:getDatabaseCa", f"not recorded: call of {request.tok}"
        given = json_format.MessageToDict(request.args)
        answer = provider_pb2.InvokeResponse()
        json_format.ParseDict({**given, "id": given["clusterId"], "certificate": CA}, getattr(answer, "return"))
        return answer

    def ReadResource(self, request: Any) -> Any:
        """The stack's own outputs as the last update left them: none yet."""
        state = {"name": request.name, "outputs": {}, "secretOutputNames": []}
        response = resource_pb2.RegisterResourceResponse(urn=self.make_urn(request.parent, request.type, request.name))
        json_format.ParseDict(state, response.object)
        answer = resource_pb2.ReadResourceResponse(urn=response.urn)
        answer.properties.CopyFrom(response.object)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.run.outputs_of.append(request.urn)
        return empty_pb2.Empty()


class _Said(logging.Handler):
    def __init__(self, run: Run) -> None:
        super().__init__(logging.INFO)
        self.run = run

    def emit(self, record: logging.LogRecord) -> None:
        said = self.run.infos if record.levelno < logging.WARNING else self.run.warnings
        said.append(record.getMessage())


def full(**changes: Any) -> dict[str, Any]:
    """Everything on, on the one host that the program can make so far."""
    sections = raw(**changes)
    return without_web_1(sections)


_DONE: dict[tuple[str, ...], Run] = {}


def run(
    sections: dict[str, Any], patch: pytest.MonkeyPatch, facts: MachineFacts = FACTS, cloud: CloudFacts = CLOUD
) -> Run:
    """Runs the program with these sections of a stack file, all of them encrypted where they hold secrets.

    What was run once is not run again: tests only look at it.
    """
    key = (json.dumps(sections), repr(facts), repr(cloud))
    if key not in _DONE:
        _DONE[key] = _run_with(sections, patch, facts, cloud)
    return _DONE[key]


def _run_with(sections: dict[str, Any], patch: pytest.MonkeyPatch, facts: MachineFacts, cloud: CloudFacts) -> Run:
    config = {
        f"fleetwatch:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in sections.items()
    }
    patch.setenv("PULUMI_CONFIG", json.dumps(config))
    patch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(sorted(config)))
    patch.setenv("HOME", "/home/somebody")
    patch.setattr(machine_facts, "probe", lambda _: facts)
    patch.setattr(remote_host, "make_socket_folder", lambda: None)
    patch.setattr(cloud_facts, "probe", lambda *_: cloud)
    patch.syspath_prepend(str(ROOT))
    return contextvars.copy_context().run(record, _program)


def record(program: Callable[[], None]) -> Run:
    """What a program of a test registers."""
    recorded = Run()
    logger = logging.getLogger("recorded-engine")
    logger.handlers, logger.propagate = [_Said(recorded)], False
    logger.setLevel(logging.INFO)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        settings.ROOT.set(None)
        monitor = _Monitor(recorded)
        mocks.set_mocks(_NoMocks(), "fleetwatch", "test", preview=False, logger=logger, monitor=monitor)
        loop.run_until_complete(stack.run_pulumi_func(program))
        root = settings.get_root_resource()
        assert isinstance(root, stack.Stack)
        recorded.exports = dict(root.outputs)
        recorded.exports = loop.run_until_complete(_resolved(recorded.exports))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        gc.enable()  # the program switches it off for its one run; here a whole test session goes on
    return recorded


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


async def _resolved(exports: dict[str, Any]) -> dict[str, Any]:
    """Exports by name: (value, whether it is a secret)."""
    found = {}
    for key, value in exports.items():
        output = pulumi.Output.from_input(value)
        found[key] = (await output.future(), await output.is_secret())
    return found
