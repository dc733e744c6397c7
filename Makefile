# Thin names for the commands of README.md.
.PHONY: bench build demo lint test
bench:
	scripts/bench
build:
	scripts/build
demo:
	scripts/demo
lint:
	scripts/lint
test:
	scripts/test
