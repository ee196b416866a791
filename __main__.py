"""fleetwatch: one stack file in, a hub and its edges out."""

import components.short_lived  # noqa: F401 - before what is heavy to import
from components.credential import Credential, rotations_done
from components.edge import Edge, EdgeArgs
from components.fleet import Fleet
from components.host import host_options
from components.hub import HubArgs
from components.hubs import hubs
from components.program_settings import load_settings
from components.summary import export
from configs import images, names

settings, cloud = load_settings()
pins = images.resolve(settings.images)
fleet = Fleet(settings, pins, cloud)
done = rotations_done(settings.hosts)
credentials = {
    name: Credential.for_host(name, host, done, fleet.hosts[name])
    for name, host in settings.hosts.items()
    if host.via == "internet"
}
admin = Credential(names.ADMIN)
users = {name: credential.accepted for name, credential in credentials.items()}
hub_args = HubArgs(host=fleet.hub, settings=settings, images=pins, users=users, admin_password=admin.password)
made = hubs(fleet, hub_args)
edges: dict[str, Edge] = {}
for name, host in settings.hosts.items():
    args = EdgeArgs(
        host=fleet.hosts[name],
        settings=settings,
        images=pins,
        credential=credentials.get(name),
        hub=made.get(name, made["hub"]).endpoint_for(name),
        gate=fleet.gate,
    )
    # The hub must accept the credential before the edge pushes: remote write treats a 401 as final.
    edges[name] = Edge(name, args, host_options(host, depends_on=[made[name]] if name in made else list(made.values())))
export(settings, fleet, made["hub"], admin, edges)
