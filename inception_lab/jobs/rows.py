"""What an export says of runs, whatever its format: the names of the numbers, and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inception_lab.jobs.grid import differing
from inception_lab.jobs.store import Run
from inception_lab.training import events
from inception_lab.training.events import Step
from inception_lab.training.files import EVENTS
from inception_lab.version import __version__

METRICS = ("loss", "accuracy", "rate", "gradient_norm", "zero_share")
BLOCKS = ("shortcut", "residual", "zeros", "cosine", "gradient", "update")


def about(runs: Sequence[Run]) -> dict[str, Any]:
    """What stands beside exported numbers: n, the lab's version, and of each run its settings, outcome and version."""
    return {
        "type": "about",
        "n": len(runs),
        "seeds": sorted({run.settings.seed for run in runs}),
        "differing": list(differing([run.settings for run in runs])),
        "version": __version__,
        "runs": [
            {
                "run": run.id,
                "sweep": run.group,
                "status": run.status,
                "outcome": (run.result or {}).get("outcome"),
                "died_at": (run.result or {}).get("died_at"),
                "version": (run.result or {}).get("version"),
                "settings": run.settings.to_dict(),
            }
            for run in runs
        ],
    }


def metrics(step: Step) -> dict[str, float | None]:
    """The metrics of a step by name; None if it did not measure one."""
    return {name: getattr(step, name) for name in METRICS}


def blocks(step: Step, names: Sequence[str]) -> dict[str, float]:
    """What a step measured in each block, under `quantity address`."""
    return {
        f"{quantity} {address}": value
        for quantity in BLOCKS
        for address, value in zip(names, getattr(step, quantity), strict=False)
    }


def addresses(run: Run) -> list[str]:
    """The addresses of a run's residual blocks, as its first event names them."""
    found, _ = events.read(run.folder / EVENTS)
    return next((list(event["addresses"]) for event in found if event["type"] == "start"), [])
