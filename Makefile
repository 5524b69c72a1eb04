# `make run` and `make test` do all set-up from nothing: Linux, Python 3.11, make and git.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
READY := $(VENV)/ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1

# Two processes of one thread each: a test of a file runs where its neighbours run, and shares what they share.
TESTS := OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help setup run preview gallery test lint k8s-lint slow long clean

help:  ## show what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY)  ## make the environment in .venv; nothing to do when it is up to date

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

run: setup  ## the whole pipeline as params.yaml says: what is up to date is not run again
	phys4d run

preview: setup  ## draw simulated clips of the test split
	phys4d preview --split test --out preview.png

gallery: setup  ## clips of all nine categories on one page: data/gallery/dataset.html
	phys4d simulate --category all --clips 2 --size 128x128 --frames 33 --out data/gallery --preview
	phys4d dataset show data/gallery --clips 2 --out data/gallery/dataset.html

lint: setup  ## style, types
	ruff check .
	ruff format --check .
	mypy

k8s-lint: setup .venv-checkov/ready  ## checkov over the manifests, the Jobs and the Dockerfile
	k8s/lint.sh $(BIN)/python .venv-checkov/bin/checkov

.venv-checkov/ready: k8s/checkov-requirements.txt
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check -r k8s/checkov-requirements.txt
	touch $@

test: setup lint  ## style, types, the default tests (with a small run of the whole graph)
	$(TESTS)

slow: setup  ## the tests that take longer
	$(TESTS) -m slow --maxfail 10 --durations 30

long: setup  ## more of their kind, which continuous integration has no time for: before a release
	$(TESTS) -m long --maxfail 10 --durations 30

clean:  ## remove the environment and all that was made
	rm -rf $(VENV) .venv-checkov .phys4d data models
