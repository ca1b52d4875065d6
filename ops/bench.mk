# Measuring: make bench, make load (docs/benchmarks.md, docs/load.md), make clocks (docs/engines.md). Included by the
# Makefile.
.PHONY: bench load clocks

bench: $(VENV)/.stamp
	@$(BIN)/python -m bench $(ARGS)

load: $(VENV)/.stamp
	@PYTHONPATH=.:container $(BIN)/python -m bench.load $(ARGS)

clocks: $(VENV)/.stamp
	@PYTHONPATH=.:container $(BIN)/python -m bench.clocks
