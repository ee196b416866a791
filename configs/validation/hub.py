"""Rules about the hub: its name, what DigitalOcean does for it beside running it, and how long data can wait."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from configs import names
from configs.settings import Settings
from configs.settings.backup import S3, Spaces

# Those that the provider's plugin accepts; DigitalOcean's API does not list them.
SPACES_REGIONS = ("ams3", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1")


# Names that no public certificate authority issues a certificate for (RFC 6761, 6762, 8375, and ICANN's `internal`).
_PRIVATE_DOMAINS = (
    ".localhost",
    ".internal",
    ".local",
    ".lan",
    ".home.arpa",
    ".home",
    ".corp",
    ".intranet",
    ".invalid",
    ".example",
)


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    yield from _domain(settings)
    yield from _cloud_services(settings)
    yield from _backup(settings)
    yield from _storage(settings)
    yield from _one_bucket(settings)
    yield from _ports(settings)
    budget, retention = settings.hub.outage_budget, settings.hub.retention
    if budget > retention.logs:
        yield (
            "hub.outage_budget: expected at most hub.retention.logs, otherwise logs expire before they arrive; shorten "
            "it, or raise hub.retention.logs"
        )
    if settings.hub.storage.in_bucket is None and budget > retention.metrics:
        yield (
            "hub.outage_budget: expected at most hub.retention.metrics, otherwise samples expire before they arrive; "
            "shorten it, or raise hub.retention.metrics"
        )


def _ports(settings: Settings) -> Iterator[str]:
    """Ports on which something else of the hub's own host listens."""
    taken = {names.NODE_EXPORTER_PORT: "the node exporter"}
    if settings.hub.droplet is not None:
        taken[22] = "SSH"
    if settings.hub.server is not None and settings.hub.server.bastion is None:
        taken[settings.hub.server.port] = "SSH"
    for name, port in settings.hub.ports:
        if port in taken:
            yield f"hub.ports.{name}: port {port} is taken by {taken[port]} of the hub's host; choose a different port"


def _domain(settings: Settings) -> Iterator[str]:
    hub = settings.hub
    if hub.local is not None and not hub.domain.endswith(".localhost"):
        yield "hub.domain: expected a name that ends in .localhost, a hub on this machine is reachable by no other"
    resolves = not hub.domain.endswith(_PRIVATE_DOMAINS) or hub.domain == names.NO_DOMAIN
    if hub.local is None and not resolves:
        yield (
            "hub.domain: expected a name that others can resolve, such as monitor.example.com; "
            "leave it out to use the hub's address"
        )
    if "acme" in hub.model_fields_set and not hub.public:
        yield "hub.acme: expected hub.domain beside it, without a public name the certificate is from the hub's own CA"
    outside = [name for name, host in settings.hosts.items() if host.via == "internet"]
    if hub.acme.staging and hub.public and outside:
        yield (
            f"hub.acme.staging: expected false with hosts that push over the internet ({', '.join(outside)}), they do "
            "not trust a certificate of the test directory; remove the key, or these hosts while you try it out"
        )


def _backup(settings: Settings) -> Iterator[str]:
    hub = settings.hub
    if hub.backup is not None and hub.backup.to.spaces is not None:
        yield from _spaces(settings, hub.backup.to.spaces, "hub.backup.to.spaces", "backup")
        yield from _other_region(settings, hub.backup.to.spaces, hub.backup.same_region)
    if hub.backup is None or hub.backup.to.s3 is None or hub.droplet is None:
        return
    host = urlsplit(hub.backup.to.s3.endpoint).hostname or ""
    if host == f"{settings.region}.digitaloceanspaces.com" and not hub.backup.same_region:
        yield (
            f"hub.backup.to.s3.endpoint: the bucket is in the hub's own region {settings.region}, one event may take "
            "both; choose another region, or set `same_region: true`"
        )


def _storage(settings: Settings) -> Iterator[str]:
    hub = settings.hub
    if (spaces := settings.stored_at_spaces) is not None:
        yield from _spaces(settings, spaces, "hub.storage.bucket.spaces", "data")
    if hub.storage.in_bucket is None:
        return
    if hub.metrics_block < 30:
        yield "hub.metrics_block: expected at least 30s with metrics in a bucket, Thanos fails with shorter blocks"
    for key in ("metrics", "metrics_size"):
        if key in hub.retention.model_fields_set:
            yield (
                f"hub.retention.{key}: expected no such key with metrics in a bucket, hub.storage.keep has their times "
                "by resolution; remove it"
            )


def _one_bucket(settings: Settings) -> Iterator[str]:
    """Also for a bucket that is only prepared."""
    data, backup = settings.hub.storage.bucket, settings.hub.backup
    if data is None or backup is None:
        return
    both = [_place(data.spaces, data.s3), _place(backup.to.spaces, backup.to.s3)]
    if both[0] is not None and both[0] == both[1]:
        yield (
            "hub.backup.to: this is the bucket of hub.storage, one event would take the data together with its backup; "
            "choose a different bucket"
        )


def _place(spaces: Spaces | None, s3: S3 | None) -> tuple[str, str] | None:
    """Server and bucket; None for one that the program makes."""
    if s3 is not None:
        return s3.place
    return (f"{spaces.region}.digitaloceanspaces.com", spaces.bucket) if spaces and spaces.bucket else None


def _other_region(settings: Settings, spaces: Spaces, same_region: bool) -> Iterator[str]:
    path = "hub.backup.to.spaces"
    if spaces.region not in SPACES_REGIONS:
        return
    if settings.hub.droplet is not None and spaces.region == settings.hub.droplet.region and not same_region:
        yield (
            f"{path}: {spaces.region} is the hub's own region, one event may take both; choose another region, or set "
            "`same_region: true`"
        )


def _spaces(settings: Settings, spaces: Spaces, path: str, purpose: names.BucketPurpose) -> Iterator[str]:
    if spaces.region not in SPACES_REGIONS:
        yield f"{path}: expected a region with Spaces ({', '.join(SPACES_REGIONS)}), got {spaces.region!r}"
    name = f"{names.bucket(settings.prefix, settings.env, purpose)}{'x' * names.BUCKET_SUFFIX}"
    if spaces.bucket is None and not names.is_bucket(name):
        yield (
            f"{path}: expected a bucket's name of lower-case letters, digits and hyphens, at most {names.BUCKET_LIMIT} "
            f"characters, it would be {name}; change fleetwatch:prefix or fleetwatch:env"
        )


def _cloud_services(settings: Settings) -> Iterator[str]:
    hub = settings.hub
    if hub.dns_zone is not None and hub.droplet is None:
        yield "hub.dns_zone: expected a hub that is a droplet; make the DNS record of any other yourself"
    elif hub.dns_zone is not None and not f".{hub.domain}".endswith(f".{hub.dns_zone}"):
        given = hub.domain if hub.public else "no hub.domain"
        yield f"hub.dns_zone: expected the end of hub.domain ({given}), got {hub.dns_zone!r}"
    if hub.uptime is not None and hub.droplet is None:
        yield "hub.uptime: expected a hub that is a droplet, the check is a service of DigitalOcean"
