"""The hosts of the stack file as series, so that dashboards also show hosts that never sent a sample."""

from __future__ import annotations

from configs.rules.model import Group, Record, constant
from configs.settings import Settings

EXPECTED = "fleetwatch:host_expected"


def group(settings: Settings) -> Group:
    """One series with value 1 for each host that is not abandoned, with the labels `env` and `host`."""
    names = [name for name, host in sorted(settings.hosts.items()) if not host.abandoned]
    each = [constant(1, host=host, env=settings.env) for host in names]
    rules = (Record(name=EXPECTED, expr="\nor\n".join(each)),) if each else ()
    return Group(name="fleet", rules=rules)
