"""`make doctor`: whether every panel and every rule gets data from a running hub, and every host sends it.

queries.py takes the queries of all panels from configs/dashboards, variables.py fills their variables in, querier.py
runs them, verdicts.py judges the answers. rules.py does the same for alerts and recording rules, with the selectors
that selectors.py finds; hosts.py checks each host. report.py prints the result, command.py is the command.
"""
