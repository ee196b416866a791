"""The fleet of `make rehearse`: up from nothing, nothing to do, a droplet added. hosts.py measures larger ones."""

from __future__ import annotations

from tests.bench import cloud, page
from tools.progress import step

REPEATS = 5


def measured(watch: page.Watch) -> cloud.Section:
    """All of it, about three minutes."""
    section = cloud.Section(f"Fleet in a rehearsal cloud, {cloud.which_plugins()}")
    with cloud.fleet() as fleet:
        watch.own = fleet.name
        with step("pulumi up, from nothing"):
            runs = fleet.timed()
        share = fleet.share(runs, "hub", "db-1")
        section.add("`pulumi up` from nothing: hub, droplet, server", runs, f"cloud and server there; {share.words()}")
        watch.look()
        with step("pulumi up, nothing to do"):
            runs = fleet.unchanged(REPEATS)
        section.add(f"`pulumi up`, no-op, {len(fleet.hosts)} hosts", runs, "the engine's command alone")
        fleet.change({"hosts": {"web-1": {"droplet": {"size": "s-1vcpu-1gb"}}}})
        with step("droplet web-1 added"):
            runs = fleet.timed()
        section.add("one droplet added", runs, f"images there; {fleet.share(runs, 'web-1').words()}")
        watch.look()
    return section
