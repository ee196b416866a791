"""A reader of sql_exporter's configuration that takes its place where the real one cannot be had; it says so.

It runs the same queries from the same files and serves the same metrics under the same names. It covers what this
project's files use and refuses every other key: PostgreSQL alone, no secret managers, no reload, no time stamps.
"""

BANNER = (
    "sql_exporter stand-in - not sql_exporter: a reader of the same configuration, used because the real one could not "
    "be fetched on this machine."
)
