"""The bucket of DigitalOcean Spaces that the hub's backups go to, and a key for this bucket alone.

Only a key for all buckets of the account can make a bucket. The program makes that key too: whoever has the API token
could. It stays in the state, as a secret, and is sent to no host.
"""

from __future__ import annotations

import os

import pulumi
import pulumi_digitalocean as do
import pulumi_random as random

from configs import names
from configs.settings import Settings
from configs.settings.backup import Spaces

ENDPOINT = "https://{{.Region}}.digitaloceanspaces.com"  # the provider's own form, and its default


class BackupBucket(pulumi.ComponentResource):
    """A private bucket with a random part in its name, which all customers share one name space for.

    Outputs: `url`, the bucket's address; `key`, its `access_key` and `secret_key`, both secret.
    """

    def __init__(self, settings: Settings, spaces: Spaces, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:BackupBucket", "backup-bucket", None, opts)
        self._name = names.cloud(settings.prefix, settings.env)
        self._template = pulumi.Config("digitalocean").get("spacesEndpoint") or os.environ.get("SPACES_ENDPOINT_URL")
        bucket: pulumi.Input[str] = spaces.bucket or self._bucket(settings, spaces).name
        made = self._key("backup-key", f"{self._name}-backup", bucket, "readwrite")
        endpoint = (self._template or ENDPOINT).replace("{{.Region}}", spaces.region).rstrip("/")
        self.url = pulumi.Output.concat(endpoint, "/", bucket)
        self.key: pulumi.Output[dict[str, str]] = pulumi.Output.all(  # secret, as its parts are
            access_key=made.access_key, secret_key=made.secret_key
        )
        self.register_outputs({"url": self.url})

    @classmethod
    def wanted(cls, settings: Settings, parent: pulumi.Resource) -> BackupBucket | None:
        """The bucket of these settings; None if their backups go elsewhere."""
        if settings.spaces is None:
            return None
        return cls(settings, settings.spaces, pulumi.ResourceOptions(parent=parent))

    def _key(self, name: str, called: str, bucket: pulumi.Input[str], permission: str) -> do.SpacesKey:
        return do.SpacesKey(
            name,
            name=called,
            grants=[do.SpacesKeyGrantArgs(bucket=bucket, permission=permission)],
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["accessKey"]),
        )

    def _bucket(self, settings: Settings, spaces: Spaces) -> do.SpacesBucket:
        owner = self._key("spaces-key", f"{self._name}-spaces", "", "fullaccess")
        account = do.Provider(
            "spaces",
            spaces_access_id=owner.access_key,
            spaces_secret_key=owner.secret_key,
            spaces_endpoint=self._template,
            opts=pulumi.ResourceOptions(parent=self),
        )
        suffix = random.RandomString(
            "bucket-name",
            length=names.BUCKET_SUFFIX,
            special=False,
            upper=False,
            keepers={"region": spaces.region},  # a bucket does not move: another region has another one
            opts=pulumi.ResourceOptions(parent=self),
        )
        return do.SpacesBucket(
            "bucket",
            name=pulumi.Output.concat(names.bucket(settings.prefix, settings.env), suffix.result),
            region=spaces.region,
            acl="private",
            force_destroy=not spaces.keep,
            # Without `keep: false` only a person deletes backups, at DigitalOcean.
            opts=pulumi.ResourceOptions(
                parent=self, provider=account, protect=settings.protected, retain_on_delete=spaces.keep
            ),
        )
