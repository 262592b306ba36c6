"""Runs as TensorBoard event files, written with TensorBoard's own writer and without torch.

TensorBoard is an extra (55 MB with what it needs, most of it a server that the lab never starts), so it is loaded by
name and its absence is a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from inception_lab.errors import RunError
from inception_lab.jobs.grid import told
from inception_lab.jobs.rows import about, addresses, blocks, metrics
from inception_lab.jobs.store import Run
from inception_lab.training.events import encode, read_steps
from inception_lab.training.files import EVENTS


def write_board(runs: Sequence[Run], folder: Path) -> int:
    """Write a folder of event files for each run into `folder`, which must be new or empty; returns the steps written.

    A scalar for each metric and, as `zeros/inception_resnet_v2_paper/B/07`, for each block; TensorBoard keeps scalars
    in single precision. The settings and `rows.about` are texts. A step does not say when it was made, so all of a
    run carry the time of its start. Raises `RunError` if TensorBoard is not installed or the folder holds anything.
    """
    board = _board()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} is not empty, and TensorBoard would mix what is there with these runs. Take another.")
    return sum(_write(board, run, folder / run.id) for run in runs)


def _board() -> Any:
    try:
        writer = import_module("tensorboard.summary.writer.event_file_writer")
        protos = {
            name: import_module(f"tensorboard.compat.proto.{name}_pb2")
            for name in ("event", "summary", "tensor", "types")
        }
    except ImportError:
        raise RunError(
            "TensorBoard is not installed. Install it with pip install 'tensorboard>=2.20,<3', or export to CSV, JSON "
            "lines or Parquet."
        ) from None
    return SimpleNamespace(EventFileWriter=writer.EventFileWriter, **protos)


def _write(board: Any, run: Run, folder: Path) -> int:
    """One run; returns its steps."""
    moment = run.started or run.created
    names = addresses(run)
    steps = read_steps(run.folder / EVENTS)
    with closing(board.EventFileWriter(str(folder))) as writer:

        def say(step: int, values: Sequence[Any]) -> None:
            summary = board.summary.Summary(value=values)
            writer.add_event(board.event.Event(wall_time=moment, step=step, summary=summary))

        say(0, [_text(board, "settings", _table(run.settings.to_dict())), _text(board, "about", encode(about([run])))])
        for step in steps:
            shown = {name: value for name, value in metrics(step).items() if value is not None}
            shown |= {name.replace(" ", "/", 1): value for name, value in blocks(step, names).items()}
            say(step.step, [board.summary.Summary.Value(tag=tag, simple_value=value) for tag, value in shown.items()])
    return len(steps)


def _table(settings: Mapping[str, Any]) -> str:
    """Settings in Markdown, which TensorBoard's text shows as a table."""
    return "\n".join(
        ["| setting | value |", "|---|---|", *(f"| {name} | {told(settings[name])} |" for name in settings)]
    )


def _text(board: Any, tag: str, text: str) -> Any:
    plugin = board.summary.SummaryMetadata.PluginData(plugin_name="text")
    return board.summary.Summary.Value(
        tag=tag,
        metadata=board.summary.SummaryMetadata(plugin_data=plugin, data_class=board.summary.DATA_CLASS_TENSOR),
        tensor=board.tensor.TensorProto(dtype=board.types.DT_STRING, string_val=[text.encode()]),
    )
