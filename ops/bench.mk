# Measuring: make bench, make load (docs/benchmarks.md, docs/load.md). Included by the Makefile.
.PHONY: bench load

bench: $(VENV)/.stamp
	@$(BIN)/python -m bench $(ARGS)

load: $(VENV)/.stamp
	@PYTHONPATH=.:container $(BIN)/python -m bench.load $(ARGS)
