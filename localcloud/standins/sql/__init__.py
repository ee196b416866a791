"""A replacement for sql_exporter where the real one cannot be fetched; its banner identifies it as a stand-in.

It runs the same queries from the same files and serves the same metrics under the same names. It covers the keys that
this project's files use and refuses every other key: PostgreSQL only, no secret managers, no reload, no time stamps.
"""

BANNER = (
    "sql_exporter stand-in - not sql_exporter: a reader of the same configuration, used because the real one could not "
    "be fetched on this machine."
)
