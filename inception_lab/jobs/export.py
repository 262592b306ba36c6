"""Runs as files for other programs: CSV, JSON lines, Parquet, TensorBoard. NaN and infinities stay what they are.

A table has one row for each step of each run: the run's id, the settings in which the runs differ (`settings.width`),
the metrics of the step, and for each residual block a column such as `zeros inception_resnet_v2_paper/B/07`. What was
not measured is empty. Beside the numbers stands what makes them a result, `rows.about`.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, assert_never, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from inception_lab.errors import RunError
from inception_lab.jobs.board import write_board
from inception_lab.jobs.grid import differing, told
from inception_lab.jobs.rows import BLOCKS, METRICS, about, addresses, blocks, metrics
from inception_lab.jobs.store import Run
from inception_lab.training import events
from inception_lab.training.events import jsonable, read_steps
from inception_lab.training.files import EVENTS, replace

Format = Literal["csv", "parquet", "jsonl", "tensorboard"]

_NUMBERS = frozenset({int, float, bool})


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the `files` (or the folder), and how many runs and steps they hold."""

    files: tuple[Path, ...]
    format: Format
    runs: int
    steps: int


def export(runs: Sequence[Run], path: Path | str, *, format: Format | None = None) -> Exported:
    """Write every step of `runs` to `path`; without `format` its ending says which.

    "csv" writes `about` into a second file, `path` with .json behind it; "jsonl" into its first line, "parquet" into
    its metadata under `inception_lab`. "tensorboard" makes `path` a folder with one folder for each run. A file that
    is there is replaced. Raises `RunError` if there is no run, the format is unknown or what it needs is not installed.
    """
    place = Path(path)
    if not runs:
        raise RunError("There is no run to export. List the runs to see what there is.")
    chosen = format or _format(place)
    match chosen:
        case "csv":
            return _exported(place, runs, chosen, lambda part: _csv(part, runs))
        case "parquet":
            return _exported(place, runs, chosen, lambda part: _parquet(part, runs))
        case "jsonl":
            return _exported(place, runs, chosen, lambda part: _jsonl(part, runs))
        case "tensorboard":
            return Exported((place,), chosen, len(runs), write_board(runs, place))
        case _:
            assert_never(chosen)


def _format(path: Path) -> Format:
    found: dict[str, Format] = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"}
    if path.suffix.lower() not in found:
        raise RunError(
            f"{path.name} must end in .csv, .jsonl or .parquet, or the format must be given: "
            f"{', '.join(get_args(Format))}."
        )
    return found[path.suffix.lower()]


def _exported(path: Path, runs: Sequence[Run], format: Format, write: Callable[[Path], int]) -> Exported:
    """Write to a file beside `path` and rename it, so that nobody finds half a file there."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        steps = write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if format == "csv":
        beside = path.with_name(f"{path.name}.json")
        replace(beside, json.dumps(jsonable(about(runs)), indent=1).encode())
        return Exported((path, beside), format, len(runs), steps)
    return Exported((path,), format, len(runs), steps)


def _csv(path: Path, runs: Sequence[Run]) -> int:
    table = _Table(runs)
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        for run in runs:
            for row in table.rows(run):
                writer.writerow([row.get(name) for name in table.columns])
                count += 1
    return count


def _parquet(path: Path, runs: Sequence[Run]) -> int:
    table = _Table(runs)
    schema = pa.schema(
        [(name, table.kind(name)) for name in table.columns],
        metadata={"inception_lab": json.dumps(jsonable(about(runs)))},
    )
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for run in runs:
            rows = list(table.rows(run))
            if rows:  # as columns: a row that lacks a measurement must not shorten the others
                columns = {name: [row.get(name) for row in rows] for name in table.columns}
                writer.write_table(pa.table(columns, schema=schema))
                count += len(rows)
    return count


def _jsonl(path: Path, runs: Sequence[Run]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(events.encode(about(runs)) + "\n")
        for run in runs:
            found, _ = events.read(run.folder / EVENTS)
            for event in found:
                file.write(events.encode({"run": run.id, **event}) + "\n")
                count += event["type"] == "step"
    return count


class _Table:
    """The columns that all runs share, and their rows."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._settings = {name: f"settings.{name}" for name in differing([run.settings for run in runs])}
        self._values = {name: [getattr(run.settings, name) for run in runs] for name in self._settings}
        self._addresses = {run.id: addresses(run) for run in runs}
        every = list(dict.fromkeys(address for known in self._addresses.values() for address in known))
        blocks = [f"{name} {address}" for name in BLOCKS for address in every]
        self.columns = ["run", *self._settings.values(), "step", *METRICS, *blocks]

    def kind(self, column: str) -> pa.DataType:
        """The Parquet type of a column."""
        if column == "run":
            return pa.string()
        if column == "step":
            return pa.int64()
        name = column.removeprefix("settings.")
        if column not in self._settings.values():
            return pa.float64()
        kinds = {type(value) for value in self._values[name]} - {type(None)}
        if kinds == {bool}:
            return pa.bool_()
        if kinds == {int}:
            return pa.int64()
        return pa.float64() if kinds <= {int, float} else pa.string()

    def rows(self, run: Run) -> Iterator[dict[str, Any]]:
        """A row for each step of a run; what was not measured is not in it."""
        fixed = {"run": run.id, **{column: self._setting(run, name) for name, column in self._settings.items()}}
        names = self._addresses[run.id]
        for step in read_steps(run.folder / EVENTS):
            yield {**fixed, "step": step.step, **metrics(step), **blocks(step, names)}

    def _setting(self, run: Run, name: str) -> Any:
        value = getattr(run.settings, name)
        return value if value is None or type(value) in _NUMBERS else told(value)
