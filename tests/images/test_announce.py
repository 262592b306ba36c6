"""One announcement for every command and view: counts as the tasks count, seconds, memory, and words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inception_lab.assets import asset
from inception_lab.cli.main import main
from inception_lab.errors import SettingsError
from inception_lab.images import agreement, residuals, trust
from inception_lab.images.announce import TASKS, Cost, announce
from inception_lab.images.attribute import attribute, estimate
from inception_lab.images.estimate import long
from inception_lab.images.methods import METHODS

COFFEE = asset("samples", "coffee.jpg")
SHORT = ("--steps", 2, "--seeds", 3)
COMMANDS: dict[str, tuple[object, ...]] = {
    "classify": (COFFEE,),
    "attribute": (COFFEE, "--method", "grad_cam"),
    "trust": (COFFEE, "--method", "grad_cam", *SHORT),
    "compare-maps": (COFFEE, "--method", "grad_cam", "--method", "saliency"),
    "agreement": (COFFEE, "--method", "grad_cam", "--method", "saliency", *SHORT),
    "credit": (COFFEE,),
    "rho": (COFFEE, "--scales", "0,1"),
    "damage": (COFFEE,),
    "evaluate": (),
}
QUESTIONS = set(main.commands) - {
    *("nets", "shapes", "graph", "compare", "train", "sweep", "runs", "fetch", "data", "serve"),
}  # the others ask no network about a photograph; train, sweep and fetch announce what they take in their own words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "967").mkdir(parents=True)
    shutil.copy(COFFEE, tmp_path / "set" / "967")
    return tmp_path / "set"


def test_no_command_is_forgotten() -> None:
    assert QUESTIONS == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("words", [[], ["--json"]])
def test_every_command_says_its_cost_first(command: str, words: list[str], folder: Path) -> None:
    given = [str(word) for word in (COMMANDS[command] or (folder,))]
    done = CliRunner().invoke(main, [command, *given, *words])
    assert done.exit_code == 0, done.stderr
    first = next(line for line in done.stderr.splitlines() if " through the network, " in line)
    assert done.stderr.index(first) == 0, "before anything else"
    assert first.startswith(f"{'grad_cam' if command == 'attribute' else command}: ")
    assert " through the network, " in first
    assert " on this machine, at most about " in first
    assert first.endswith(" MB of memory.")
    if words:
        json.loads(done.stdout)


def test_the_counts_are_those_of_the_tasks() -> None:
    made = attribute(COFFEE, method="smoothgrad")
    assert announce("attribute", method="smoothgrad").images == made.forwards
    assert announce("trust", method="smoothgrad", draws=2).images == trust.cost(made, draws=2)
    assert announce("agreement").images == agreement.cost()
    assert announce("agreement", method=("saliency", "grad_cam"), steps=4, seeds=3).images == agreement.cost(
        methods=("saliency", "grad_cam"), steps=4, seeds=3
    )
    assert announce("classify", images=3, crops=144).images == 432
    assert (announce("rho", scales=2).images, announce("rho", scales=2, target=3).images) == (3, 2)
    assert announce("damage").images == round(residuals.cost()[1])


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_announced_as_it_is_estimated(method: Any) -> None:
    found, said = announce("attribute", method=method, image=COFFEE), estimate(method, image=COFFEE)
    assert (found.images, found.seconds, found.memory) == (said.images, said.seconds, said.bytes)


def test_every_task_takes_time_and_memory() -> None:
    for task in TASKS:
        found = announce(task)
        assert found.images > 0
        assert 0 < found.seconds < 1e4
        assert 50e6 < found.memory < 2e9, task


def test_two_parts_are_one_question() -> None:
    both = Cost(2, 1.5, 100) + Cost(3, 2.5, 80)
    assert both == Cost(5, 4.0, 100)
    assert both.to_dict() == {"images": 5, "seconds": 4.0, "memory": 100}


def test_in_words() -> None:
    assert str(Cost(1, 0.4, 7_000_000)) == (
        "1 image through the network, less than a second on this machine, at most about 7 MB of memory"
    )
    assert str(Cost(1280, 12.2, 2_000_000_000)) == (
        "1,280 images through the network, about 12 s on this machine, at most about 2,000 MB of memory"
    )
    assert [long(0.2), long(99), long(600)] == ["less than a second", "about 99 s", "about 10 min"]


def test_what_there_is_not() -> None:
    with pytest.raises(SettingsError, match="There is no task 'dream'; there are classify, "):
        announce("dream")  # type: ignore[arg-type]
