"""fleetwatch: one stack file in, a hub and its edges out."""

import pulumi

from components.credential import Credential
from components.edge import Edge, EdgeArgs
from components.gate import Gate, GateArgs
from components.host import Host, HostArgs
from components.hub import Hub, HubArgs
from components.stackfile import settings_or_exit
from configs import images
from configs.expected import scrape_jobs

settings = settings_or_exit()
pins = images.resolve(settings.images)
credentials = {name: Credential(name) for name in settings.hosts}
admin = Credential("grafana-admin")
places = {"hub": Host("hub", HostArgs(stack=settings.prefix, local=settings.hub.local))}
users = {name: credentials[name].bcrypt for name, edge in settings.hosts.items() if edge.via == "internet"}
hub_args = HubArgs(host=places["hub"], settings=settings, images=pins, users=users, admin_password=admin.password)
hub = Hub("hub", hub_args, pulumi.ResourceOptions(providers=[places["hub"].docker]))
for name, edge in settings.hosts.items():
    args = EdgeArgs(
        host=places[name],
        settings=settings,
        images=pins,
        credential=credentials[name],
        push_url=hub.push_url(edge.via),
        hub_ca=hub.ca if edge.via == "internet" else None,
        hub_networks=[hub.network] if name == "hub" else [],
    )
    # The hub first: its door must know the host's password before the host knocks, a refusal would lose samples.
    made = Edge(name, args, pulumi.ResourceOptions(providers=[places[name].docker], depends_on=[hub]))
    Gate(name, GateArgs(hub=places["hub"], host=name, log_agent=edge.logs.agent, marks=made.marks))

pulumi.export("url", hub.url)
pulumi.export("user", settings.hub.grafana.admin_user)
pulumi.export("password", admin.password)
pulumi.export("query", hub.query)
pulumi.export("jobs", {name: scrape_jobs(settings, name) for name in settings.hosts})
