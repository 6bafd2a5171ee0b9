# Two commands: `make app` opens the lab, `make test` checks it. Each sees to .venv first and asks nothing.

# python3 first: it is the one that pyenv, conda or a CI image has chosen. A name alone is no proof (pyenv's shims
# exist for versions that do not run), and Debian splits off what a virtual environment needs (ensurepip).
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
    $$python -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
    && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NOTEBOOKS := $(patsubst %.py,%.ipynb,$(wildcard notebooks/*.py))

.PHONY: help app test quick lint browser notebooks words docs figures bench recorded clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

app: $(INSTALLED) ## open the lab in the browser
	$(BIN)/streamlit run app/main.py $(ARGS)

test: lint browser ## lint, types and every test (ARGS="-k word" goes to pytest)
ifeq ($(ARGS),)
	$(BIN)/python -m pytest -n auto -m "not app"
	$(BIN)/python -m pytest -m app
else
	$(BIN)/python -m pytest $(ARGS)
endif

quick: $(INSTALLED) ## the tests that take a minute together
	$(BIN)/python -m pytest -n auto -m "not slow and not medium and not browser" $(ARGS)

lint: $(INSTALLED) ## ruff and pyright
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@if $(BIN)/pyright --version >/dev/null 2>&1; then $(BIN)/pyright --pythonpath $(BIN)/python; \
	else echo "Types are not checked: pyright runs on Node.js, which is not here and could not be fetched." >&2; \
	    test "$(CI)" != true; fi

browser: $(INSTALLED)
	@$(BIN)/python tests/chromium.py

notebooks: export DFN_RUNS := $(or $(DFN_RUNS),$(CURDIR)/runs)
notebooks: $(INSTALLED) $(NOTEBOOKS) ## open the notebooks in JupyterLab; their runs are those of the app
	$(BIN)/jupyter lab $(ARGS) notebooks

notebooks/%.ipynb: notebooks/%.py | $(INSTALLED)
	$(BIN)/jupytext --to ipynb --update $<

words: $(INSTALLED) ## bring the catalogues of translations up to date
	$(BIN)/python tests/catalogue.py

docs: $(INSTALLED) ## build the docs as a site into site/ (ARGS=serve shows it while it is written)
	$(BIN)/zensical $(or $(ARGS),build --clean --strict)

figures: $(INSTALLED) ## draw the figures of the docs anew
	$(BIN)/python docs/figures.py

bench: $(INSTALLED) ## measure (prints figures, asserts nothing)
	$(BIN)/python -m benchmarks $(ARGS)

recorded: export DFN_RUNS := assets/recorded
recorded: export OMP_NUM_THREADS := 1
recorded: $(INSTALLED) ## train the recorded examples of the first paint anew
	rm -rf $(DFN_RUNS)
	$(BIN)/dfn train --deep 50 --shallow 14 --fusions 6 --width 8 --data digits --epochs 5 --seed 0
	$(BIN)/dfn train --net plain --deep 50 --fusions 6 --width 8 --data digits --epochs 5 --seed 0
	$(BIN)/dfn train --net plain --deep 14 --fusions 6 --width 8 --data digits --epochs 5 --seed 0
	DFN_SNAPSHOT_MB=1 $(BIN)/dfn train --net resnet --deep 50 --width 8 --data digits --epochs 5 --seed 0
	runs=$$(mktemp -d) && export DFN_RUNS=$$runs DFN_SNAPSHOT_MB=0 \
	&& $(BIN)/dfn compare --deep 50 --shallow 14 --fusions 6 --json | tail -n 1 > assets/comparison.json \
	&& $(BIN)/dfn depth-map --json | tail -n 1 > assets/depth_map.json; rm -rf $$runs

clean: ## remove caches and test pictures; .venv and runs stay
	rm -rf test-artifacts .cache .pytest_cache .ruff_cache .hypothesis build dist site
	find app benchmarks dfn docs notebooks tests -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt pyproject.toml
	@test -x $(BIN)/python || test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 with venv was found: \
	install one (Debian: python3 and python3-venv) or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing requirements.txt into $(VENV) (the first time takes some minutes)"
	$(BIN)/python -m pip install --no-input $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements.txt
	@touch $@
