"""The group of all commands, and its entry point."""

from __future__ import annotations

import io
import sys

import click

from inception_lab.cli import (
    attribute,
    branches,
    classify,
    controls,
    data,
    describe,
    evaluate,
    fetch,
    maps,
    runs,
    serve,
    train,
)
from inception_lab.cli.output import Group
from inception_lab.version import __version__


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="inception-lab", message="%(prog)s %(version)s")
def main() -> None:
    """Inception Lab: take apart, train, break and question the networks of the Inception-v4 / Inception-ResNet paper.

    Every command prints a table for people, or one JSON object with --json. What it refuses is one sentence on stderr
    with exit status 2. Runs are kept under INCEPTION_LAB_HOME (~/.inception-lab).
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console without × prints ? instead of failing


for command in (
    describe.nets,
    describe.shapes,
    describe.graph,
    describe.compare,
    train.train,
    train.sweep,
    runs.runs,
    classify.classify,
    attribute.attribute,
    maps.trust,
    maps.compare_maps,
    maps.agreement,
    branches.credit,
    branches.rho,
    branches.damage,
    evaluate.evaluate,
    fetch.fetch,
    data.data,
    serve.serve,
):
    main.add_command(command)
for command in (controls.pause, controls.step, controls.go, controls.rate, controls.fork):
    runs.runs.add_command(command)
