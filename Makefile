# make demo   a robot's two days in a simulated home; writes demo/report.html
# make test   style, types, structure and tests
# make docs   build the documentation site in site/
# make web    build the viewer from web/; needs Node 20 (the built page is in the repository)
# make test-ros   build and test the ROS 2 packages; needs ROS 2 Jazzy
# All set up .venv first; nothing else is needed.
.PHONY: help setup demo test test-ros lint types structure pytest docs web format clean

bin := .venv/bin
export HF_HUB_OFFLINE := 1
export OMP_NUM_THREADS ?= 2

help:
	@sed -n 's/^# //p' Makefile

setup:
	@scripts/setup.sh

demo: setup
	$(bin)/robot-memory demo --out demo

test: setup lint types structure pytest

test-ros: setup
	@scripts/ros.sh test

lint:
	$(bin)/ruff check .
	$(bin)/ruff format --check .

types:
	$(bin)/mypy

structure:
	$(bin)/lint-imports

pytest:
	$(bin)/python -m pytest -n 2

docs: setup
	$(bin)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(bin)/zensical build --strict --clean

web:
	cd web && npm ci --no-audit --no-fund && npm run build

format:
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

clean:
	rm -rf .venv demo
