# DeepFGS: everything from here. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
PLUGIN := .build-plugin/release/libgstdeepfgs.so
CLI := .build/release/deepfgs

APT := libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libdnnl-dev libvips-dev liblcms2-dev \
       pkg-config gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad \
       gstreamer1.0-x fonts-dejavu-core python3-numpy python3-gi gir1.2-gstreamer-1.0 python3-pil iproute2 man-db clang-format-14 shellcheck \
       libsoup-3.0-dev libyaml-dev glib-networking curl openssl gir1.2-gst-rtsp-server-1.0 nodejs

# Prerequisites in the order they are written: installing, then building.
.NOTPARALLEL:

.PHONY: wasm web daemon test-web test-api soak bench-daemon help all demo deps build plugin lib install uninstall deb deb-check test sanitize coverage lint lint-deps train-deps train train-pack train-gpu train-test model-check bench-rd bench-speed bench-deps bench-relay bench-loss \
        bench-network bench-network-deps ablations ideas fuzz

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

# Installs those of the Debian packages $(1) that are missing.
install-packages = @missing=$$(for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends $$missing; fi

deps: ## install the system packages (Debian 12), only those that are missing
	$(call install-packages,$(APT))

NEEDS := swift@Swift clang@Swift pkg-config@pkg-config dnnl.h@libdnnl-dev
NEEDS_PROGRAM := pkg:vips@libvips-dev pkg:lcms2@liblcms2-dev
NEEDS_PLUGIN := pkg:gstreamer-1.0@libgstreamer1.0-dev pkg:gstreamer-rtp-1.0@libgstreamer-plugins-base1.0-dev

NEEDS_DAEMON := pkg:libsoup-3.0@libsoup-3.0-dev pkg:yaml-0.1@libyaml-dev pkg:gstreamer-app-1.0@libgstreamer-plugins-base1.0-dev

all: build plugin lib daemon wasm ## build everything that is installed

build: ## build the command line tool: .build/release/deepfgs
	@tools/missing deepfgs $(NEEDS) $(NEEDS_PROGRAM)
	swift build -c release --product deepfgs --static-swift-stdlib

plugin: ## build the GStreamer plugin: .build-plugin/release/libgstdeepfgs.so
	@tools/missing "the GStreamer plugin" $(NEEDS) $(NEEDS_PLUGIN)
	swift build -c release --product gstdeepfgs --scratch-path .build-plugin -Xswiftc -static-stdlib \
	  -Xlinker --version-script=plugins/gstdeepfgs/exports.map

LIB := .build-lib/libdeepfgs.so
SONAME := libdeepfgs.so.0

lib: ## build the library for C: .build-lib/libdeepfgs.so
	@tools/missing libdeepfgs $(NEEDS)
	swift build -c release --product deepfgs-c --scratch-path .build-plugin -Xswiftc -static-stdlib \
	  -Xlinker --version-script=Sources/DeepFGSLibrary/exports.map -Xlinker -soname=$(SONAME)
	@mkdir -p .build-lib
	cp .build-plugin/release/libdeepfgs-c.so .build-lib/$(SONAME)
	ln -sf $(SONAME) $(LIB)

daemon: ## build the streaming daemon: .build/release/deepfgsd
	@tools/missing deepfgsd $(NEEDS) $(NEEDS_PROGRAM) $(NEEDS_PLUGIN) $(NEEDS_DAEMON)
	swift build -c release --product deepfgsd --static-swift-stdlib

wasm: ## build the decoder for browsers: web/deepfgs.wasm and web/deepfgs-threads.wasm, and put its model beside them
	@tools/missing "the decoder for browsers" swift@Swift clang@Swift
	tools/wasm
	cp models/live-v2.safetensors web/

PORT ?= 8080

web: wasm ## serve the page that opens and cuts pictures on the loopback address: make web [PORT=8080]
	web/serve $(PORT)

demo: deps build plugin daemon ## stream photographs over RTP through a wide and a narrow link, and show what arrived
	demo/run

# Versions that are known to work with each other.
SERVER_NEEDS := playwright==1.49.1 schemathesis==4.32.5 hypothesis==6.170.17 hypothesis-jsonschema==0.23.1 jsonschema-rs==0.60.3 \
                kubernetes-validate==1.37.0

.venv-server/complete: Makefile
	$(PYTHON) -m venv .venv-server && .venv-server/bin/pip install -q $(SERVER_NEEDS) && touch $@

test-web: daemon wasm .venv-server/complete ## test the daemon's page and the decoder for browsers in Chromium
	$(call install-packages,chromium)
	.venv-server/bin/python Tests/Web/test_page.py
	.venv-server/bin/python Tests/Web/test_browser.py
	.venv-server/bin/python Tests/Web/test_live.py

test-api: daemon .venv-server/complete ## try the daemon's API against api/openapi.yaml, metrics and dashboard with promtool, manifests with Kubernetes' schemas
	$(call install-packages,prometheus)
	.venv-server/bin/python Tests/Web/test_api.py

MINUTES ?= 60

soak: daemon ## run streams with a changing capacity: make soak MINUTES=60; memory and descriptors must stay within 2 %
	Tests/Web/soak.py --minutes $(MINUTES)

bench-daemon: daemon build ## one stream of the daemon to 100 receivers, each with its own session and cut, with the processor time
	bench/relay/run --daemon

test: deps lint build plugin lib daemon wasm ## run every test
	/usr/bin/python3 training/test_reference_decoder.py
	node Tests/Web/test_decoder.mjs
	DEEPFGS_PROGRAM=$(CLI) swift test --skip PipelineTests.NetworkTests
	# A real path, with nothing beside it: packets that wait for a processor are not the path's.
	swift test --skip-build --filter PipelineTests.NetworkTests

FUZZ := .build-fuzz/release/DeepFGSFuzz
# The instrumented build counts edges; the fuzzer's runtime is linked as it is, since the program has its own main.
FUZZ_RUNTIME = $(shell ls $$(dirname $$(readlink -f $$(command -v swiftc)))/../lib/clang/*/lib/linux/libclang_rt.fuzzer_no_main-x86_64.a)
SECONDS ?= 60
RUNS ?= -1

fuzz: ## fuzz one target, make fuzz TARGET=frame SECONDS=600 RUNS=1000000; make fuzz alone lists the targets
	@tools/missing "the fuzz targets" $(NEEDS)
	swift build -c release --product DeepFGSFuzz --scratch-path .build-fuzz -Xswiftc -DFUZZER -Xswiftc -sanitize=address \
	  -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table -Xlinker $(FUZZ_RUNTIME) -Xlinker -lstdc++
	@mkdir -p out/fuzz/$(TARGET)
	ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=1:malloc_context_size=0 $(FUZZ) $(TARGET) out/fuzz/$(TARGET) \
	  Tests/Fixtures/fuzz/$(TARGET) -max_total_time=$(SECONDS) -runs=$(RUNS) -timeout=1 -rss_limit_mb=1024 \
	  -malloc_limit_mb=256 -max_len=300 -detect_leaks=0 -artifact_prefix=Tests/Fixtures/fuzz/$(TARGET)/ -print_final_stats=1

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
PLUGINDIR ?= $(LIBDIR)/gstreamer-1.0
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
INSTALL := DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" LIBDIR="$(LIBDIR)" PLUGINDIR="$(PLUGINDIR)" ZSHDIR="$(ZSHDIR)" \
           packaging/install

install: ## install what make all built: make install [PREFIX=/usr/local] [DESTDIR=] [PLUGINDIR=PREFIX/lib/gstreamer-1.0]
	$(INSTALL)

uninstall: ## remove what make install installed, with the same PREFIX and DESTDIR
	$(INSTALL) --uninstall

deb: all ## make a package for Debian 12: out/deepfgs_VERSION_ARCHITECTURE.deb
	packaging/deb

deb-check: deb ## install the package in a clean Debian 12 and use it there; needs root
	$(call install-packages,debootstrap)
	$(SUDO) packaging/deb-check out/deepfgs_$$(cat VERSION)_$$(dpkg --print-architecture).deb

sanitize: ## run the unit tests under the address, undefined and thread sanitizers: make sanitize [SANITIZERS="address thread"]
	@tools/missing "the tests" $(NEEDS) $(NEEDS_PROGRAM) $(NEEDS_PLUGIN)
	tools/sanitize $(SANITIZERS)

coverage: ## say how many lines of each module the tests run: out/coverage.txt
	@tools/missing "the tests" $(NEEDS) $(NEEDS_PROGRAM) $(NEEDS_PLUGIN)
	tools/coverage

RUFF := 0.17.6

lint: lint-deps ## check the sources: version, Swift, C, Python, shell scripts
	tools/lint

lint-deps: .venv-lint/ruff-$(RUFF) ## install Python's linter in .venv-lint

# Where the package index cannot be reached the other checks still run; tools/lint says that Python's did not.
.venv-lint/ruff-$(RUFF):
	$(PYTHON) -m venv .venv-lint && .venv-lint/bin/pip install -q ruff==$(RUFF) && touch $@ || \
	  echo "ruff could not be installed"

bench-relay: deps build plugin ## one encode to 100 receivers of 2 Mbit/s each on loopback, with the processor time
	bench/relay/run

bench-loss: deps build plugin ## frames that decode through random loss: unprotected, base protection, retransmission, RFC 5109
	bench/loss/run

bench-network: deps build plugin bench-network-deps ## scenarios of RFC 8867 and ours through a shaped path; needs root: make bench-network [SCENARIOS="5.1 loss-10"]
	$(SUDO) bench/network/run $(SCENARIOS)

bench-network-deps: ## install what the network bench needs beside the rest: plots, and the TCP rival
	$(call install-packages,iperf3 python3-matplotlib)

# Training and evaluation: docs/40-training.md
PYTHON ?= python3
VENV := .venv
TRAINING := PYTHONPATH=training $(VENV)/bin/python -m deepfgs_training
CONFIG ?= live
GPU_CONFIG = $(if $(filter live,$(CONFIG)),live2,$(CONFIG))
NAME ?= $(CONFIG)
MINUTES ?= 10
OUT ?= out/train/$(NAME)
MODEL ?= models/live-v2.safetensors
VECTORS ?= Tests/Fixtures/live-v2.vectors.safetensors

train-deps: $(VENV)/complete ## install PyTorch and the rest of the training's needs in .venv

$(VENV)/complete: training/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r training/requirements.txt
	touch $@

train: train-deps ## train and export: make train DATA=photographs [MINUTES=10] [CONFIG=live] [RESUME=file] [EVAL=pictures]
	@test -n "$(DATA)" || { echo "make train DATA=folder-of-photographs [MINUTES=10] [CONFIG=live|hq]"; exit 64; }
	$(TRAINING) train --config $(CONFIG) --name $(NAME) --data "$(DATA)" --minutes $(MINUTES) --out $(OUT) \
	  $(if $(RESUME),--resume "$(RESUME)") $(if $(EVAL),--eval "$(EVAL)")
	$(TRAINING) export $(OUT)/$(NAME).float.safetensors --name $(NAME) --out $(OUT) --calibrate "$(DATA)" \
	  $(if $(EVAL),--eval "$(EVAL)")

PACK ?= out/pack
SECONDS_ON_GPU ?= 540

train-pack: train-deps ## pack photographs and weights for a GPU without a network: make train-pack DATA=photographs EVAL=kodak [RESUME=weights] [CONFIG=live2|hq]
	@test -n "$(DATA)" || { echo "make train-pack DATA=folder-of-photographs [EVAL=pictures] [RESUME=weights] [CONFIG=live2|hq]"; exit 64; }
	$(VENV)/bin/python training/gpu/pack.py make --data "$(DATA)" --out $(PACK) --config $(GPU_CONFIG) \
	  $(if $(EVAL),--eval "$(EVAL)") $(if $(RESUME),--weights "$(RESUME)")

# No train-deps: the machine has PyTorch, Triton, Pillow and safetensors, and no network.
train-gpu: ## train on one GPU within a wall-clock budget: make train-gpu [CONFIG=live2|hq] [SECONDS_ON_GPU=540] [PACK=folder] [OUT=folder] [RESUME=folder]
	$(PYTHON) training/gpu --pack $(PACK) --out $(if $(filter file,$(origin OUT)),out/gpu,$(OUT)) --config $(GPU_CONFIG) \
	  --seconds $(SECONDS_ON_GPU) $(if $(RESUME),--resume "$(RESUME)")

train-test: train-deps ## test the training code
	cd training && ../$(VENV)/bin/python -m pytest tests ../bench/rd

model-check: train-deps ## prove that Swift and PyTorch compute the same integers: make model-check [MODEL=file VECTORS=file]
	$(TRAINING) check $(MODEL) $(VECTORS)
	DEEPFGS_TEST_MODEL=$(abspath $(MODEL)) DEEPFGS_TEST_VECTORS=$(abspath $(VECTORS)) swift test --filter NetworkVectorTests

# The sets that have results in the repository; another set's go to out/rd/NAME.
RD_OUT = $(if $(SET),$(if $(filter today,$(SET)),bench/rd/results-today,out/rd/$(SET)),bench/rd/results)

bench-rd: deps train-deps bench-deps build ## rate and quality beside other codecs: make bench-rd PICTURES=kodak [SET=today] [CODECS=...] [MODEL=file] [SETTINGS=6]
	@test -n "$(PICTURES)" || { echo "make bench-rd PICTURES=folder, for example the 24 pictures of Kodak"; exit 64; }
	$(VENV)/bin/python bench/rd --pictures "$(PICTURES)" --model $(MODEL) --out $(RD_OUT) $(if $(SET),--set "$(SET)" --perceptual) \
	  $(if $(CODECS),--codecs $(CODECS)) $(if $(SETTINGS),--settings $(SETTINGS))

.venv-speed/complete: bench/speed/requirements.txt
	$(PYTHON) -m venv .venv-speed
	.venv-speed/bin/pip install -q $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r bench/speed/requirements.txt
	touch $@

bench-speed: .venv-speed/complete deps build ## frames per second beside other codecs: make bench-speed [SIZE=768x512] [PICTURE=file] [CODECS="live-v2 webp"]
	$(call install-packages,libopenjp2-tools libjxl-tools x264 ffmpeg)
	.venv-speed/bin/python bench/speed $(if $(SIZE),--size $(SIZE)) $(if $(PICTURE),--picture "$(PICTURE)") $(if $(CODECS),--codecs $(CODECS))

STEPS ?= 1500

ablations: train-deps ## what each part of the codec is worth: make ablations DATA=photographs PICTURES=kodak [STEPS=1500]
	@test -n "$(DATA)" -a -n "$(PICTURES)" || { echo "make ablations DATA=folder-of-photographs PICTURES=folder-to-evaluate-on"; exit 64; }
	PYTHONPATH=training $(VENV)/bin/python bench/ablations --data "$(DATA)" --pictures "$(PICTURES)" --steps $(STEPS)

ideas: train-deps ## what settings of training are worth from the same weights: make ideas DATA=photographs PICTURES=kodak RESUME=weights [CONFIG=live2] [STEPS=1500]
	@test -n "$(DATA)" -a -n "$(PICTURES)" -a -n "$(RESUME)" || { echo "make ideas DATA=folder-of-photographs PICTURES=folder-to-evaluate-on RESUME=weights"; exit 64; }
	PYTHONPATH=training $(VENV)/bin/python bench/ablations --ideas --data "$(DATA)" --pictures "$(PICTURES)" --steps $(STEPS) \
	  --config $(GPU_CONFIG) --resume "$(RESUME)"

bench-deps: ## install the codecs that we are compared with and Python does not bring
	$(call install-packages,libjxl-tools libjxl-devtools)
