"""Stand-ins for provider plugins that could not be installed here: docker, command, random, digitalocean.

The docstring of each module describes what the stand-in covers and its limits.

The program uses them only where the vendor's plugins cannot be fetched, and every run reports it. They cover only what
this program uses and refuse the rest. A difference from the real plugin is a bug of the stand-in.
"""
