"""`make outage`: what is lost when agents, engines, hosts and the hub end in an outage, as a table of a page."""
