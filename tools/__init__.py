"""The tool chain: what has to be on a machine before the program can run (engine, Pulumi, images, plugins).

Only the standard library and PyYAML: it runs before anything else works.
"""
