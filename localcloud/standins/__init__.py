"""Stand-ins for programs that cannot be fetched on this machine: provider plugins, Grafana and sql_exporter.

Each is named as a stand-in wherever a user meets it, covers only what this project uses, and refuses everything else.
"""
