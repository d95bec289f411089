#!/bin/sh
# Pins what is installed, with hashes: requirements.lock for an installation, requirements-dev.lock for a
# checkout (it holds the former too). Without an argument, keeps the pinned versions that still fit
# pyproject.toml; with --upgrade, takes the newest.
set -eu
cd "$(dirname "$0")/.."

pin() {
    output=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-config \
        --custom-compile-command "make lock" --output-file "$output" "$@"
}

pin requirements.lock pyproject.toml "$@"
pin requirements-dev.lock --constraint requirements.lock pyproject.toml --group dev "$@"
