"""A command in the background: what it starts can be interrupted again."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tools.cli import heed_interrupts


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def test_ignored_interrupt_is_heeded_again() -> None:
    """What is handled here has its default in a child, and what is ignored here would be ignored there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heed_interrupts()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handler_of_a_caller_stays() -> None:
    def handler(*_: object) -> None:
        """Somebody's."""

    signal.signal(signal.SIGINT, handler)
    heed_interrupts()
    assert signal.getsignal(signal.SIGINT) is handler
