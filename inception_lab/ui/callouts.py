"""Slow motion: one update of one block as five numbered callouts."""

from __future__ import annotations

from inception_lab.figures.callouts import five
from inception_lab.training.datasets import described
from inception_lab.ui import components
from inception_lab.ui.runs import Arm

_HTML = """<div class="callouts" role="group" aria-label="One update in five callouts"><div class="bar">
<span class="title"></span><button type="button" class="previous">Previous</button>
<button type="button" class="next">Next</button></div><ol></ol><span class="spoken" aria-live="polite"></span></div>"""


def callouts(arm: Arm, *, step: int, block: int, key: str = "callouts") -> None:
    """The update of `step` as it went through the block at place `block` of the run's addresses; nothing is drawn if
    that step was never made."""
    if block >= len(arm.addresses):
        return
    settings = arm.settings
    name = arm.addresses[block].split("/", 1)[1]
    stages = dict(zip("ABC", settings.stage_scales or (), strict=False))
    scale = stages.get(name.split("/", 1)[0], settings.scale)
    cards = five(arm.steps, at=step, block=block, scale=scale, classes=described(settings.data).classes)
    if not cards:
        return
    data = {
        "title": f"Update {step} of block {name}, {arm.label}",
        "cards": [{"title": c.title, "numbers": c.numbers, "sentence": c.sentence} for c in cards],
    }
    components.component("callouts", _HTML)(key=key, data=data)
