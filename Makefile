PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: run test check shuffle judges clean hooks image image-check arm-check

run: $(VENV)/.stamp
	@PYTHONPATH=. exec $(BIN)/python -m local --port $(PORT)

test: $(VENV)/.stamp
	@$(BIN)/python -m ops.test

check: $(VENV)/.stamp
	@$(BIN)/python -m ops.check

# All tests that need no whole stack, in another order: files, and the tests in a file. Eight minutes.
SEED := $(or $(SEED),$(shell date +%s))
shuffle: $(VENV)/.stamp
	@for folder in unit infra bench integration; do \
		echo "  … $$folder, SEED=$(SEED)"; \
		PYTHONPATH="$(CURDIR):$(CURDIR)/container" $(BIN)/python -m pytest tests/$$folder -q -m "not stack" -n 2 --dist loadfile --no-loadscope-reorder \
			--random-order-bucket=module --random-order-seed=$(SEED) || exit 1; \
	done

# The code that talks to AWS and Telegram, on stand-ins that others wrote (docs/local.md). A minute.
judges: $(VENV)/.stamp
	@$(BIN)/python -m ops.judges

# The agent's image with docker or, as root, with Debian's buildah; the size of each layer.
image: $(VENV)/.stamp
	@$(BIN)/python -m ops.building $(ARGS)

# What `make image` built: looked into, pushed and pulled, and started by podman as ECS starts it. Needs root and minutes.
image-check: $(VENV)/.stamp
	@test -e "$${IMAGE_FOLDER:-.local/image}/ready" || { echo "There is no image to check: make image" >&2; exit 1; }
	@IMAGE_FOLDER="$${IMAGE_FOLDER:-.local/image}" $(BIN)/python -m pytest -s \
		tests/integration/image/test_built.py tests/integration/image/test_container.py

# All that the image and the functions are made of exists for ARM64. Downloads; half a minute.
arm-check: $(VENV)/.stamp
	@$(BIN)/python -m ops.arm

hooks:
	@git config core.hooksPath ops/hooks && echo "Git hooks are on."

$(VENV)/.stamp: requirements.txt requirements-dev.txt container/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "  … installing Python packages into $(VENV) (a minute, once)"
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: install it and try again" >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt > $(VENV)/install.log 2>&1 \
		|| { tail -5 $(VENV)/install.log >&2; echo "pip could not install the packages (see $(VENV)/install.log)" >&2; exit 1; }
	@touch $@

include ops/deploy.mk
include ops/bench.mk

clean:
	@rm -rf $(VENV) .local frontend/node_modules frontend/dist build tests/judges/node_modules tests/judges/cognito/node_modules
