# Everything that is done here, by name; `make` alone lists it. CI (.ci/run) calls the same targets.
#
# Needs GNU make and Python 3.11 to 3.13 with venv (Debian, Pi OS: apt install make python3-venv).
#   make PYTHON=python3.12 ...     another Python for the environments
#   make test ARGS='-k gate'       arguments for pytest ('-n 0': one test after the other)

PYTHON ?= python3
ARGS ?=

# Relative on purpose: make cannot hold a target with a space in its name, and the checkout may lie
# anywhere.
BOX := .venv-box
FULL := .venv

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test bench-data bench-ablation bench-peers bench-edge bench-jpeg bench-proof
.PHONY: bench-shadow soak-bundles
.PHONY: bench-imaging bench-variants
.PHONY: bench-speed census soak check lint soak-belt soak-faults fuzz types imports smoke wheel deb
.PHONY: test-board test-picamera format clean distclean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

demo: $(BOX)/.ready  ## run the box's service on the sample frames, without torch
	"$(BOX)/bin/stampgate-edge" demo --out build/demo

# Two files of tests side by side, long ones first (tests/conftest.py), unless ARGS switches
# pytest-xdist off.
TWO_FILES := -n 2 --dist loadfile --no-loadscope-reorder
test: $(FULL)/.ready  ## run the tests (ARGS='...' goes to pytest)
	"$(FULL)/bin/python" -m pytest $(if $(findstring no:xdist,$(ARGS)),,$(TWO_FILES)) $(ARGS)

bench-data: $(FULL)/.ready  ## compare training's pictures a second with the network's own
	"$(FULL)/bin/python" -m bench.data_rate $(ARGS)

bench-ablation: $(FULL)/.ready  ## measure what each ingredient of the training is worth
	"$(FULL)/bin/python" -m bench.ablation $(ARGS)

bench-peers: $(FULL)/.ready  ## compare with YOLO11n, YOLO26n and SIFT (ARGS='--minutes 30')
	"$(FULL)/bin/python" -m bench.peers $(ARGS)

bench-edge: $(BOX)/.ready  ## measure the box's start, memory and overhead
	"$(BOX)/bin/python" -m bench.edge $(ARGS)

bench-speed: $(FULL)/.ready  ## compare latencies with YOLO11n and YOLO26n, all weights random
	"$(FULL)/bin/python" -m bench.speed $(ARGS)

census: $(BOX)/.ready  ## count the operators as onnxruntime optimises them (ARGS=--emulated)
	"$(BOX)/bin/python" -m bench.census $(ARGS)

bench-imaging: $(BOX)/.ready  ## blur pictures until check FAILs, and count the marks found
	"$(BOX)/bin/python" -m bench.imaging $(ARGS)

bench-jpeg: $(BOX)/.ready  ## count the damaged motion JPEG that is told from whole ones
	"$(BOX)/bin/python" -m bench.jpeg_damage $(ARGS)

bench-proof: $(FULL)/.ready  ## count in simulated studies how often a bound covers the truth
	"$(FULL)/bin/python" -m bench.proof $(ARGS)

bench-shadow: $(FULL)/.ready  ## count in simulated shadow modes how often a bound is wrong
	"$(FULL)/bin/python" -m bench.shadow $(ARGS)

bench-variants: $(FULL)/.ready  ## train and judge a variant (ARGS='stamps --data DIR')
	"$(FULL)/bin/python" -m bench.variants $(ARGS)

soak-belt: $(FULL)/.ready  ## prove the gate on 100,000 random histories of a line
	"$(FULL)/bin/python" -m tests.belt $(ARGS)

fuzz: $(FULL)/.ready  ## give made-up input to every parser (ARGS='settings --seconds 600')
	"$(FULL)/bin/python" -m tests.fuzz $(ARGS)

soak-faults: $(FULL)/.ready  ## prove that errors and kills at any point cost no record
	"$(FULL)/bin/python" -m tests.crash $(ARGS)

soak-bundles: $(FULL)/.ready  ## change each byte of a signed bundle: none may be read
	"$(FULL)/bin/python" -m tests.bundles $(ARGS)

soak: $(FULL)/.ready  ## prove on 200,000 items that none is lost and nothing grows
	"$(FULL)/bin/python" -m bench.edge.soak $(ARGS)

check: lint types imports test smoke  ## all of lint, types, imports, test and smoke

lint: $(FULL)/.ready  ## check style and format with ruff
	"$(FULL)/bin/ruff" check .
	"$(FULL)/bin/ruff" format --check .

types: $(FULL)/.ready  ## check types with mypy --strict
	"$(FULL)/bin/mypy"

imports: $(FULL)/.ready  ## check which room may import which
	"$(FULL)/bin/lint-imports"

smoke: wheel  ## install the wheel into an empty environment and use it there
	"$(BOX)/bin/python" tests/smoke_wheel.py dist/*.whl

wheel: $(BOX)/.ready  ## build the wheel into dist/
	rm -f dist/*.whl
	"$(BOX)/bin/python" -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls -l dist/*.whl

deb: $(BOX)/.ready  ## build the Debian packages for the box into dist/, for arm64 and amd64
	packaging/build-deb "$(BOX)/bin/python" dist

test-board: deb $(FULL)/.ready  ## prove the package on an emulated board (tests/board/README.md)
	"$(FULL)/bin/python" -m tests.board $(ARGS)

test-picamera: deb $(FULL)/.ready  ## prove the picamera driver with the real picamera2 (same page)
	"$(FULL)/bin/python" -m tests.board.picamera $(ARGS)

format: $(FULL)/.ready  ## put the code into the house format and mend what ruff can mend
	"$(FULL)/bin/ruff" check --fix .
	"$(FULL)/bin/ruff" format .

clean:  ## remove what the targets wrote, but not the environments
	rm -rf build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find artwork bench edge export train tests -name __pycache__ -prune -exec rm -rf {} +

distclean: clean  ## remove the environments too
	rm -rf $(BOX) $(FULL)

# The two environments. Each is made anew when the dependencies or the version may have changed, so
# that neither keeps a package that the project no longer asks for; .ready is written last, so an
# interrupted one is made again.
$(BOX)/.ready: INSTALL := .
$(FULL)/.ready: INSTALL := .[train,export,plot,tensorboard,dev]
$(BOX)/.ready $(FULL)/.ready: pyproject.toml edge/__init__.py
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "make: PYTHON must be Python 3.11, 3.12 or 3.13, not '$(PYTHON)'" \
	       "($$("$(PYTHON)" --version 2>&1 | tail -n 1));" \
	       "install one and name it: make PYTHON=python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: '$(PYTHON)' must be able to make environments, and lacks its venv parts;" \
	       "install them: sudo apt install python3-venv" >&2; exit 1; }
	@echo "making $(@D) with $$("$(PYTHON)" --version); the first time, downloads take most of it"
	"$(PYTHON)" -m venv --clear $(@D)
	"$(@D)/bin/python" -m pip install --quiet --editable '$(INSTALL)'
	@touch $@
