# fleetwatch. `make up` and `make test` are all that a newcomer needs; `make help` lists the rest.
TARGETS := help venv up ask ask-eval status doctor alert-test drift backup restore drill grow drill-large export down password secret preview comment policy pulumi \
	rehearse rehearse-down tunnel accept-key rebuild env move-state outdated clean check test test-long test-vm bench outage pictures scan licences sbom \
	audit lock
VALUES := ACCEPT ALONE ARGS ASK AT AWAY BASE CIDRS DIMENSIONS DOMAIN EMBEDDINGS EMBEDDINGS_KEY_FILE EMBEDDINGS_URL ENGINE FILE FORGET GRAFANA HOST \
	JSON KEY KEY_FILE LOGS LOKI MINUTES MODEL MODEL_URL NAME ONLY OUT PACK PART PORT Q QUESTIONS RECEIVER REGION SIZE STACK TAKE TO VOLUME WRITE YES
STACK ?= local
.DEFAULT_GOAL := help
.PHONY: $(TARGETS)

# A target that does not use a value is refused: `make down HOST=web-1` would remove more than that host. A target uses what its recipe names.
named = $(shell awk '/^[a-z-]+:/ {on = index($$0, "$(1):") == 1} on' $(firstword $(MAKEFILE_LIST)) | grep -oE '[(,][A-Za-z_]+[,)]' | tr -cd 'A-Za-z_\n')
used = $(sort $(filter $(VALUES),$(call named,$(1)) $(if $(filter TOOL stack_file,$(call named,$(1))),FILE STACK)))
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
$(foreach goal,$(MAKECMDGOALS),$(if $(filter $(goal),$(TARGETS)),,$(error $(goal): expected a target, `make help` lists them; a stack is named by STACK=NAME)))
ifneq ($(given),)
$(foreach goal,$(MAKECMDGOALS),$(foreach name,$(filter-out $(call used,$(goal)) WORKERS FLEETWATCH_%,$(given)),$(error $(name)=: \
	expected a value that `make $(goal)` uses ($(or $(call used,$(goal)),none)); an environment variable stands before `make`)))
endif

# As they were given: make expands nothing in a value, and the shell takes each for one argument, a line break for a blank.
$(foreach name,$(VALUES),$(eval override $(name) := $$(value $(name))))
define newline


endef
quoted = '$(subst ','\'',$(subst $(newline), ,$(1)))'
each = $(foreach word,$($(1)),$(call quoted,$(word)))
switch = $(if $($(1)),$(if $(filter-out 1,$($(1))),$(error $(1)=$($(1)): expected $(1)=1, or leave it out),$(2)))
stack_file = $(or $(FILE),stacks/Pulumi.$(STACK).yaml)
TOOL = .venv/bin/python -m tools --stack=$(call quoted,$(STACK)) --file=$(call quoted,$(stack_file))
export PYTHONUTF8 := 1

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

venv:
	@sh tools/bootstrap.sh

up: venv ## bring everything up on this machine, wait for data, show it
	@$(TOOL) up

ask: venv ## ask the hub in plain language: make ask Q="how full are the disks?" [STACK= AT=]
	@$(TOOL) ask --at=$(call quoted,$(AT)) -- $(call quoted,$(Q))

ask-eval: venv ## measure the assistant on its questions; QUESTIONS=FILE BASE=URL [LOKI=URL AT=TIME]: answer a file of others; [MODEL=PROVIDER:NAME KEY_FILE= MODEL_URL= ALONE=1] [EMBEDDINGS=PROVIDER:NAME DIMENSIONS= EMBEDDINGS_URL= EMBEDDINGS_KEY_FILE=]
	@.venv/bin/python -m tests.ask.evaluate $(if $(QUESTIONS),--questions=$(call quoted,$(QUESTIONS)),--failures) \
		--base=$(call quoted,$(BASE)) --loki=$(call quoted,$(LOKI)) --at=$(call quoted,$(AT)) \
		--model=$(call quoted,$(MODEL)) --model-url=$(call quoted,$(MODEL_URL)) \
		$(if $(KEY_FILE),--key-file=$(call quoted,$(KEY_FILE))) $(call switch,ALONE,--alone) \
		--embeddings=$(call quoted,$(EMBEDDINGS)) --embeddings-url=$(call quoted,$(EMBEDDINGS_URL)) \
		$(if $(DIMENSIONS),--dimensions=$(call quoted,$(DIMENSIONS))) \
		$(if $(EMBEDDINGS_KEY_FILE),--embeddings-key-file=$(call quoted,$(EMBEDDINGS_KEY_FILE)))

