# One entry for each task. PYTHON chooses the interpreter: make test PYTHON=.venv/bin/python
PYTHON ?= python3
FILE_LINES = 800

.PHONY: lint test fuzz bench bench-peers coverage-page lines extension lint-extension test-extension

lint: lines
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

test:
	$(PYTHON) -m pytest

# What listens, told anything at all: TIMES as often as the ordinary tests do.
TIMES ?= 20
fuzz:
	WORKBENCH_FUZZ=$(TIMES) $(PYTHON) -m pytest $$(git grep -l tests.fuzzing -- tests)

bench:
	@for program in tests/bench/*.py; do echo "== $$program"; PYTHONPATH=. $(PYTHON) "$$program" || exit 1; done

# Beside other engines: make bench-peers PEERS="jax=PYTHON torch=PYTHON tensorflow=PYTHON", with
# interpreters that have them; without, ours alone.
bench-peers:
	PYTHONPATH=. $(PYTHON) tests/bench/compare_peers.py $(PEERS)

# Which names and operations of TensorFlow 1.4 are there: docs/coverage.md.
coverage-page:
	$(PYTHON) docs/coverage.py

# Builds what a browser runs, and links it into the JupyterLab of $(PYTHON) in place of the installed
# copy: from then on a build and a reload of the page show a change.
extension: extension/node_modules
	npm run --prefix extension --silent build
	$(PYTHON) -c "from jupyter_builder.federated_extensions import develop_labextension_py as link; \
	  link('workbench', sys_prefix=True, overwrite=True, symlink=True)"

lint-extension: extension/node_modules
	npm run --prefix extension --silent check

test-extension: extension/node_modules
	npm test --prefix extension --silent

extension/node_modules: extension/package-lock.json
	npm ci --prefix extension --no-audit --no-fund --ignore-scripts
	@touch $@

# A file near this length does more than one thing.
lines:
	@git ls-files '*.py' '*.ts' '*.mjs' '*.js' '*.css' '*.sh' | while read -r file; do \
	  test -f "$$file" || continue; count=$$(wc -l < "$$file"); \
	  if [ "$$count" -gt $(FILE_LINES) ]; then \
	    echo "$$file has $$count lines; $(FILE_LINES) are allowed"; exit 1; fi; \
	done
