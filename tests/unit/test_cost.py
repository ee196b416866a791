"""What a stack file costs: figures added up by hand from the table of prices."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs import cost
from configs.settings import load
from tests.fixtures.fleets import HUB, SERVER_HUB, SOURCE, VPS, fleet

TABLE: dict[str, Any] = yaml.safe_load((Path(cost.__file__).parent / "prices.yaml").read_text())
WEB = {"size": "s-1vcpu-1gb"}


def _monthly(hub: dict[str, Any] | None = None, **hosts: Any) -> cost.Cost:
    return cost.monthly(load(fleet(hub, hosts=hosts), SOURCE))


def _items(made: cost.Cost) -> dict[str, float | None]:
    return {item.what: item.usd for item in made.items}


def test_a_hub_and_a_host_are_added_up() -> None:
    made = _monthly(web={"droplet": WEB})
    assert _items(made) == {"hub s-2vcpu-4gb": 24, "web s-1vcpu-1gb": 6, "hub volume 100 GB": 10, "hub address": 0}
    assert made.total == 40
    assert made.sentence == (
        "Costs 40.00 USD a month (hub s-2vcpu-4gb 24.00, web s-1vcpu-1gb 6.00, hub volume 100 GB 10.00; "
        f"prices of {TABLE['as_of']})"
    ), "what costs nothing is not listed"


def test_backups_are_a_fifth_of_their_droplet() -> None:
    made = _monthly({"droplet": {"region": "fra1", "backups": True, "volume": 250}})
    assert _items(made) == {
        "hub s-2vcpu-4gb": 24,
        "hub backups": 4.8,
        "hub volume 250 GB": 25,
        "hub address": 0,
    }
    assert made.total == 53.8


def test_an_unknown_size_is_named_and_makes_the_total_a_lower_bound() -> None:
    made = _monthly(big={"droplet": {"size": "g-40vcpu-160gb", "backups": True}})
    assert _items(made)["big g-40vcpu-160gb"] is None
    assert made.total == 34
    assert made.sentence.startswith("Costs at least 34.00 USD a month (")
    assert made.sentence.endswith("; unknown for big g-40vcpu-160gb, big backups)"), "and so are its backups"


def test_servers_are_others_bills() -> None:
    made = _monthly(SERVER_HUB, vps={"server": {"address": VPS}})
    assert (made.items, made.total) == ((), 0)


def test_a_check_from_outside_costs_a_dollar() -> None:
    assert _items(_monthly({**HUB, "uptime": {"email": ["ops@example.com"]}}))["hub uptime check"] == 1


def test_the_table_says_when_and_where_it_was_read() -> None:
    assert isinstance(TABLE["as_of"], date)
    assert TABLE["source"].startswith("https://www.digitalocean.com/")


@pytest.mark.parametrize("size", ["s-1vcpu-1gb", "s-2vcpu-4gb"])
def test_the_default_sizes_have_a_price(size: str) -> None:
    assert TABLE["droplets"][size] > 0
