"""What the embedded network says of the shipped photographs, as it was stored: nothing in between may change it.

After a change that is meant: python -m tests.images.test_stored
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inception_lab.images.classify import classify
from inception_lab.images.samples import samples

STORED = Path(__file__).with_name("stored.json")
TOLERANCE = 1e-4  # processors and versions of torch add up in another order


def answers() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for crops, reading in ((1, "timm"), (1, "slim"), (12, "timm")):
        for sample in samples():
            [one] = classify(sample.path, crops=crops, reading=reading)  # type: ignore[arg-type]
            found[f"{sample.file}, {crops}, {reading}"] = {str(p.index): p.probability for p in one.predictions}
    return found


def test_predictions_are_those_that_were_stored() -> None:
    stored, found = json.loads(STORED.read_text()), answers()
    assert set(stored) == set(found)
    for name, before in stored.items():
        assert found[name] == pytest.approx(before, abs=TOLERANCE), name


if __name__ == "__main__":
    STORED.write_text(json.dumps(answers(), indent=1) + "\n")
