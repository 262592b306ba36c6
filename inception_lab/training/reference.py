"""The runs the lab ships, so that a page shows something real before anything was trained.

    python -m inception_lab.training.reference [--experiment micro|remedies|map|race] [--arms KEY ...] [--seeds 5]
                                               [--together 2] [--out FOLDER]

makes them: every arm of an experiment (see `experiments`) with every seed, each run a process of its own as everywhere
in the lab, written as one compressed JSON a run to `assets/reference/` (micro) or a folder in it. Runs that are there
with the same settings and all their columns are kept, so a command that was stopped goes on where it was. `load` reads
them, without torch. Steps are rounded to four significant digits, zero shares to five decimals and never up to 1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from inception_lab.assets import asset
from inception_lab.errors import DataError, RunError
from inception_lab.training import events
from inception_lab.training.events import Step
from inception_lab.training.experiments import EXPERIMENTS, Experiment, experiment
from inception_lab.training.files import EVENTS, RESULT, SETTINGS, replace
from inception_lab.training.libraries import versions
from inception_lab.training.outcomes import Judgement, Outcome
from inception_lab.training.settings import Settings

MICRO = "micro"
HEADS = ("loss", "accuracy", "rate", "gradient_norm", "zero_share")
BLOCKS = ("shortcut", "residual", "zeros", "cosine", "gradient", "update")
COLUMNS: dict[str, tuple[str, ...]] = {MICRO: (*HEADS, *BLOCKS), "remedies": (*HEADS, "zeros")}
"""What is kept of each step, by experiment; of the others the heads alone, or the checkout would grow by megabytes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRun:
    """A shipped run: what was asked for, every step, and what it came to.

    `addresses` name the blocks that the lists of a `Step` follow. `judgement` was made from the unrounded steps.
    `version` is the lab's, `libraries` those of the machine it ran on, `seconds` what it took there.
    """

    name: str
    settings: Settings
    addresses: tuple[str, ...]
    steps: tuple[Step, ...]
    judgement: Judgement
    test_accuracy: float
    seconds: float
    version: str
    libraries: dict[str, str]

    @property
    def outcome(self) -> Outcome:
        """The word for what became of the run."""
        return self.judgement.outcome


def load(name: str = MICRO, *, folder: Path | None = None) -> list[ReferenceRun]:
    """Every shipped run of an experiment, in the order of its arms (micro: large scales first), then by seed; read once
    a process for each folder.

    Raises `SettingsError` for an experiment there is not, `DataError` if the folder is missing or empty, or a file in
    it cannot be read.
    """
    asked = experiment(name)
    return list(_load(asked.name, _folder(asked) if folder is None else Path(folder)))


def make(
    name: str = MICRO,
    *,
    arms: Sequence[str] = (),
    seeds: int | None = None,
    together: int = 2,
    out: Path | None = None,
) -> list[Path]:
    """Make the runs that `out` lacks, `together` processes at once; returns the files of all of them.

    `arms` are keys, all of them if none is given; `seeds` is a number, by default what the experiment says.
    """
    asked = experiment(name)
    folder = out or _folder(asked)
    folder.mkdir(parents=True, exist_ok=True)
    keys = {asked.arm(key).key for key in arms} or {arm.key for arm in asked.arms}
    wanted = [run for run in asked.runs(seeds=seeds) if (arm := asked.arm_of(run)) and arm.key in keys]
    with ThreadPoolExecutor(together) as pool:
        return list(pool.map(lambda settings: _made(asked, settings, folder), wanted))


def _folder(asked: Experiment) -> Path:
    return asset("reference") if asked.name == MICRO else asset("reference", asked.name)


@lru_cache(maxsize=8)
def _load(name: str, folder: Path) -> tuple[ReferenceRun, ...]:
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. Set INCEPTION_LAB_ASSETS to the assets folder of a checkout.")
    order = [arm.key for arm in experiment(name).arms]
    runs = [_read(file) for file in sorted(folder.glob("*.json.gz"))]
    if not runs:  # raised and not returned, or an empty folder would stay empty in the cache
        raise DataError(f"There are no runs in {folder}. Check it out again, or make them anew.")
    keys = {run.name: _key(name, run) for run in runs}
    return tuple(sorted(runs, key=lambda run: (order.index(keys[run.name]), run.settings.seed)))


