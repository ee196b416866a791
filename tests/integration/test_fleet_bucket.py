"""A fleet in a rehearsal whose hub moves its data into a bucket at Spaces, over SSH, and comes back by `make rebuild`
after its droplet and its volume are gone, without a restore."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from configs.metrics_store import RECEIVE, THANOS
from tests.integration.fleet import Fleet, told
from tests.integration.rig import eventually

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("fleet-bucket")]

BLOCK = 60  # seconds
SAMPLES = 'up{job="node",host="web"}'


class StoredFleet(Fleet):
    """A hub and one droplet. Its networks are none of another fleet's."""

    internet = "198.18.80.0/24"
    more_images = ("s3", "thanos")

    def begin(self) -> None:
        fast = {"scrape": {"agents": "5s", "node": "5s", "hub": "5s"}}
        self.config["hosts"] = {"hub": fast, "web": {"droplet": {"size": "s-1vcpu-1gb"}, **fast}}
        self.config["access"]["admin_cidrs"] = ["198.18.80.1/32"]
        self.config["cloud"] = {"range": "10.82.0.0/20"}
        hub = self.config["hub"]
        hub.pop("uptime")
        hub["storage"] = {"kind": "single", "bucket": {"spaces": "fra1"}}
        hub["metrics_block"] = f"{BLOCK}s"
        super().begin()


@pytest.fixture(scope="module")
def fleet() -> Iterator[StoredFleet]:
    with told(StoredFleet) as made:
        assert isinstance(made, StoredFleet)
        made.up()
        yield made


def uploaded(fleet: Fleet) -> float:
    """When the newest block was uploaded; 0 before the first."""
    newest = f'max(thanos_objstore_bucket_last_successful_upload_time{{job="{RECEIVE}"}})'
    return max((float(one["value"][1]) for one in fleet.metrics(newest)), default=0.0)


def test_hub_moves_into_the_bucket(fleet: StoredFleet) -> None:
    before, edge = eventually("samples", lambda: fleet.stamps(SAMPLES, "10m")), fleet.containers("web")
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).date().isoformat()
    kept = {"metrics": None, "metrics_size": None}  # a bucket has its own
    fleet.change({"hub": {"storage": {"kind": "bucket", "logs_since": tomorrow}, "retention": kept}})
    done = fleet.tool("grow", "--to", "bucket", "--yes")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "are in the bucket, with as many samples of `up` as before" in done.stdout
    assert not set(before) - set(fleet.stamps(SAMPLES, "20m")), "samples of before the move are answered"
    assert fleet.containers("web") == edge, "an edge's container was touched"
    assert fleet.tool("grow", "--forget", "--yes").returncode == 0


def test_it_has_data_for_everything(fleet: StoredFleet) -> None:
    assert set(THANOS) <= set(fleet.containers("hub"))
    done = fleet.tool("doctor")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Everything has data" in done.stdout


def test_lost_droplet_and_volume_come_back_by_rebuild_with_what_was_uploaded(fleet: StoredFleet) -> None:
    begun = time.time()
    eventually("blocks of now", lambda: uploaded(fleet) > begun + 2 * BLOCK, patience=400, pause=5)
    before, edge = fleet.stamps(SAMPLES, "10m"), fleet.containers("web")
    droplet, (volume,) = fleet.droplet("hub"), fleet.api("volumes")
    destroyed = time.time()
    fleet.ask("DELETE", f"droplets/{droplet['id']}")
    eventually("no droplet", lambda: droplet["id"] not in [one["id"] for one in fleet.api("droplets")], patience=60)
    fleet.ask("DELETE", f"volumes/{volume['id']}")

    done = fleet.tool("rebuild", "hub")
    assert done.returncode == 0, done.stdout[-8000:]
    assert "At the cloud there is no hub-droplet and no hub-volume any more; they are made again." in done.stdout
    back = time.time()
    assert fleet.api("volumes")[0]["id"] != volume["id"]
    assert fleet.containers("web") == edge, "an edge's container was touched"

    eventually("samples of now", lambda: fleet.stamps(SAMPLES, "1m")[-1] > back, patience=180)
    again = fleet.stamps(SAMPLES, f"{time.time() - begun + 300:.0f}s")
    missing = [at for at in before if at not in again]
    lost = max(missing, default=0) - min(missing, default=0)
    print(f"the hub was back after {back - destroyed:.0f} s; lost with its disk: {lost:.0f} s of samples")
    assert not [at for at in missing if at < destroyed - 3 * BLOCK], "uploaded, and not there"
    assert again[-1] - max(before) > 0
    gaps = [later - earlier for earlier, later in zip(again, again[1:], strict=False) if later > destroyed + 5]
    assert max(gaps) < max(22, lost + 15), f"the edge's backlog: {gaps}"
    assert len(again) == len(set(again)), "a sample is there twice"


def test_the_rebuilt_hub_has_no_fault_and_nothing_to_change(fleet: StoredFleet) -> None:
    done = fleet.tool("doctor")
    assert done.returncode == 0, done.stdout[-4000:]
    assert fleet.planned() == {}
