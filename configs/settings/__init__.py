"""The typed stack file: `load(raw, source)` gives `Settings`, or a SettingsError that lists every mistake in its form.

Rules that need several sections, this machine or the cloud are in configs/validation.
"""

from configs.settings.edge import Edge
from configs.settings.host import Host
from configs.settings.hub import Hub
from configs.settings.load import load, read
from configs.settings.model import IMAGE_KEYS, Settings, SettingsError
from configs.settings.places import Local

__all__ = ["IMAGE_KEYS", "Edge", "Host", "Hub", "Local", "Settings", "SettingsError", "load", "read"]
