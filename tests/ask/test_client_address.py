"""The client's address and the scheme, from the headers of the proxy in front."""

from __future__ import annotations

from typing import Any

import pytest

from ask.service.web import behind_proxy

PEER = ("172.20.0.5", 41000)


def _seen(*headers: tuple[bytes, bytes]) -> tuple[str, str]:
    scope: dict[str, Any] = {"type": "http", "client": PEER, "scheme": "http", "headers": list(headers)}
    behind_proxy(scope)
    return scope["client"][0], scope["scheme"]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ((b"198.51.100.7",), "198.51.100.7"),
        ((b"192.0.2.1, 198.51.100.7",), "198.51.100.7"),
        ((b"192.0.2.1", b"192.0.2.2,198.51.100.7 "), "198.51.100.7"),
        ((b"192.0.2.1, 2001:DB8:0::7",), "2001:db8::7"),
        ((b"192.0.2.1, somewhere",), PEER[0]),
        ((b"192.0.2.1,",), PEER[0]),
        ((), PEER[0]),
    ],
)
def test_the_address_is_the_last_one_that_was_added(forwarded: tuple[bytes, ...], address: str) -> None:
    assert _seen(*((b"x-forwarded-for", one) for one in forwarded)) == (address, "http")


@pytest.mark.parametrize(("given", "scheme"), [(b"https", "https"), (b"http", "http"), (b"javascript", "http")])
def test_the_scheme_is_the_proxys(given: bytes, scheme: str) -> None:
    assert _seen((b"x-forwarded-proto", given)) == (PEER[0], scheme)
