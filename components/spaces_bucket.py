"""Buckets of DigitalOcean Spaces, each with a key for it alone: for the hub's backups, and for its metrics and logs.

Only a key for all buckets of the account can make a bucket. The program makes that key too: whoever has the API token
could. It stays in the state, as a secret, and is sent to no host.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property

import pulumi
import pulumi_digitalocean as do
import pulumi_random as random

from configs import names
from configs.names import BucketPurpose
from configs.settings import Settings
from configs.settings.backup import Spaces

ENDPOINT = "https://{{.Region}}.digitaloceanspaces.com"  # the provider's own form, and its default


def _template() -> str | None:
    return pulumi.Config("digitalocean").get("spacesEndpoint") or os.environ.get("SPACES_ENDPOINT_URL")


@dataclass
class SpacesAccount:
    """Makes buckets, with one key and one provider for all of them."""

    settings: Settings
    parent: pulumi.Resource

    @cached_property
    def provider(self) -> do.Provider:
        """Made with the first bucket."""
        name = f"{names.cloud(self.settings.prefix, self.settings.env)}-spaces"
        owner = key("spaces-key", name, "", "fullaccess", self.parent)
        return do.Provider(
            "spaces",
            spaces_access_id=owner.access_key,
            spaces_secret_key=owner.secret_key,
            spaces_endpoint=_template(),
            opts=pulumi.ResourceOptions(parent=self.parent),
        )


def key(name: str, called: str, bucket: pulumi.Input[str], permission: str, parent: pulumi.Resource) -> do.SpacesKey:
    """An access key. `bucket` "": for all of them."""
    return do.SpacesKey(
        name,
        name=called,
        grants=[do.SpacesKeyGrantArgs(bucket=bucket, permission=permission)],
        opts=pulumi.ResourceOptions(parent=parent, additional_secret_outputs=["accessKey"]),
    )


class SpacesBucket(pulumi.ComponentResource):
    """A private bucket with a random part in its name, which all customers share one name space for.

    Outputs: `url`, the bucket's address; `key`, its `access_key` and `secret_key`, both secret.
    """

    def __init__(
        self,
        purpose: BucketPurpose,
        account: SpacesAccount,
        spaces: Spaces,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("fleetwatch:index:SpacesBucket", purpose, None, opts)
        self._purpose, self._account = purpose, account
        settings = account.settings
        bucket: pulumi.Input[str] = spaces.bucket or self._bucket(settings, spaces).name
        called = f"{names.cloud(settings.prefix, settings.env)}-{purpose}"
        made = key(f"{purpose}-key", called, bucket, "readwrite", self)
        endpoint = (_template() or ENDPOINT).replace("{{.Region}}", spaces.region).rstrip("/")
        self.url = pulumi.Output.concat(endpoint, "/", bucket)
        self.key: pulumi.Output[dict[str, str]] = pulumi.Output.all(  # secret, as its parts are
            access_key=made.access_key, secret_key=made.secret_key
        )
        self.register_outputs({"url": self.url})

    def _bucket(self, settings: Settings, spaces: Spaces) -> do.SpacesBucket:
        suffix = random.RandomString(
            f"{self._purpose}-bucket-name",
            length=names.BUCKET_SUFFIX,
            special=False,
            upper=False,
            keepers={"region": spaces.region},  # a bucket does not move: another region has another one
            opts=pulumi.ResourceOptions(parent=self),
        )
        return do.SpacesBucket(
            f"{self._purpose}-bucket",
            name=pulumi.Output.concat(names.bucket(settings.prefix, settings.env, self._purpose), suffix.result),
            region=spaces.region,
            acl="private",
            force_destroy=not spaces.keep,
            # Without `keep: false` only a person deletes what is in it, at DigitalOcean.
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._account.provider,
                protect=settings.protected,
                retain_on_delete=spaces.keep,
            ),
        )
