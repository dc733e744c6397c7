# The commands of README.md under short names. These three say which image is built and published:
CONNECTOR_NAME ?= kps-connector-host
TAG ?= $(shell sed -n 's/^\#define KPS_VERSION_[MP][A-Z]* //p' plugin-api/include/kps/version.h | paste -s -d .)
IMAGE_URI ?= $(CONNECTOR_NAME):$(TAG)
# Plugins that the image has, as "mqtt file"; empty: all.
PLUGINS ?=

.DEFAULT_GOAL := all
.PHONY: all bench build clean cover demo image lint local publish test
all: ## builds, tests what was built, and makes the image
	$(MAKE) build
	scripts/test --preset release
	$(MAKE) image
bench:
	scripts/bench
build:
	scripts/build
clean:
	rm -rf build
cover:
	scripts/cover
demo:
	scripts/demo
image:
	scripts/image $(IMAGE_URI) --build-arg PLUGINS="$(PLUGINS)"
lint:
	scripts/lint
local: ## everything, as before a push
	$(MAKE) lint
	$(MAKE) all
	$(MAKE) cover
publish:
	scripts/image --push $(IMAGE_URI)
test: ## what CI runs
	scripts/test
