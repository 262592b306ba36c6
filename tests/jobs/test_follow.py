import logging
from pathlib import Path

import pytest

from inception_lab.jobs.follow import Follower
from inception_lab.training import events
from inception_lab.training.events import Step


def write(folder: Path, count: int, *, loss: float, address: str = "a") -> None:
    """A run of `count` steps, written over what is there as a run that starts again does."""
    start = events.start(addresses=(address,), version="0", threads=1, device="cpu", parameters=1)
    steps = [Step(step=number, loss=loss, accuracy=0.5, rate=0.1).to_dict() for number in range(count)]
    lines = "".join(events.encode(event) + "\n" for event in (start, *steps))
    (folder / "events.jsonl").write_text(lines)


def losses(follower: Follower, folder: Path) -> list[float]:
    return [step.loss for step in follower.steps(folder)]


@pytest.mark.parametrize("count", [1, 3, 50])
@pytest.mark.parametrize("anew", [True, False])
def test_a_run_started_again_is_read_from_its_start(tmp_path: Path, count: int, anew: bool) -> None:
    follower = Follower()
    write(tmp_path, 3, loss=1.0)
    assert losses(follower, tmp_path) == [1.0] * 3
    if anew:
        (tmp_path / "events.jsonl").rename(tmp_path / "old")  # so that the new file cannot have its number
    write(tmp_path, count, loss=2.125, address="another")
    assert losses(follower, tmp_path) == losses(follower, tmp_path) == [2.125] * count
    assert follower.addresses(tmp_path) == ("another",)


def test_it_knows_the_classes_of_the_data_and_takes_ten_where_none_are_told(tmp_path: Path) -> None:
    follower = Follower()
    assert follower.classes(tmp_path) == 10
    first = events.start(addresses=(), version="0", threads=1, device="cpu", parameters=1, classes=8)
    (tmp_path / "events.jsonl").write_text(events.encode(first) + "\n")
    assert follower.classes(tmp_path) == 8


def test_a_new_file_with_a_line_at_the_old_offset_is_noticed(tmp_path: Path) -> None:
    follower = Follower()
    write(tmp_path, 3, loss=1.0)
    follower.steps(tmp_path)
    (tmp_path / "events.jsonl").rename(tmp_path / "old")
    write(tmp_path, 5, loss=2.0)  # lines as long as before
    assert losses(follower, tmp_path) == [2.0] * 5


@pytest.mark.parametrize("damage", ["{", "\0\0\0", "[1]", '{"step": 1}', '{"type": "step"}', '{"type": "start"}'])
def test_a_damaged_line_is_left_out_and_said_once(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    follower = Follower()
    write(tmp_path, 2, loss=1.0)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(damage + "\n" + events.encode(Step(step=2, loss=3.0, accuracy=0.5, rate=0.1).to_dict()) + "\n")
    with caplog.at_level(logging.WARNING):
        assert losses(follower, tmp_path) == losses(follower, tmp_path) == [1.0, 1.0, 3.0]
    assert len(caplog.records) == 1


def test_steps_are_added_as_they_come_and_a_deleted_run_has_none(tmp_path: Path) -> None:
    follower = Follower()
    assert follower.steps(tmp_path) == ()
    write(tmp_path, 1, loss=1.0)
    first = follower.steps(tmp_path)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(events.encode(Step(step=1, loss=2.0, accuracy=0.5, rate=0.1).to_dict()) + "\n")
    assert follower.steps(tmp_path)[0] is first[0]
    assert losses(follower, tmp_path) == [1.0, 2.0]
    (tmp_path / "events.jsonl").unlink()
    assert follower.steps(tmp_path) == ()
