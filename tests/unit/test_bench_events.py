"""Which part of an engine run the bench says was waiting for the cloud."""

from __future__ import annotations

from tests.bench.events import Step, share

DROPLET = Step("digitalocean:index/droplet:Droplet", "web-1-droplet", 10, 30)
FILES = Step("command:local:Command", "hub-agent-config", 25, 40)
BOOT = Step("command:local:Command", "web-1-ready", 30, 45)


def test_the_share_that_did_not_wait_for_the_cloud_is_said() -> None:
    found = share(40.0, [DROPLET, FILES, BOOT], ["web-1"])
    assert (found.cloud, found.alone) == (35, 20), "boot is the cloud's; from 25 to 40 our own work went on beside it"
    assert (
        found.words()
        == "35 s (88%) of it the cloud was at work, 20 s of these nothing else was: 50% did not wait for it"
    )


def test_a_server_and_a_run_without_a_change_wait_for_no_cloud() -> None:
    assert share(25.0, [FILES, BOOT], []).words() == "0 s of it the cloud was at work"
    assert share(5.0, [], []).words() == "0 s of it the cloud was at work"
