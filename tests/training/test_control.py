"""What a run is told arrives whole, in order, and only if it is something new."""

import os
from pathlib import Path

import pytest

from inception_lab.errors import RunError, SettingsError
from inception_lab.training import control
from inception_lab.training.control import Change, Control, Listener
from tests.training.tiny import tiny


def test_nothing_was_told_where_there_is_no_file(tmp_path: Path) -> None:
    assert control.read(tmp_path) == Control() == Listener(tmp_path)()
    assert not Control().pauses(10)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    told = Control(7, (Change(0, {"rate": 0.02}), Change(5, {"momentum": 0.5, "clip": None})))
    control.write(tmp_path, told)
    assert control.read(tmp_path) == told
    assert [file.name for file in tmp_path.iterdir()] == ["control.json"]


def test_a_pause_holds_from_its_step_on() -> None:
    assert [Control(3).pauses(step) for step in (2, 3, 4)] == [False, True, True]
    assert Control(3).paused().pauses(0)
    assert not Control(0).going().pauses(9)


def test_steps_asked_for_twice_are_made_twice() -> None:
    once = Control(0).stepped(made=12, steps=1)
    assert once.pause_at == 13
    assert once.stepped(made=12, steps=1).pause_at == 14  # the first was not yet made
    assert once.stepped(made=13, steps=25).pause_at == 38
    assert Control().stepped(made=4, steps=25).pause_at == 29  # of a run that goes on


def test_only_what_may_change_in_mid_run_changes() -> None:
    changed = Control().changed(tiny(), {"rate": 0.01}).changed(tiny(), {"clip": 2.0})
    assert changed.changes == (Change(0, {"rate": 0.01}), Change(0, {"clip": 2.0}))
    with pytest.raises(SettingsError, match="scale cannot change while a run goes on; rate, momentum, clip can"):
        Control().changed(tiny(), {"scale": 0.1, "rate": 0.1})
    with pytest.raises(SettingsError, match="rate must be from 0 to 100"):
        Control().changed(tiny(), {"rate": -1})
    with pytest.raises(SettingsError, match="No new value was given"):
        Control().changed(tiny(), {})


def test_a_run_made_again_changes_where_the_first_did() -> None:
    told = Control(9, (Change(0, {"rate": 0.01}), Change(0, {"rate": 0.02})))
    assert told.again((Change(4, {"rate": 0.01}),)) == Control(
        None, (Change(4, {"rate": 0.01}), Change(0, {"rate": 0.02}))
    )


@pytest.mark.parametrize(
    "damage", ["", "[]", "{}", '{"pause_at": "x", "changes": []}', '{"pause_at": 1, "changes": 3}']
)
def test_a_damaged_file_is_a_sentence_and_changes_nothing(tmp_path: Path, damage: str) -> None:
    control.write(tmp_path, Control(5))
    listen = Listener(tmp_path)
    assert listen() == Control(5)
    (tmp_path / "new").write_text(damage)
    (tmp_path / "new").replace(tmp_path / "control.json")
    with pytest.raises(RunError, match=r"control\.json is damaged"):
        control.read(tmp_path)
    assert listen() == Control(5)


def test_the_file_is_read_again_only_when_it_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    control.write(tmp_path, Control(5))
    listen, reads, read = Listener(tmp_path), [], control.read
    monkeypatch.setattr(control, "read", lambda folder: reads.append(folder) or read(folder))
    assert [listen() for _ in range(3)] == [Control(5)] * 3
    assert len(reads) == 1
    control.write(tmp_path, Control(6))
    assert listen() == Control(6)
    os.unlink(tmp_path / "control.json")
    assert listen() == Control(6)


def test_what_a_fork_may_change_is_what_the_loop_can() -> None:
    from inception_lab.training import loop

    assert control.CHANGEABLE == loop.CHANGEABLE
    assert set(control.LIVE) < control.CHANGEABLE
