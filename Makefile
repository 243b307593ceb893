# make demo   tour a simulated house, remember it, ask it, write demo/report.html
# make test   style, types, structure and tests
# Both set up .venv first; nothing else is needed.
.PHONY: help setup demo test lint types structure pytest format clean

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

lint:
	$(bin)/ruff check .
	$(bin)/ruff format --check .

types:
	$(bin)/mypy

structure:
	$(bin)/lint-imports

pytest:
	$(bin)/python -m pytest -n 2

format:
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

clean:
	rm -rf .venv demo
