# Thin names for the commands of README.md.
.PHONY: bench build demo test
bench:
	scripts/bench
build:
	scripts/build
demo:
	scripts/demo
test:
	scripts/test
