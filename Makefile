# Everything that a person needs: `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
ifndef AT_ONCE
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:

PYTHON ?= python3.11
UV_VERSION := 0.13.9

ORCHESTRATION := .venvs/orchestration/bin/python
VISION := .venvs/vision/bin/python
FLINK := .venvs/flink/bin/python
STACK := $(ORCHESTRATION) -m local_stack
PIPELINE := PYTHONPATH=plugins $(STACK) exec $(ORCHESTRATION) -m store_pipeline
STREAMS := $(PIPELINE) ensure

ENVIRONMENTS := orchestration vision flink
GROUPS_orchestration := --group orchestration --group stack --group notebook --group checks --group dev
GROUPS_vision := --group vision --group dev
GROUPS_flink := --group flink --group dev
UV := .venvs/uv/bin/uv
UV_READY := .venvs/uv/.ready-$(UV_VERSION)
SYNCED := $(ENVIRONMENTS:%=.venvs/%/.synced)

# what the user's shell says about Python and uv must not bend the locked environments
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV UV_PROJECT_ENVIRONMENT UV_CONFIG_FILE UV_INDEX UV_INDEX_URL \
  UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_NO_INDEX UV_PYTHON UV_CONSTRAINT UV_OVERRIDE \
  UV_EXCLUDE_NEWER UV_PRERELEASE UV_RESOLUTION UV_FROZEN UV_LOCKED UV_NO_SYNC UV_NO_GROUP

# SMALL=1 make up: less memory (docs/operations.md); as RVA_SMALL=1 in .env
ifneq ($(strip $(SMALL)),)
export RVA_SMALL := $(SMALL)
endif

## The main job

.PHONY: demo
demo: setup ## the whole way on a sample video; for your own: VIDEO=path WEIGHTS=path FPS=n FRAMES=n
	@$(STACK) demo $(if $(VIDEO),--video "$$VIDEO") $(if $(WEIGHTS),--weights "$$WEIGHTS") $(if $(FPS),--fps "$$FPS") $(if $(FRAMES),--frames "$$FRAMES")

.PHONY: test
test: setup unit ## every test: unit first, then those on the real servers
	@echo "== integration tests: on two stacks at the same time (half an hour)"
	@$(MAKE) --no-print-directory --jobs --keep-going AT_ONCE=1 integration-shared integration-alone

# those that share the servers, two modules at a time: their jobs wait more than they work. Those that
# kill servers have a stack of their own, and go first where both want a processor.
INTEGRATION = $(ORCHESTRATION) -m pytest -q --durations=25 --ignore tests/vision --ignore tests/flink_jobs
# two stacks start at once, beside whatever else the machine has to do
FOR_TESTS = RVA_REQUIRE_STACK=1 RVA_START_TIMEOUT_SECONDS=900
.PHONY: integration-shared
integration-shared:
	@$(FOR_TESTS) exec nice -n 5 $(STACK) during -- $(INTEGRATION) -m "integration and not alone" --numprocesses 2 --dist loadfile tests

.PHONY: integration-alone
integration-alone:
	@$(FOR_TESTS) exec $(STACK) during --apart -- $(INTEGRATION) -m "integration and alone" tests

# the three at the same time; what each prints comes whole, when it has ended
.PHONY: unit
unit: $(SYNCED) ## the unit tests of the three environments
	@echo "== unit tests: $(ENVIRONMENTS), each told when it has ended (some minutes)"
	@$(MAKE) --no-print-directory --jobs --output-sync=target --keep-going AT_ONCE=1 $(UNIT)

UNIT := $(ENVIRONMENTS:%=unit-%)
# by far the most, and each works alone: the others end long before them
UNIT_TESTS_orchestration := --numprocesses 2 --dist loadfile --ignore tests/vision --ignore tests/flink_jobs tests
UNIT_TESTS_vision := tests/vision
UNIT_TESTS_flink := tests/flink_jobs
.PHONY: $(UNIT)
$(UNIT): unit-%:
	@echo "== unit tests: $*"
	@exec .venvs/$*/bin/python -m pytest -q -m "not integration" $(UNIT_TESTS_$*)

## The servers

.PHONY: up
up: servers ## start the servers; returns when each one answers and the jobs that ran before run
	@$(STREAMS) --resume-only

.PHONY: servers
servers: setup
	@$(STACK) up

.PHONY: down
down: installed ## stop everything, Airflow included
	@$(STACK) down

.PHONY: status
status: installed ## what runs, where, with how much memory
	@$(STACK) status

.PHONY: logs
logs: installed ## the last lines of a server's log: S=trino; F=1 follows it
	@$(STACK) logs $(if $(F),--follow) $(or $(S),$(error which server? make logs S=trino (pulsar, minio, catalog, flink-jobmanager, flink-taskmanager, trino)))

.PHONY: reset
reset: installed ## delete what the servers have stored (asks first)
	@$(STACK) reset $(if $(YES),--yes)