def _key(name: str, run: ReferenceRun) -> str:
    arm = experiment(name).arm_of(run.settings)
    if arm is None:
        raise DataError(f"The reference run {run.name} is no arm of {name}. Check the folder out again.")
    return arm.key


def _read(file: Path) -> ReferenceRun:
    try:
        kept = json.loads(gzip.decompress(file.read_bytes()))
        columns = {name: events.parsed(values) for name, values in kept["steps"].items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return ReferenceRun(
            name=file.name.removesuffix(".json.gz"),
            settings=Settings.from_dict(kept["settings"]),
            addresses=tuple(kept["addresses"]),
            steps=tuple(Step.from_dict({"step": number, **row}) for number, row in enumerate(rows)),
            judgement=Judgement.from_dict(kept["judgement"]),
            test_accuracy=kept["test_accuracy"],
            seconds=kept["seconds"],
            version=kept["version"],
            libraries=kept["libraries"],
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is no reference run ({error}). Check it out again, or make it anew.") from None


def _made(asked: Experiment, settings: Settings, folder: Path) -> Path:
    arm, columns = asked.arm_of(settings), COLUMNS.get(asked.name, HEADS)
    assert arm is not None
    file = folder / f"{asked.name}-{arm.key}-seed{settings.seed}.json.gz"
    if file.exists() and _whole(file, settings, columns):
        log.info("%s is there", file.name)
        return file
    with tempfile.TemporaryDirectory() as work:
        run = Path(work)
        (run / SETTINGS).write_text(json.dumps(settings.to_dict()), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "inception_lab.training", str(run)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RunError(f"The run for {file.name} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        kept = compact(run, columns)
    text = json.dumps(events.jsonable(kept), allow_nan=False, separators=(",", ":"))
    replace(file, gzip.compress(text.encode(), mtime=0))
    log.info("%s: %s, accuracy %.2f", file.name, kept["judgement"]["outcome"], kept["judgement"]["accuracy"])
    return file


def _whole(file: Path, settings: Settings, columns: Iterable[str]) -> bool:
    """Whether a file is the run that is wanted, with everything that is kept of one today."""
    if _read(file).settings != settings:
        return False
    return set(columns) <= set(json.loads(gzip.decompress(file.read_bytes()))["steps"])


def compact(run: Path, columns: Sequence[str]) -> dict[str, Any]:
    """What is kept of a run's folder, columns instead of rows."""
    found, _ = events.read(run / EVENTS)
    result = json.loads((run / RESULT).read_text(encoding="utf-8"))
    steps = [event for event in found if event["type"] == "step"]
    return {
        "settings": result["settings"],
        "addresses": found[0]["addresses"],
        "judgement": {
            **{name: result[name] for name in ("outcome", "died_at", "loss", "accuracy", "zero_share")},
            "window": result["window"],
        },
        "test_accuracy": result["test_accuracy"],
        "seconds": result["seconds"],
        "version": result["version"],
        "libraries": versions(),
        "steps": {name: [_rounded(step[name], name) for step in steps] for name in columns},
    }


def _rounded(value: Any, column: str) -> Any:
    if isinstance(value, list):
        return [_rounded(item, column) for item in value]
    if value is None:
        return None
    if column in ("zeros", "zero_share"):
        return value if value == 1 else min(round(value, 5), 0.99999)
    return float(f"{value:.4g}")


def main() -> None:
    """The command."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m inception_lab.training.reference", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--experiment", choices=list(EXPERIMENTS), default=MICRO)
    parser.add_argument("--arms", nargs="+", default=(), help="keys of the arms, all by default")
    parser.add_argument("--seeds", type=int, default=None, help="how many, counted from 0")
    parser.add_argument("--together", type=int, default=2, help="processes at once")
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    make(asked.experiment, arms=asked.arms, seeds=asked.seeds, together=asked.together, out=asked.out)


if __name__ == "__main__":
    main()
