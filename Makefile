# Thin names for the commands of README.md.
.PHONY: build demo test
build:
	scripts/build
demo:
	scripts/demo
test:
	scripts/test
