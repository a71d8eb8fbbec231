# DeepFGS: everything from here. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
PLUGIN := .build-plugin/release/libgstdeepfgs.so
CLI := .build/release/deepfgs

APT := libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libdnnl-dev libpng-dev libturbojpeg0-dev libwebp-dev \
       pkg-config gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad \
       python3-numpy

.PHONY: help deps build plugin test lint

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

deps: ## install the system packages (Debian 12), only those that are missing
	@missing=$$(for p in $(APT); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends $$missing; fi

build: deps ## build the command line tool: .build/release/deepfgs
	swift build -c release --product deepfgs

plugin: deps ## build the GStreamer plugin: .build-plugin/release/libgstdeepfgs.so
	swift build -c release --product gstdeepfgs --scratch-path .build-plugin -Xswiftc -static-stdlib \
	  -Xlinker --version-script=plugins/gstdeepfgs/exports.map

test: deps lint build plugin ## run every test
	/usr/bin/python3 training/test_reference_decoder.py
	swift test

lint: ## check the source's format
	swift format lint --strict --recursive --parallel Sources Tests Package.swift