# also with a stream that cannot be resumed, since it is rebuilt from there
.PHONY: airflow
airflow: servers ## Airflow's UI over the running stack; prints the login
	@$(STREAMS) --resume-only || echo "not every stream runs (see above); Airflow is started all the same" >&2
	@$(STACK) airflow

.PHONY: airflow-cli
airflow-cli: installed ## Airflow's own commands, about the Airflow of `make airflow`: ARGS="dags list"
	@$(STACK) exec .venvs/orchestration/bin/airflow $(ARGS)

## The steps one by one

.PHONY: backfill
backfill: setup ## rebuild the Gold of a day: DAY=2026-11-24, or FROM=… TO=…
	@$(STACK) backfill $(if $(DAY),--day "$$DAY") $(if $(FROM),--from "$$FROM") $(if $(TO),--to "$$TO")

.PHONY: streams
streams: setup ## bring the streaming jobs onto the cluster: adopted, resumed or started; ARGS="--help"
	@$(STREAMS) $(ARGS)

.PHONY: finish
finish: setup ## after a replay: streaming Gold closes what the last captures keep open; ARGS="--help"
	@$(PIPELINE) finish $(ARGS)

.PHONY: prove
prove: setup ## every layer against the messages, row for row: RUN=run_id, or DAY=2026-11-24; default all
	@$(STACK) exec $(ORCHESTRATION) -m lakehouse prove $(if $(RUN),--run-id "$$RUN") $(if $(DAY),--day "$$DAY") $(ARGS)

.PHONY: faults
faults: setup ## kill, freeze and cut off servers at random while frames flow, then prove: ROUNDS=10 SEED=7
	@PYTHONPATH=include:plugins:tests $(ORCHESTRATION) -m faults --rounds "$${ROUNDS:-10}" $(if $(SEED),--seed "$$SEED") $(ARGS)

.PHONY: vision
vision: setup ## video → frame metadata: ARGS="--help" shows all
	@$(STACK) exec $(VISION) -m vision $(ARGS)

.PHONY: replay
replay: setup ## frame metadata → Pulsar: ARGS="--help" shows all
	@$(STACK) exec $(ORCHESTRATION) -m replay $(ARGS)

.PHONY: simulate
simulate: setup ## stores with known truth → frames, files or Pulsar: ARGS="--help" shows all
	@$(STACK) exec $(ORCHESTRATION) -m store_simulator $(ARGS)

.PHONY: lakehouse
lakehouse: setup ## the tables: ARGS="--help" shows all
	@$(STACK) exec $(ORCHESTRATION) -m lakehouse $(ARGS)

.PHONY: notebook
notebook: setup ## Gold in pandas, Polars and DuckDB, with figures: STORE=… CAMERA=… DAY=… (docs/notebooks)
	@$(STACK) exec $(ORCHESTRATION) docs/notebooks/gold.py

## For those who change it

.PHONY: lint
lint: typecheck ## ruff and mypy
	@$(ORCHESTRATION) -m ruff check .
	@$(ORCHESTRATION) -m ruff format --check .

.PHONY: typecheck
typecheck: $(SYNCED)
	@$(ORCHESTRATION) -m mypy include/frame_contract include/replay include/lakehouse include/local_stack include/store_simulator plugins bench/__main__.py bench/simulator.py bench/outcome.py bench/place.py bench/prove.py bench/backfill.py bench/duckdb_gold.py bench/growth.py bench/snapshots.py bench/stages/__main__.py bench/stages/flink.py bench/stages/frames.py bench/stages/publishing.py bench/stages/usage.py bench/freshness.py bench/soak.py bench/tuning.py
	@MYPYPATH=tests $(ORCHESTRATION) -m mypy tests/faults bench/ten_days.py bench/small.py
	@$(VISION) -m mypy include/vision bench/vision.py bench/vision_targets.py bench/vision_detector.py bench/vision_baseline.py bench/tracker_settings.py
	@$(FLINK) -m mypy include/flink_jobs bench/stages/job.py

.PHONY: screenshots
screenshots: setup ## make the pictures of docs/images anew, by the store page's tests
	@RVA_SCREENSHOTS=docs/images RVA_REQUIRE_STACK=1 $(STACK) during -- $(ORCHESTRATION) -m pytest -q tests/integration/test_store_page.py

.PHONY: format
format: $(SYNCED) ## let ruff put the code in shape
	@$(ORCHESTRATION) -m ruff check --fix .
	@$(ORCHESTRATION) -m ruff format .

.PHONY: bench
bench: setup ## each stage beside its ceiling and an alternative, by size, in one table: QUICK=1 takes under five minutes
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.stages $(if $(QUICK),--quick)

.PHONY: bench-tuning
bench-tuning: setup ## what each setting of the jobs is worth, against the jobs as they are: QUICK=1 is shorter, writes no result
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.tuning $(if $(QUICK),--quick)

.PHONY: bench-more
bench-more: bench-demo bench-vision bench-simulator bench-prove bench-backfill bench-growth bench-snapshots bench-page ## the other benchmarks, one after the other: QUICK=1 does little of each

