# One verb a chore: demo test lint type bench docs. Each installs what it needs.
#
#   make demo    a mailbox, a CRM, and what syncd makes of them; needs no root
#   make test    everything that must hold before a change is handed in
#   make lint    style, formatting and the direction of imports
#   make type    the strict type checker
#   make bench   the figures that README.md quotes
#   make docs    the pages that are made from the code
#   make messages  the French catalogue, brought up to what the code says, and compiled
#   make lock    newer versions of what is installed, pinned with their hashes

BIN := .venv/bin
READY := .venv/.ready
PYTEST_ARGS ?= -n logical --dist worksteal
BENCH_ARGS ?= --plot

.PHONY: demo test lint type bench docs messages lock test-servers bench-servers clean

demo: $(READY)
	@$(BIN)/python -m tools.demo

# pytest comes last: its closing line is the last one.
test: $(READY) test-servers lint type
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(READY)
	$(BIN)/mypy

bench: $(READY) bench-servers
	$(BIN)/python -m benchmarks.run $(BENCH_ARGS)

docs: $(READY)
	$(BIN)/python -m tools.reference

messages: $(READY)
	$(BIN)/python -m tools.messages

lock: $(READY)
	tools/lock.sh --upgrade
	@echo "Now run: make test"

test-servers:
	@tools/bootstrap.sh servers dovecot postgresql davmail cards
	@tools/bootstrap.sh node

bench-servers:
	@tools/bootstrap.sh servers dovecot isync

$(READY): tools/bootstrap.sh requirements-dev.lock pyproject.toml
	@tools/bootstrap.sh venv
	@touch $@

clean:
	rm -rf .demo build dist *.egg-info
