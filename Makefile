# Two commands matter: `make demo` and `make test`. Both set everything up in .venv first.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Byte code is kept, whatever the environment says: the tests start many processes.
export PYTHONDONTWRITEBYTECODE :=
RUN_EXTRAS := cpu,speech,ocr,demo,ui,api,lego
ALL_EXTRAS := $(RUN_EXTRAS),speech-multilingual,queue,postgres,s3,vlm,mcp,otel,train,dev

.PHONY: demo test lint audit hashes format docs screenshot screenshots messages calibration quality bench tools clean train-demo

demo: .venv/.run
	$(BIN)/seekpoint demo

# A worker of the tests has no core to spare: threads of torch that wait by spinning make tests several times slower.
test: .venv/.all tools
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

lint: .venv/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo

format: .venv/.all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The reference pages that follow from the code; a test fails where they are out of date.
docs: .venv/.all
	$(BIN)/python -m docs.generate

# The picture of the search page, from the demo library, in Chromium.
screenshot: .venv/.all
	$(BIN)/python -m docs.screenshot

# Every page at three widths, light and dark, in both languages, as sheets in build/screens; HOME_WITH_VIDEOS names a home.
screenshots: .venv/.all
	$(BIN)/python -m docs.contact_sheets $(if $(HOME_WITH_VIDEOS),--home $(HOME_WITH_VIDEOS))

# A tiny LEGO learns to ground what it has not seen: about an hour of two cores; a stopped one goes on.
train-demo: .venv/.all
	$(BIN)/python -m grounding.training.tiny.demo train-demo

# Collects the texts to translate; new ones come into the catalogues empty, and a test names them.
messages: .venv/.all
	$(BIN)/pybabel -q extract -F pyproject.toml --no-location --omit-header --sort-output -o .venv/messages.pot .
	$(BIN)/pybabel -q update -D seekpoint -i .venv/messages.pot -d search_ui/locales -w 96 --omit-header --no-fuzzy-matching --ignore-obsolete

# The quality of search as a table, from the real videos that SEEKPOINT_TEST_DATA names.
quality: .venv/.all
	$(BIN)/python -m benchmarks.quality

# The probabilities of answers, fitted on the same videos.
calibration: .venv/.all
	$(BIN)/python -m benchmarks.calibration --write

# Known holes, hashes, licences and a list of parts; needs the package index for the first two.
audit: .venv/.all .venv/audit/.done
	$(BIN)/python deploy/audit.py

# The hashes of all artefacts of the versions in constraints.txt; after that file has changed.
hashes: .venv/audit/.done
	.venv/audit/bin/python deploy/audit.py --lock

.venv/audit/.done: .venv/bin/python deploy/audit-tools.txt
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check -r deploy/audit-tools.txt
	@touch $@

bench: .venv/.all
	$(BIN)/python -m benchmarks $(BENCH)

# Programs that some tests drive; installed when that is possible, named when it is not.
tools:
	@sh tests/install_tools.sh

# The pip that comes with Python 3.11 takes twice the time over so many packages.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with its venv module is needed (Debian: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv .venv
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --upgrade 'pip>=25'

# Byte code is made of what is imported, when it is: making it of all that is installed takes longer than installing.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt

.venv/.run: .venv/bin/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[$(RUN_EXTRAS)]'
	@touch $@

.venv/.all: .venv/bin/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[$(ALL_EXTRAS)]'
	@touch .venv/.run $@

clean:
	rm -rf .venv *.egg-info .pytest_cache .ruff_cache .hypothesis
