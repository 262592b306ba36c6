"""Events survive the file, with their NaNs, and a file cut off anywhere stays readable."""

import json
import math
from pathlib import Path

import pytest

from inception_lab.errors import RunError
from inception_lab.training import events
from inception_lab.training.events import Step


def step(number: int = 0, **changes: float) -> Step:
    values = {"loss": 2.5, "accuracy": 0.125, "rate": 0.2, "gradient_norm": 3.0, "zero_share": 0.5, **changes}
    return Step(step=number, shortcut=(1.0, 2.0), residual=(0.5, 4.0), zeros=(0.25, 1.0), **values)


def test_a_step_survives_its_line() -> None:
    line = events.encode(step().to_dict())
    assert "\n" not in line
    assert Step.from_dict(events.decode(line)) == step()


def test_a_step_without_telemetry_survives_its_line() -> None:
    bare = Step(step=3, loss=1.0, accuracy=0.5, rate=0.1)
    assert Step.from_dict(events.decode(events.encode(bare.to_dict()))) == bare


def test_numbers_that_json_lacks_are_strings_in_the_file_and_floats_in_python() -> None:
    broken = Step(step=1, loss=math.nan, accuracy=0.1, rate=0.2, gradient_norm=math.inf, shortcut=(-math.inf,))
    line = events.encode(broken.to_dict())
    plain = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert (plain["loss"], plain["gradient_norm"], plain["shortcut"]) == ("nan", "inf", ["-inf"])
    back = Step.from_dict(events.decode(line))
    assert math.isnan(back.loss)
    assert (back.gradient_norm, back.shortcut) == (math.inf, (-math.inf,))


def test_words_outside_steps_stay_words() -> None:
    assert events.decode(events.encode(events.end("failed", "nan")))["error"] == "nan"


def test_ratio_is_derived() -> None:
    odd = Step(step=0, loss=1, accuracy=0, rate=0, shortcut=(2.0, 0.0, 0.0), residual=(1.0, 3.0, 0.0))
    assert odd.ratio[:2] == (0.5, math.inf)
    assert math.isnan(odd.ratio[2])


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert events.read(path) == ([], 0)
    first = events.encode(step(0).to_dict()) + "\n"
    second = events.encode(step(1).to_dict()) + "\n"
    path.write_text(first + second[:40])
    found, offset = events.read(path)
    assert [event["step"] for event in found] == [0]
    assert offset == len(first)
    assert events.read(path, offset) == ([], offset)
    path.write_text(first + second)
    found, offset = events.read(path, offset)
    assert [event["step"] for event in found] == [1]
    assert events.read(path, offset) == ([], offset)
    assert events.read_steps(path) == [step(0), step(1)]


def test_a_file_cut_anywhere_gives_its_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = [events.encode(step(n).to_dict()).encode() + b"\n" for n in range(3)]
    whole = b"".join(lines)
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        assert len(events.read_steps(path)) == whole[:cut].count(b"\n")


def test_a_file_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(events.encode(step(7).to_dict()) + "\n")
    found, _ = events.read(path, 10_000)
    assert [event["step"] for event in found] == [7]


def test_a_damaged_line_is_said_to_be_damaged() -> None:
    with pytest.raises(RunError, match="no event of a run"):
        events.decode("[1, 2]")
    with pytest.raises(RunError, match="no event of a run"):
        events.decode(b"\xff\x00{")
