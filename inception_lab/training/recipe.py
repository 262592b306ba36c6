"""A run as something to type: the Python and the command line that make the same numbers again. No torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from inception_lab.training.presets import PRESETS
from inception_lab.training.settings import FIELDS, Fork, Settings, told

Changes = Sequence[tuple[int, Mapping[str, Any]]]
"""Settings changed in mid-run: the first step they decide, and what they became."""

ALWAYS = ("scale", "seed")
COMMAND = "python -m inception_lab"


def python(settings: Settings, *, changes: Changes = (), fork: Fork | None = None) -> str:
    """A script that makes every step of the run again as `step`, one print each.

    What a fork shares with its parent has to be replayed from the parent's settings; give those, and all changes since.
    Comments say what was changed where, and of what run it is a `fork`.
    """
    return _told(changes, fork) + _script(settings, changes)


def _script(settings: Settings, changes: Changes) -> str:
    name, words = _words(settings)
    given = ", ".join(f"{key}={value!r}" for key, value in words.items())
    loop = "    print(step.step, step.loss, step.zero_share)\n"
    if changes:
        return _changing(f'preset("{name}", {given})', changes, loop)
    if None in words.values():  # which lab.train takes for "as in the preset"
        head = "from inception_lab.training.presets import preset\nfrom inception_lab.training.run import run\n\n"
        return f'{head}for step in run(preset("{name}", {given})):\n{loop}'
    return f'import inception_lab as lab\n\nfor step in lab.train("{name}", {given}):\n{loop}'


def _told(changes: Changes, fork: Fork | None) -> str:
    """What is not in the settings of the first step, a comment each."""
    said = []
    if fork is not None:
        said.append(f"# A fork of run {fork.run} at step {fork.step}; the steps they share are made again from step 0.")
    for step, changed in changes:
        words = ", ".join(f"{name} {told(value)}" for name, value in changed.items())
        said.append(f"# From step {step} on: {words}.")
    return "".join(f"{line}\n" for line in said)


def command(settings: Settings, *, changes: Changes = ()) -> str:
    """The command line for the same run, or empty if there is none: for mid-run changes, and for values it cannot
    say."""
    name, words = _words(settings)
    if changes or any(value is None or not isinstance(value, int | float | str | tuple) for value in words.values()):
        return ""
    return " ".join([COMMAND, "train", name, *(_option(key, value) for key, value in words.items())])


def _changing(settings: str, changes: Changes, loop: str) -> str:
    head = "from inception_lab.training.loop import Training\nfrom inception_lab.training.presets import preset\n"
    parts = [f"{head}\ntraining = Training({settings})\n"]
    for step, changed in changes:
        given = ", ".join(f"{key}={value!r}" for key, value in changed.items())
        parts.append(f"for step in training.steps(until={step}):\n{loop}training.change({given})\n")
    return "".join([*parts, f"for step in training.steps():\n{loop}"])


def _words(settings: Settings) -> tuple[str, dict[str, Any]]:
    """The preset to start from, and what has to be said besides: always scale and seed."""
    name = settings.preset if settings.preset in PRESETS else "micro"
    differs = settings.differences(PRESETS[name])
    return name, {
        key: getattr(settings, key)
        for key in FIELDS
        if key in ALWAYS or (key in differs and key not in ("preset", "fork"))
    }


def _option(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    values = value if isinstance(value, tuple) else (value,)
    return " ".join([f"--{flag}", *(shlex.quote(str(one)) for one in values)])
