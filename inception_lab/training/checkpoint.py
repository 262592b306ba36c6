"""A run's state on disk, so that another can begin there: weights, optimiser, running average, number of the step.

A file holds the state at the start of its step, before its batch. It takes three numbers a weight (itself, and
RMSProp's two), 23 MB with the preset micro and 360 MB with wide.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import torch

from inception_lab.errors import RunError
from inception_lab.training import files
from inception_lab.training.loop import Training
from inception_lab.version import __version__


def save(training: Training, folder: Path) -> Path:
    """Keep the state of a run between two steps.

    It does not wait for the disk: what a power cut breaks, `load` refuses, and the run makes those steps again.
    """
    state = training.state()
    file = folder / files.checkpoint(training.at)
    about = {"version": __version__, "settings": json.dumps(training.settings.to_dict())}
    with files.whole(file, durable=False) as draft:
        torch.save({**about, "state": state}, draft)
    return file


def load(file: Path) -> dict[str, Any]:
    """The state in a checkpoint, for `Training.restore`. Raises `RunError` if it is damaged or of another step."""
    try:
        kept = torch.load(file, map_location="cpu", weights_only=True)
        state: dict[str, Any] = kept["state"]
        if files.checkpoint(state["at"]) != file.name:
            raise ValueError(f"it is of step {state['at']}")
        return state
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise RunError(
            f"The checkpoint {file} cannot be read ({error}). Delete it; its steps are made again."
        ) from None
