"""The runs the lab ships, so that a page shows something real before anything was trained.

    python -m inception_lab.training.reference [--scales 1.0 0.3 ...] [--seeds 5] [--together 2] [--out FOLDER]

makes them: the preset `micro` at each scale and seed, each run a process of its own as everywhere in the lab, written
to `assets/reference/` as one compressed JSON a run. Runs that are there with the same settings are kept. `load` reads
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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inception_lab.assets import asset
from inception_lab.errors import DataError, RunError
from inception_lab.training import events
from inception_lab.training.events import Step
from inception_lab.training.files import EVENTS, RESULT, SETTINGS, replace
from inception_lab.training.outcomes import Judgement, Outcome
from inception_lab.training.presets import preset
from inception_lab.training.settings import Settings

SCALES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05)
SEEDS = 5
COLUMNS = ("loss", "accuracy", "rate", "gradient_norm", "zero_share", "shortcut", "residual", "zeros")
LIBRARIES = ("torch", "timm", "numpy")

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


def load(folder: Path | None = None) -> list[ReferenceRun]:
    """Every shipped run, large scales first, then by seed; read once a process for each folder.

    Raises `DataError` if the folder is missing or a file in it cannot be read.
    """
    return list(_load(asset("reference") if folder is None else Path(folder)))


def make(
    *, scales: Sequence[float] = SCALES, seeds: int = SEEDS, together: int = 2, out: Path | None = None
) -> list[Path]:
    """Make the runs that `out` lacks, `together` processes at once; returns the files of all of them."""
    folder = out or asset("reference")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [preset("micro", scale=scale, seed=seed) for seed in range(seeds) for scale in scales]
    with ThreadPoolExecutor(together) as pool:
        return list(pool.map(lambda settings: _made(settings, folder), wanted))


@lru_cache(maxsize=4)
def _load(folder: Path) -> tuple[ReferenceRun, ...]:
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. Set INCEPTION_LAB_ASSETS to the assets folder of a checkout.")
    runs = [_read(file) for file in sorted(folder.glob("*.json.gz"))]
    return tuple(sorted(runs, key=lambda run: (-run.settings.scale, run.settings.seed)))


def _read(file: Path) -> ReferenceRun:
    try:
        kept = json.loads(gzip.decompress(file.read_bytes()))
        columns = [events.parsed(kept["steps"][name]) for name in COLUMNS]
        rows = (dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True))
        return ReferenceRun(
            name=file.name.removesuffix(".json.gz"),
            settings=Settings.from_dict(kept["settings"]),
            addresses=tuple(kept["addresses"]),
            steps=tuple(Step.from_dict({"step": number, **row}) for number, row in enumerate(rows)),
            judgement=_judgement(kept["judgement"]),
            test_accuracy=kept["test_accuracy"],
            seconds=kept["seconds"],
            version=kept["version"],
            libraries=kept["libraries"],
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is no reference run ({error}). Check it out again, or make it anew.") from None


def _judgement(kept: dict[str, Any]) -> Judgement:
    numbers = {name: events.parsed(value) for name, value in kept.items() if name != "outcome"}
    return Judgement(outcome=kept["outcome"], **numbers)


def _made(settings: Settings, folder: Path) -> Path:
    file = folder / f"{settings.preset}-scale{settings.scale:g}-seed{settings.seed}.json.gz"
    if file.exists() and _read(file).settings == settings:
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
        kept = compact(run)
    text = json.dumps(events.jsonable(kept), allow_nan=False, separators=(",", ":"))
    replace(file, gzip.compress(text.encode(), mtime=0))
    log.info("%s: %s, accuracy %.2f", file.name, kept["judgement"]["outcome"], kept["judgement"]["accuracy"])
    return file


def compact(run: Path) -> dict[str, Any]:
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
        "libraries": {name: version(name) for name in LIBRARIES},
        "steps": {name: [_rounded(step[name], name) for step in steps] for name in COLUMNS},
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
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many, counted from 0")
    parser.add_argument("--together", type=int, default=2, help="processes at once")
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    make(scales=asked.scales, seeds=asked.seeds, together=asked.together, out=asked.out)


if __name__ == "__main__":
    main()
