# Everything from one place. Each target first makes .venv, if it is missing or older than what it is made from.
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.ready
QUICK := not slow and not gpu
CUTIS := $(BIN)/cutis
DEMO := -w toy-work
RELEASE := toy-work/6_release/pocket
PORT ?= 8471
SHARED := benchmarks/trials.py benchmarks/no_dermoscopy.py  # imported by benchmarks; they measure nothing

# Each test worker computes on one core; more would only get into each other's way.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n $(WORKERS)

.PHONY: help demo serve test test-all check bench clean

help:
	@echo "make demo      a toy clinic, from its folder to a report, a signed release and a diagnosis by it"
	@echo "make serve     the page in the consulting room, with the toy release, on http://127.0.0.1:$(PORT)"
	@echo "make test      the tests, without the slow ones"
	@echo "make test-all  the tests, with the slow ones"
	@echo "make check     style, types, architecture, and whether the documents tell the truth"
	@echo "make bench     the benchmarks; each writes its own table"
	@echo "make clean     remove the demo, its keys and every cache; .venv and work/ stay"

demo: $(READY)
	$(CUTIS) toy toy-clinic --again
	$(CUTIS) curate toy-clinic $(DEMO) --again
	$(CUTIS) train -c pocket $(DEMO) --again
	$(CUTIS) evaluate pocket $(DEMO) --again
	$(CUTIS) explain --name pocket $(DEMO) --sanity --cases 40 --masks toy-clinic-truth/masks --pictures toy-clinic --again
	@test -e toy-keys/release-private.pem || $(CUTIS) keys toy-keys
	$(CUTIS) release pocket $(DEMO) --key toy-keys/release-private.pem --again
	$(CUTIS) verify $(RELEASE) --key toy-keys/release-public.pem --self-test
	$(CUTIS) report $(DEMO)
	@# The picture is one of the test split, which the network has not learned from.
	@shown=$$(ls toy-work/4_explanation/pocket/saliency | head -n 1); \
	picture=$$(ls toy-work/1_dataset/images/$${shown%.*}.*); \
	echo "$(CUTIS) diagnose $$picture --release $(RELEASE) --key toy-keys/release-public.pem"; \
	$(CUTIS) diagnose $$picture --release $(RELEASE) --key toy-keys/release-public.pem
	@echo "The report lies in toy-work/report.html"
	@echo "The page in the consulting room: make serve"

# The toy release says on every page that it learned from invented pictures; so its answers are shown at once.
serve: $(READY)
	@test -e $(RELEASE) || { echo "There is no toy release yet: make demo makes it first, which takes a while."; $(MAKE) demo; }
	@echo "Open the clinician's link below, and drop a picture of toy-work/1_dataset/images on the page."
	$(CUTIS) serve --release $(RELEASE) --key toy-keys/release-public.pem --folder toy-site --port $(PORT) --demonstration

test: $(READY)
	$(PYTEST) -m "$(QUICK)"

test-all: $(READY)
	$(PYTEST) -m "not gpu"

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_architecture.py tests/test_readme.py tests/test_docs.py

bench: $(READY)
	@for benchmark in $(filter-out $(SHARED),$(wildcard benchmarks/*.py)); do echo "$$benchmark"; PYTHONPATH=tests $(BIN)/python $$benchmark || exit 1; done

clean:
	rm -rf toy-clinic toy-clinic-truth toy-work toy-keys toy-site dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: a .venv whose making was interrupted has none, and is made anew.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "cutis needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@if [ -e $@ ]; then rm $@; else $(PYTHON) -m venv --clear .venv; fi
	@echo "Installing cutis and its libraries into .venv; a few minutes, most of them for PyTorch …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,release,serve,postgres,tracking,dev]'
	@touch $@
