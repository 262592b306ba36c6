"""The instant forecast, computed: one forward and backward pass of a run's first batch.

    python -m inception_lab.training.forecast            settings as JSON lines in, forecasts as JSON lines out
    python -m inception_lab.training.forecast --map      make the shipped map, `assets/forecast/map.json.gz`

A line that is no settings, or settings that cannot be run, give `{"error": "..."}` on their line of the answer. The web
server asks a process of this kind (`jobs.forecasts`), so that it neither loads torch nor shares its generator.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from inception_lab.assets import asset
from inception_lab.errors import LabError, RunError, SettingsError
from inception_lab.training import runnable
from inception_lab.training.files import replace
from inception_lab.training.foretold import FILE, Forecast, initial, packed, plan
from inception_lab.training.libraries import versions
from inception_lab.training.loop import Training
from inception_lab.training.settings import Settings
from inception_lab.version import __version__

log = logging.getLogger(__name__)


def forecast(settings: Settings) -> Forecast:
    """What step 0 of a run says: on the processor, in fp32, with one thread, whatever the settings choose.

    0.1 to 1.3 seconds. Raises `SettingsError`, `NetworkError` or `DataError` for what cannot be run.
    """
    runnable.check(settings.with_(threads=1, device="cpu"))
    training = Training(initial(settings))
    step = next(iter(training.steps()))
    if step.gradient_norm is None:
        raise RunError("Step 0 came without the norm of its gradient. Measure every step: telemetry_every 1.")
    return Forecast(
        settings=settings,
        addresses=tuple(training.addresses),
        loss=step.loss,
        gradient_norm=step.gradient_norm,
        shortcut=step.shortcut,
        residual=step.residual,
    )


def answer(asked: TextIO, told: TextIO) -> None:
    """One line for each line asked, as soon as it is there."""
    for line in asked:
        if line.strip():
            told.write(json.dumps(_answered(line), allow_nan=False) + "\n")
            told.flush()


def make_map(out: Path | None = None, *, settings: Sequence[Settings] = ()) -> Path:
    """Make the map (or one of other settings) in `out`, by default where the lab ships it; returns the file."""
    folder = asset("forecast") if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    points = []
    for place, each in enumerate(settings or plan(), 1):
        points.append(forecast(each))
        log.info("%d: scale %g, %s, gradient norm %.4g", place, each.scale, each.repeats, points[-1].gradient_norm)
    replace(folder / FILE, packed(points, version=__version__, libraries=versions()))
    return folder / FILE


def main() -> None:
    """The command."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m inception_lab.training.forecast", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--map", action="store_true", help="make the shipped map instead of answering")
    parser.add_argument("--out", type=Path, default=None, help="the map's folder")
    asked = parser.parse_args()
    if asked.map:
        make_map(asked.out)
    else:
        answer(sys.stdin, sys.stdout)


def _answered(line: str) -> dict[str, object]:
    try:
        return forecast(Settings.from_dict(_read(line))).to_dict()
    except LabError as error:
        return {"error": str(error)}


def _read(line: str) -> dict[str, object]:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise SettingsError(f"The line is not JSON ({error}). Write one object a line.") from None
    if not isinstance(values, dict):
        raise SettingsError("Settings are one JSON object a line.")
    return values


if __name__ == "__main__":
    main()
