# Thin names for the commands of README.md.
.PHONY: build demo test
build:
	scripts/install-dependencies
	cmake --preset release
	cmake --build --preset release
demo:
	scripts/demo
test:
	scripts/test
