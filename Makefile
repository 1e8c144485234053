# Every target works from a fresh checkout: what it needs is installed by it.
SHELL := /bin/bash
PY := .venv/bin/python
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help install install-dev install-train run test test-unit test-component test-services \
        test-faults test-corpus test-review test-odoo chaos bench bench-read evaluate lint format lock docs \
        train train-pages train-crf train-layoutlm train-reading clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

install: ## .venv with idp in .venv/bin
	@scripts/install runtime

install-dev: ## the same with the test tools
	@scripts/install dev

install-train: ## the same with torch and transformers
	@scripts/install train

run: install ## start the appliance with sample documents; Ctrl-C stops it
	@scripts/run

test: ## everything that proves it; what can't run here is named at the end
	@scripts/test lint unit component services faults chaos image corpus review+odoo

lint: install-dev ## ruff, mypy --strict, import contracts, Dockerfile
	@scripts/test lint image

test-unit: install-dev ## pure and quick
	@scripts/test unit

test-component: install-dev ## the real parts: models, database, engine, pages
	@scripts/test component

test-services: install-dev ## real Dovecot, clamd and LibreOffice
	@scripts/test services

test-faults: install-dev ## crashes, hangs and lies
	@scripts/test faults

test-corpus: install-dev ## real forms; IDP_CORPUS names the folder
	@scripts/test corpus

test-review: install-dev ## real Label Studio and Chromium
	@scripts/test review

test-odoo: install-dev ## real Odoo
	@scripts/test odoo

chaos: install-dev ## kill -9 again and again, then count
	@scripts/test chaos

bench: install-dev ## CPU seconds of the whole way beside the bare OCR call
	@$(PY) -m tests.bench.overhead

bench-read: install-dev ## reading beside Tesseract; BENCH_READ=--quick takes minutes
	@scripts/test bench-read

evaluate: install-dev ## score the product on IDP_CORPUS
	@$(PY) -m training.evaluate --corpus "$${IDP_CORPUS:?name the folder of real forms}"

train: train-crf train-layoutlm ## make both shipped taggers again (FORMS=folder of blank PDFs)

# What both taggers learn from beside pages made on the fly: drawn, faxed and read ones, filled
# forms, and with RELABELLED=1 forms whose labels are replaced (nothing has proved yet that these
# help). Each step does nothing where its folder is full.
PAGES := build/pages
train-pages: install-train
	@mkdir -p $(PAGES)
	@test -e $(PAGES)/drawn/done || { $(PY) -m training.synthesise --split train --count 220 \
	  --paper fine_dither --out $(PAGES)/drawn && touch $(PAGES)/drawn/done; }
ifdef FORMS
	@test -e $(PAGES)/filled/done || { $(PY) -m training.forms --forms "$(FORMS)" --split train \
	  --limit 20 --out $(PAGES)/filled && touch $(PAGES)/filled/done; }
ifdef RELABELLED
	@test -e $(PAGES)/relabelled/done || { $(PY) -m training.forms.relabel --forms "$(FORMS)" \
	  --pages 2100 --out $(PAGES)/relabelled/pages && touch $(PAGES)/relabelled/done; }
	@test -e $(PAGES)/relabelled_few/done || { $(PY) -m training.forms.relabel --forms "$(FORMS)" \
	  --pages 400 --out $(PAGES)/relabelled_few/pages && touch $(PAGES)/relabelled_few/done; }
endif
endif

train-crf: train-pages ## train and ship the CRF
	@$(PY) -m training.train_crf --labelled $(PAGES)/drawn/labelled \
	  $(if $(FORMS),--labelled $(PAGES)/filled/labels) \
	  $(if $(RELABELLED),--labelled $(PAGES)/relabelled_few/pages)

train-layoutlm: train-pages ## train and ship the LayoutLM tagger (TRAIN_SECONDS of CPU)
	@$(PY) -m training.layoutlm train --out build/layoutlm.pt \
	  --seconds "$${TRAIN_SECONDS:-5400}" $(if $(FORMS),--forms $(PAGES)/filled/labels \
	  $(if $(RELABELLED),$(PAGES)/relabelled/pages --forms-share 0.35,--forms-share 0.04))
	@$(PY) -m training.layoutlm ship --state build/layoutlm.pt

train-reading: install-train ## train the quick recogniser (FORMS=folder of blank PDFs), fit the trust
	@mkdir -p build && $(PY) -m training.recognition --ship --out build/text_recognition_tiny.onnx \
	  $(if $(FORMS),--forms "$(FORMS)")
	@$(PY) -m training.recognition.calibrate

format: install-dev ## let ruff write
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

docs: install-dev ## write the generated tables of docs/ again
	@$(PY) -m tests.docs_tables

lock: ## resolve the dependencies again into locks/
	@scripts/lock

clean: ## remove what can be made again (never data/)
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