status: venv ## what runs, where to look, what has arrived
	@$(TOOL) status

doctor: venv ## check that every panel, rule and host has data (JSON=1: for scripts)
	@$(TOOL) doctor $(call switch,JSON,--json)

alert-test: venv ## send one test alert to a receiver and show the answer: make alert-test RECEIVER=team [STACK=prod]
	@$(TOOL) alert-test -- $(call quoted,$(RECEIVER))

drift: venv ## what differs on the hosts from what was deployed, in full or of HOST=
	@$(TOOL) drift --host=$(call quoted,$(HOST))

backup: venv ## back up the hub now (TAKE=1: into the repository of another hub, which is gone)
	@$(TOOL) backup $(call switch,TAKE,--take)

restore: venv ## the hub's data from its backup, onto a fresh hub too: make restore STACK=prod [AT=2026-11-28T12:00 ONLY=logs TAKE=1]
	@$(TOOL) restore $(call switch,TAKE,--take) --at=$(call quoted,$(AT)) --only=$(call quoted,$(ONLY))

drill: venv ## restore the backup into throw-away containers and compare; changes nothing
	@$(TOOL) drill --at=$(call quoted,$(AT))

grow: venv ## move the hub's data to the storage of the stack file: make grow TO=bucket, TO=single or TO=cluster (FORGET=1: delete the volumes of before)
	@$(TOOL) grow --to=$(call quoted,$(TO)) $(call switch,FORGET,--forget) $(call switch,YES,--yes)

drill-large: venv ## back up, destroy and restore a hub with 2 GB of metrics and 500 MB of logs; figures into docs/figures.md
	@.venv/bin/python -m tests.drill_large $(call switch,WRITE,--write)

export: venv ## a host's edge as a folder for plain `docker compose`: make export HOST=web-1 TO=/srv/web-1
	@$(TOOL) export -- $(call quoted,$(HOST)) $(call quoted,$(TO))

down: venv ## remove everything that `up` made; data after confirmation (YES=1: without)
	@$(TOOL) down $(call switch,YES,--yes)

password: venv ## print the password of Grafana's admin, of the assistant's (ASK=1), or that with which HOST= pushes
	@$(TOOL) password $(if $(HOST),--host=$(call quoted,$(HOST))) $(call switch,ASK,--ask)

secret: venv ## set a secret of the stack file: make secret KEY=hosts.hub.postgres.main.dsn
	@$(TOOL) secret -- $(call quoted,$(KEY))

env: venv ## a new environment, and what is missing: make env NAME=qa [DOMAIN= CIDRS= REGION= SIZE= VOLUME=]
	@.venv/bin/python -m tools --file=$(call quoted,$(FILE)) env --domain=$(call quoted,$(DOMAIN)) --cidrs=$(call quoted,$(CIDRS)) \
		--region=$(call quoted,$(REGION)) --size=$(call quoted,$(SIZE)) --volume=$(call quoted,$(VOLUME)) -- $(call quoted,$(NAME))

preview: venv ## what `up` would change: every difference, and what happens to each container
	@$(TOOL) preview

comment: venv ## what `up` would change, as in the comment of a pull request
	@$(TOOL) comment

policy: venv ## check what `up` would change against policy/; PACK=1: run by Pulumi
	@$(TOOL) policy $(call switch,PACK,--pack)

move-state: venv ## move the stack's state into another backend: make move-state STACK=prod TO=s3://...
	@$(TOOL) move-state -- $(call quoted,$(TO))

pulumi: venv ## any Pulumi command: make pulumi ARGS="stack output"
	@$(TOOL) pulumi $(call quoted,$(ARGS))

