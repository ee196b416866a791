"""Stand-ins for provider plugins that could not be installed here: docker, command, random, digitalocean.

The module of each says what it does and what not.

They are used only where the vendor's own plugins cannot be fetched, say so in every run, cover only what this program
uses, and refuse the rest. A difference from the real plugin is a bug of the stand-in.
"""
