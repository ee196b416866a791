"""How the repository of the backup is read on the hub: which containers, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

import pytest

from tests.fixtures import fleets
from tools.backup import repository
from tools.errors import ToolError
from tools.stack import Stack


def test_only_what_reads_the_repository_has_its_secrets_and_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def record(words: Sequence[str], stdin: bytes = b"") -> bytes:
        ran.append(list(words))
        return b""

    found = object.__new__(repository.Repository)
    found.prefix, found.backup, found.image, found.scripts = "fw", "fw-backup", "restic", ("-v", "/base:/etc/backup:ro")
    monkeypatch.setattr(found, "sent", record)
    monkeypatch.setattr(found, "wait_for", lambda volume: None)
    for words in (("stage", "logs", "1"), ("merge", "logs"), ("verify", "caddy")):
        found.script(*words, volume="fw-loki")
    whole = [("--volumes-from" in words, words[words.index("--network") + 1]) for words in ran]
    assert whole == [(True, "fw-hub"), (False, "none"), (False, "none")]


def test_first_node_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "docker inspect failed on the hub: ssh: connect to host hub: No route to host"
    monkeypatch.setattr(repository.Repository, "inspected", mock.Mock(side_effect=ToolError(reason)))
    stack = mock.create_autospec(Stack, instance=True, hub_is_local=True)
    for settings, end in (
        (fleets.cluster(), ". Backups of a cluster .* first node, hub: start it, .*HOST=hub"),
        (None, "$"),
    ):
        stack.settings.return_value = settings
        with pytest.raises(ToolError, match=reason + end):
            repository.Repository(stack)


def test_container_that_never_started_does_not_stop_every_later_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore was killed between the two steps of `docker run`: such a container is there for good."""
    ran: list[tuple[str, ...]] = []
    found = object.__new__(repository.Repository)
    monkeypatch.setattr(repository, "REMOVED", 0.3)

    def try_docker(*words: str) -> str:
        ran.append(words)
        return "0"

    monkeypatch.setattr(found, "try_docker", try_docker)
    found.wait_for("fw-loki")
    assert ran[-1] == ("rm", "fw-loki-restoring"), "without force: one that runs is left alone"
    ran.clear()
    monkeypatch.setattr(found, "try_docker", lambda *words: ran.append(words))
    found.wait_for("fw-loki")
    assert ran == [("wait", "fw-loki-restoring")]
