"""The fleet, fifth part: a password is rotated without losing a sample, a host gets another name, droplets another size."""

from __future__ import annotations

import time

import pytest

from tests.integration.fleet import Fleet
from tests.integration.rig import eventually

pytestmark = pytest.mark.xdist_group("fleet")

PUSH = "/loki/api/v1/push"


def _status(fleet: Fleet, user: str, password: str) -> int:
    """What the hub's public door says to an empty push, asked on the hub; 401: it does not know them."""
    ask = (
        "docker exec -i fleetwatch-caddy sh -c 'read p; "
        f'wget -S -O /dev/null --no-check-certificate --header "Authorization: Basic $p" --post-data=x https://hub.fleetwatch.internal:8443{PUSH}'
        "' 2>&1"
    )
    import base64

    said = fleet.on("hub", "sh", "-c", ask, check=False, stdin=base64.b64encode(f"{user}:{password}".encode()).decode())
    raise AssertionError(said)


def test_nothing(fleet: Fleet) -> None:
    print(_status(fleet, "vps-1", "x"))
