"""`make doctor`: whether every panel and every rule gets data from a running hub, and every host sends it.

questions.py takes from the descriptions in configs/ what there is to ask, choices.py fills the variables in, answers.py
asks and judges, rules.py does it for alerts, hosts.py looks at the hosts, report.py shows it all.
"""
