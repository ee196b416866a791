"""Whether every secret is encrypted."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from configs.settings import Settings
from configs.settings.messages import in_clear_text
from configs.settings.secrets import secret_paths


def unencrypted(settings: Settings, encrypted: Collection[str]) -> Iterator[str]:
    """Secrets in sections of which nothing is encrypted."""
    for path in secret_paths(settings):
        if path.split(".")[0] not in encrypted:
            yield in_clear_text(path)
