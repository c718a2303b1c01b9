# One entry for each task. PYTHON chooses the interpreter: make test PYTHON=.venv/bin/python
PYTHON ?= python3
FILE_LINES = 800

.PHONY: lint test bench coverage-page lines

lint: lines
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

test:
	$(PYTHON) -m pytest

bench:
	@for program in tests/bench/*.py; do echo "== $$program"; $(PYTHON) "$$program" || exit 1; done

# Which names and operations of TensorFlow 1.4 are there: docs/coverage.md.
coverage-page:
	$(PYTHON) docs/coverage.py

# A file near this length does more than one thing.
lines:
	@git ls-files '*.py' '*.ts' '*.js' '*.sh' | while read -r file; do \
	  test -f "$$file" || continue; count=$$(wc -l < "$$file"); \
	  if [ "$$count" -gt $(FILE_LINES) ]; then \
	    echo "$$file has $$count lines; $(FILE_LINES) are allowed"; exit 1; fi; \
	done
