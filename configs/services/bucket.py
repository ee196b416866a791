"""The bucket with the hub's metrics and logs, as Thanos and Loki are configured for it.

Their configuration has no key in it: both read it from a file in the form of AWS' tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from configs import names
from configs.render.dump import to_yaml
from configs.services.spec import File, Late, LateField

if TYPE_CHECKING:
    from configs.settings import Settings
    from configs.settings.backup import S3
    from configs.settings.storage import Bucket

METRICS = "metrics"  # the folder of the bucket with Thanos' blocks; Loki's have no folder in common
CREDENTIALS = "s3"
ENVIRONMENT = (f"AWS_SHARED_CREDENTIALS_FILE={names.SECRETS}/{CREDENTIALS}",)
SPACES_REGION = "us-east-1"  # Spaces accept it in every region; the provider's plugin signs with it


@dataclass(frozen=True)
class Place:
    """Where a bucket is: `endpoint` is host:port, `secure` whether by TLS."""

    endpoint: str
    secure: bool
    bucket: str
    region: str


def _place(bucket: Bucket, late: Late) -> Place:
    url, region = late.storage, SPACES_REGION
    if bucket.s3 is not None:
        url, region = f"{bucket.s3.endpoint.rstrip('/')}/{bucket.s3.bucket}", bucket.s3.region or SPACES_REGION
    parts = urlsplit(url)
    return Place(parts.netloc, parts.scheme == "https", parts.path.strip("/"), region)


def file(settings: Settings, render: Callable[[Place], str]) -> File:
    """A file that `render` makes of the Place of the settings' bucket."""
    return late_file(settings, lambda place, _: render(place))


def late_file(settings: Settings, render: Callable[[Place, Late], str], needs: tuple[LateField, ...] = ()) -> File:
    """The same of the Place and of further late values, those in `needs`."""
    bucket = _bucket(settings)
    made = ("storage",) if bucket.s3 is None else ()
    return File(lambda late: render(_place(bucket, late), late), needs=(*made, *needs))


def _bucket(settings: Settings) -> Bucket:
    bucket = settings.hub.storage.bucket
    assert bucket is not None, "only containers of a hub with a bucket need it"
    return bucket


def objstore(place: Place) -> str:
    """The configuration of a bucket for Thanos."""
    return to_yaml(
        {
            "type": "S3",
            "config": {
                "bucket": place.bucket,
                "endpoint": place.endpoint,
                "region": place.region,
                "insecure": not place.secure,
                "bucket_lookup_type": "path",
                "aws_sdk_auth": True,  # reads the file with the key
            },
            "prefix": METRICS,
        },
        "The bucket with the metrics, rendered by fleetwatch",
    )


def loki(place: Place) -> dict[str, Any]:
    """The bucket for Loki."""
    return {
        "endpoint": place.endpoint,
        "bucketnames": place.bucket,
        "region": place.region,
        "insecure": not place.secure,
        "s3forcepathstyle": True,
    }


def credentials(settings: Settings) -> dict[str, File]:
    """The secret file with the key."""
    return key_file(_bucket(settings).s3, "storage_key")


def key_file(s3: S3 | None, made: Literal["bucket_key", "storage_key"]) -> dict[str, File]:
    """The secret file with a key: of an S3 server; without one, of a bucket at Spaces, known late as `made`."""
    if s3 is None:
        return {CREDENTIALS: File(lambda late: _ini(getattr(late, made)), needs=(made,))}
    given = {"access_key": s3.access_key.get_secret_value(), "secret_key": s3.secret_key.get_secret_value()}
    return {CREDENTIALS: File(lambda _: _ini(given))}


def _ini(key: Mapping[str, str]) -> str:
    """A key in the form of AWS' tools."""
    return f"[default]\naws_access_key_id = {key['access_key']}\naws_secret_access_key = {key['secret_key']}\n"
