# fleetwatch. `make up` and `make test` are all that a newcomer needs; `make help` lists the rest.
STACK ?= local
FILE ?= stacks/Pulumi.$(STACK).yaml
TOOL = .venv/bin/python -m tools --stack $(STACK) --file $(FILE)
.DEFAULT_GOAL := help
.PHONY: help venv up status down password secret preview pulumi rehearse rehearse-down tunnel accept-key rebuild \
	clean check test bench pictures lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

venv:
	@sh tools/bootstrap.sh

up: venv ## bring everything up on this machine, wait for data, show it
	@$(TOOL) up

status: venv ## what runs, where to look, what has arrived
	@$(TOOL) status

down: venv ## remove everything that `up` made; data after a question (YES=1: without)
	@$(TOOL) down $(if $(YES),--yes)

password: venv ## print the password of Grafana's admin
	@$(TOOL) password

secret: venv ## set a secret of the stack file: make secret KEY=hosts.hub.postgres.main.dsn
	@$(TOOL) secret "$(KEY)"

preview: venv ## what `up` would change
	@$(TOOL) pulumi preview --diff

pulumi: venv ## any engine command: make pulumi ARGS="stack output"
	@$(TOOL) pulumi $(ARGS)

rehearse: venv ## the production path on this machine: a cloud of containers, and the fleet in it
	@.venv/bin/python -m tools rehearse

rehearse-down: venv ## remove the rehearsal: machines, networks, volumes, state
	@.venv/bin/python -m tools rehearse-down

tunnel: venv ## the query pages of a hub elsewhere on this machine's loopback: make tunnel STACK=prod
	@$(TOOL) tunnel $(or $(HOST),hub) $(if $(PORT),--port $(PORT))

accept-key: venv ## take the SSH host key that a host shows now: make accept-key HOST=web-1 STACK=prod
	@$(TOOL) accept-key "$(HOST)"

rebuild: venv ## make a droplet anew, its volume, address and data stay: make rebuild HOST=hub STACK=prod
	@$(TOOL) rebuild "$(HOST)"

clean: venv ## remove the caches, and the Docker Engine's process if `up` started one
	@$(TOOL) clean

check: venv ## everything that needs neither Docker nor the network
	@sh tests/check.sh

test: venv ## all tests, with a real engine and real containers
	@sh tests/run.sh

bench: venv ## measure: one machine, the program alone, a fleet in a rehearsal cloud
	@.venv/bin/python -m tests.bench

pictures: venv ## draw docs/pictures from what a running stack answers: make pictures STACK=local MINUTES=15
	@.venv/bin/python -m tests.pictures --file $(FILE) $(if $(MINUTES),--minutes $(MINUTES))

lock: venv ## lock the Python dependencies anew, with hashes
	@.venv/bin/python -m tools lock
