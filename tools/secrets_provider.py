"""Which of Pulumi's secrets providers encrypts the secrets of a stack: `secretsprovider:` of its stack file.

Without that line it is a passphrase. The other providers get their credentials from their own environment variables.
"""

from __future__ import annotations

from pathlib import Path

from tools import backend, working_copy
from tools.errors import ToolError

PASSPHRASE, DEFAULT = "passphrase", "default"
_KEY_SERVICES = ("awskms", "azurekeyvault", "gcpkms", "hashivault")


def choose(file: Path, working: Path) -> str:
    """The provider that the stack file names, or the working copy where there is no stack file. ToolError for one that
    Pulumi does not have."""
    source = file if file.exists() else working
    given = working_copy.read(source).get("secretsprovider") if source.exists() else None
    if given is None:
        return PASSPHRASE
    text = str(given)
    service, _, key = text.partition("://")
    if text not in (PASSPHRASE, DEFAULT) and not (key and service in _KEY_SERVICES):
        raise ToolError(
            f"secretsprovider: expected {PASSPHRASE}, {DEFAULT} or the URL of a key service "
            f"({', '.join(f'{name}://' for name in _KEY_SERVICES)}), got {text!r} ({source}); docs/state.md"
        )
    return text


def needs_passphrase(provider: str, url: str) -> bool:
    """Whether a stack with its state in the backend at `url` needs a passphrase. `default` is Pulumi Cloud's own
    service there, and a passphrase in every other backend."""
    return provider == PASSPHRASE or provider == DEFAULT and not backend.needs_login(url)
