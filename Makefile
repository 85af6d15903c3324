# `make demo` shows what pgproof does; `make test` runs everything there is to run. `dev/setup` makes the machine ready for both.

CARGO ?= cargo
DESIGNS ?= case-assignment review-operations notifications commerce ledger

# Says what it finds, installs what is missing, does nothing on a machine that has everything.
setup:
	@dev/setup

.PHONY: setup demo test lint unit postgres doc bench

# The worked designs, verified for real: in a container, or with server programs found here.
demo: setup
	@$(CARGO) build --locked --quiet
	@$(CARGO) run --locked --quiet -- verify --no-cache $(addprefix designs/,$(DESIGNS))

test: setup lint unit postgres doc

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) check --locked --no-default-features

# Without a server.
unit:
	$(CARGO) test --locked

# Tests that ask where PostgreSQL comes from; the others say it themselves, and need to run only once.
PLACED = $(patsubst tests/%.rs,--test %,$(shell grep -lE 'home\.server\(\)|PGPROOF_TEST_POSTGRES' tests/*.rs))

# With a server: local programs first, then a container. Fails where either is missing.
postgres:
	PGPROOF_TEST_POSTGRES=local $(CARGO) test --locked --no-fail-fast -- --ignored
	PGPROOF_TEST_POSTGRES=docker $(CARGO) test --locked --no-fail-fast $(PLACED) -- --ignored

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

bench:
	$(CARGO) bench --locked