.PHONY: bench-demo
bench-demo: setup ## the demonstration alone: QUICK=1 with the sample, or VIDEO=path WEIGHTS=path
	@$(STACK) exec $(ORCHESTRATION) -m bench $(if $(QUICK),--quick) $(if $(VIDEO),--video "$$VIDEO") $(if $(WEIGHTS),--weights "$$WEIGHTS")

.PHONY: bench-vision
bench-vision: setup ## vision alone, on ../shared/data or DATA=folder: QUICK=1 does speed only
	@$(VISION) -m bench.vision $(if $(QUICK),--quick) $(if $(DATA),--data "$$DATA")

.PHONY: bench-simulator
bench-simulator: $(SYNCED) ## the simulator alone: QUICK=1 does less, and writes no result
	@$(ORCHESTRATION) -m bench.simulator $(if $(QUICK),--quick)

.PHONY: bench-prove
bench-prove: setup ## two noisy hours of 8 cameras through all layers, and proven: QUICK=1 does less, writes no result
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.prove $(if $(QUICK),--quick)

.PHONY: bench-backfill
bench-backfill: setup ## a day of 20 cameras rebuilt, beside DuckDB: QUICK=1 does one store, writes no result
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.backfill $(if $(QUICK),--quick)

.PHONY: bench-growth
bench-growth: setup ## a month of commits with maintenance and without: QUICK=1 does two days, writes no result
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.growth $(if $(QUICK),--quick)

.PHONY: bench-snapshots
bench-snapshots: setup ## what a table's past costs whoever opens it; ten minutes: QUICK=1 does less, writes no result
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.snapshots $(if $(QUICK),--quick)

.PHONY: bench-freshness
bench-freshness: setup ## from a capture until Trino shows it, by checkpoint interval; 25 minutes: QUICK=1 does less, writes no result
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.freshness $(if $(QUICK),--quick)

.PHONY: bench-soak
bench-soak: setup ## a day of 20 cameras, a burst, a night caught up; 50 minutes: ONLY=day or burst, SPEED=50 times; QUICK=1 does less, writes no result
	@PYTHONPATH=plugins $(STACK) during -- $(ORCHESTRATION) -m bench.soak $(if $(QUICK),--quick) $(if $(ONLY),--only "$$ONLY") $(if $(SPEED),--speed "$$SPEED")

.PHONY: bench-page
bench-page: setup ## how soon the store page shows its first chart: QUICK=1 opens it less, writes no result
	@PYTHONPATH=include:plugins:tests $(STACK) during -- $(ORCHESTRATION) -m bench.page $(if $(QUICK),--quick)

.PHONY: bench-ten-days
bench-ten-days: setup ## ten days backfilled by Airflow while all streams run, and proven: QUICK=1 does three, writes no result
	@PYTHONPATH=include:plugins:tests $(ORCHESTRATION) -m bench.ten_days $(if $(QUICK),--quick)

.PHONY: bench-small
bench-small: setup ## start-up, idle processor and memory of each server, usual and SMALL: QUICK=1 does less, writes no result
	@PYTHONPATH=include:plugins:tests $(ORCHESTRATION) -m bench.small $(if $(QUICK),--quick)

.PHONY: bench-tracker-settings
bench-tracker-settings: setup ## what the tracker's settings are worth on unseen sequences; some ten minutes
	@nice -n 19 $(VISION) -m bench.tracker_settings $(if $(DATA),--data "$$DATA")

.PHONY: setup
setup: $(SYNCED) ## set up what is missing: environments, servers' files
	@$(STACK) fetch --quiet

.PHONY: installed
installed:
	@test -x $(ORCHESTRATION) || { echo "error: nothing is set up here yet: run \`make up\` or \`make demo\`" >&2; exit 2; }

# looks before anything long starts; `python3` may be of any version
.PHONY: preflight
preflight:
	@for any in "$(PYTHON)" python3 python; do \
	  if "$$any" -c "" >/dev/null 2>&1; then \
	    exec "$$any" include/local_stack/preflight.py --python "$(PYTHON)"; \
	  fi; \
	done; \
	echo "error: there is no Python; install Python 3.11 (on Debian: apt-get install python3.11-venv)" >&2; \
	exit 2

$(UV_READY): | preflight
	@echo "setting up uv $(UV_VERSION)"
	@rm -rf .venvs/uv
	@"$(PYTHON)" -m venv .venvs/uv
	@.venvs/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# uv goes on where it was interrupted; the stamp is written when all is there
.venvs/%/.synced: uv.lock pyproject.toml $(UV_READY) | preflight
	@echo "setting up the environment $*"
	@UV_PROJECT_ENVIRONMENT=.venvs/$* UV_PYTHON_DOWNLOADS=never \
	  $(UV) sync --frozen --no-config --python "$$("$(PYTHON)" -c 'import sys; print(sys.executable)')" $(GROUPS_$*)
	@touch $@

.PHONY: help
help: ## this list
	@echo "Usage: make COMMAND. First time: \`make demo\`."
	@awk -F ':.*## ' '/^## /{printf "\n%s\n", substr($$0, 4)} /^[a-z_-]+:.*## /{printf "  %-23s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
