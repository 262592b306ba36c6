"""Runs in the store as the supervisor leaves them, without training any."""

from __future__ import annotations

import json
from collections.abc import Sequence

from inception_lab.jobs.store import Store
from inception_lab.training import events
from inception_lab.training.control import Change
from inception_lab.training.events import Step
from inception_lab.training.files import EVENTS
from inception_lab.training.outcomes import CLASSES, judge
from inception_lab.training.settings import Settings


def steps(count: int, *, accuracy: float = 0.1, zero_share: float = 0.5) -> list[Step]:
    """Steps that all look alike."""
    return [
        Step(step=n, loss=1.0, accuracy=accuracy, rate=0.2, gradient_norm=3.0, zero_share=zero_share)
        for n in range(count)
    ]


def leave(
    store: Store,
    settings: Settings,
    made: Sequence[Step],
    *,
    group: str = "g",
    status: str = "finished",
    addresses: Sequence[str] = (),
    changes: Sequence[Change] = (),
    classes: int = CLASSES,
) -> str:
    """A run that made these steps, and ended with what they come to unless it still runs; returns its id."""
    run = store.submit(settings, group=group)
    about = {"threads": 1, "device": "cpu", "parameters": 1, "classes": classes}
    lines = [events.start(addresses=addresses, version="0", **about)]
    lines += [events.change(change.step, change.settings) for change in changes]
    lines += [step.to_dict() for step in made]
    (store.folder(run) / EVENTS).write_text("".join(f"{events.encode(line)}\n" for line in lines))
    said = judge(made, classes)
    result = {name: getattr(said, name) for name in ("outcome", "died_at", "loss", "accuracy", "zero_share", "window")}
    told = json.dumps({**result, "changes": [change.to_dict() for change in changes]})
    with store._database.change() as db:
        db.execute(
            "UPDATE runs SET status = ?, started = 1, ended = 2, heartbeat = 9e9, result = ? WHERE id = ?",
            (status, told if status == "finished" else None, run),
        )
    return run
