"""The typed stack file: `load(raw, source)` gives `Settings` or a SettingsError that names every problem."""

from configs.settings.edge import Edge
from configs.settings.host import Host
from configs.settings.hub import Hub
from configs.settings.load import IMAGE_KEYS, Settings, SettingsError, load, read
from configs.settings.places import Local

__all__ = ["IMAGE_KEYS", "Edge", "Host", "Hub", "Local", "Settings", "SettingsError", "load", "read"]