rehearse: venv ## the production path on this machine: a cloud of containers, and the fleet in it (PORT=; ENGINE=28 or 28-containerd: with Docker 28)
	@$(if $(ENGINE),FLEETWATCH_REHEARSAL_ENGINE=$(call quoted,$(ENGINE)) ).venv/bin/python -m tools rehearse $(if $(PORT),--port=$(call quoted,$(PORT)))

rehearse-down: venv ## remove the rehearsal: machines, networks, volumes, state
	@.venv/bin/python -m tools rehearse-down $(if $(PORT),--port=$(call quoted,$(PORT)))

tunnel: venv ## the query pages of a remote hub on this machine's loopback: make tunnel STACK=prod [HOST=hub-b]
	@$(TOOL) tunnel $(if $(PORT),--port=$(call quoted,$(PORT))) -- $(call quoted,$(HOST))

accept-key: venv ## accept the SSH host key that a host presents now: make accept-key HOST=web-1 STACK=prod
	@$(TOOL) accept-key -- $(call quoted,$(HOST))

rebuild: venv ## replace a droplet (volume, address and data stay), or go on with another server: make rebuild HOST=hub STACK=prod
	@$(TOOL) rebuild -- $(call quoted,$(HOST))

outdated: venv ## which pinned images are outdated (WRITE=1: digests into configs/images.yaml)
	@.venv/bin/python -m tools outdated $(call switch,WRITE,--write)

clean: venv ## remove the caches, and the Docker Engine's process if `up` started one
	@$(TOOL) clean

check: venv ## all checks and tests that need no Docker; the first run builds their programs
	@sh tests/check.sh

test: venv ## all tests, with a Docker Engine and real containers
	@sh tests/run.sh

test-long: venv ## the integration tests that `make test` leaves out: kills at every step, faults of a bucket, two years of data (PART=test_bucket: that module; WRITE=1: into docs/figures.md)
	@.venv/bin/python -m tests.long_runs $(call switch,WRITE,--page docs/figures.md) -- $(call each,PART)

test-vm: venv ## a virtual machine with systemd and cgroup v2: its first boot, a hub on it, a reboot, nothing left (WRITE=1: into docs/figures.md)
	@.venv/bin/python -m tests.vm $(call switch,WRITE,--page docs/figures.md)

bench: venv ## measure: one machine, the program alone, fleets of up to a hundred hosts, Ansible (PART=hosts: that alone)
	@.venv/bin/python -m tests.bench -- $(call each,PART)

outage: venv ## measure: what is lost when agents, engines, hosts or the hub end in an outage; writes docs/no-data-lost.md
	@.venv/bin/python -m tests.outages --page docs/no-data-lost.md $(if $(AWAY),--away=$(call quoted,$(AWAY))) $(if $(LOGS),--logs=$(call quoted,$(LOGS)))

scan: venv ## find secrets in the repository (ACCEPT=1: accept the present findings)
	@.venv/bin/python -m tools scan $(call switch,ACCEPT,--accept)

licences: venv ## write docs/licences.md; fails on a licence that is not allowed
	@.venv/bin/python -m tools licences

sbom: venv ## a CycloneDX bill of materials: make sbom OUT=/tmp/fleetwatch.cdx.json
	@.venv/bin/python -m tools sbom -- $(call quoted,$(OUT))

audit: venv ## known vulnerabilities of the locked Python packages
	@.venv/bin/python -m tools audit

pictures: venv ## draw docs/pictures from a running stack: make pictures [MINUTES=15]; GRAFANA=IMAGE: screenshots of a real one; ASK="...": the assistant's page
	@$(if $(ASK),$(TOOL) password --ask | tail -n 1 |) .venv/bin/python -m tests.pictures --file=$(call quoted,$(stack_file)) $(if $(MINUTES),--minutes=$(call quoted,$(MINUTES))) \
		$(if $(GRAFANA),--grafana=$(call quoted,$(GRAFANA))) $(if $(ASK),--ask=$(call quoted,$(ASK)))

lock: venv ## resolve and lock the Python dependencies, with hashes
	@.venv/bin/python -m tools lock
