"""The command evaluate: parts on a cluster, Ctrl-C, and what stands beside the paper."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inception_lab.assets import asset
from inception_lab.cli import evaluate as command
from inception_lab.cli.main import main
from inception_lab.errors import DataError
from inception_lab.images import evaluate as images
from inception_lab.images.paper_tables import printed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in ("967", "285", "504"):
        (tmp_path / "set" / place).mkdir(parents=True)
        shutil.copy(asset("samples", "coffee.jpg"), tmp_path / "set" / place)
    return tmp_path / "set"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, words)])


class TaskError(Exception):
    """As Ray wraps what a task raised: its text is a traceback."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("ray::evaluate_shard() (pid=1)\n  File ...")
        self.cause = cause


class Cluster:
    """Ray's calls, each task run where it is asked for."""

    def __init__(self) -> None:
        self.exceptions = SimpleNamespace(RayTaskError=TaskError)
        self.address = ""
        self.options: dict[str, Any] = {}
        self.open = False

    def init(self, *, address: str, **_: object) -> None:
        self.address, self.open = address, True

    def shutdown(self) -> None:
        self.open = False

    def remote(self, function: Any) -> Any:
        def options(**given: Any) -> SimpleNamespace:
            self.options = given
            return SimpleNamespace(remote=lambda *words, **named: (function, words, named))

        return SimpleNamespace(options=options)

    def get(self, tasks: list[Any]) -> list[Any]:
        try:
            return [function(*words, **named) for function, words, named in tasks]
        except DataError as error:
            raise TaskError(error) from error


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    ray = Cluster()
    monkeypatch.setattr(command, "import_module", lambda name: ray)
    return ray


def test_parts_on_a_cluster_are_the_whole(folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as head:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{head.getsockname()[1]}")
        done = run(folder, "--ray", 2, "--json")
    assert done.exit_code == 0, done.stderr
    found, whole = json.loads(done.stdout), json.loads(run(folder, "--json").stdout)
    assert (found["rows"], found["processes"]) == (whole["rows"], 2)
    assert cluster.options == {"num_cpus": 1, "num_gpus": 0}
    assert not cluster.open


def test_what_a_task_refuses_is_the_same_sentence(folder: Path, cluster: Cluster) -> None:
    done = run(folder / "nowhere", "--ray", 2)
    assert (done.exit_code, done.stderr) == (2, run(folder / "nowhere").stderr)
    assert not cluster.open


def test_no_cluster_is_said_at_once(folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as head:
        port = head.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    done = run(folder, "--ray", 2)
    assert done.exit_code == 2
    assert "There is no Ray cluster ([Errno 111] Connection refused). Start one with ray start --head." in done.stderr
    assert cluster.address == "", "Ray was not asked"


def test_an_interrupt_says_what_is_kept(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "evaluate", interrupted)
    file = tmp_path / "answers.jsonl"
    done = run(folder, "--resume", file)
    assert (done.exit_code, done.stdout) == (130, "")
    assert done.stderr == f"Stopped. What is in {file} is kept: the same command goes on from there.\n"
    assert run(folder).stderr == "Stopped. Nothing is kept.\n"


@pytest.mark.parametrize(
    ("crops", "blacklisted", "said"),
    [(1, True, ""), (1, False, "leaves the blacklisted images out"), (144, True, "uses the blacklisted images too")],
)
def test_the_paper_leaves_images_out_for_one_crop_only(crops: int, blacklisted: bool, said: str) -> None:
    found = printed("inception_v4", crops, blacklisted=blacklisted)
    assert found is not None
    assert said in found.note
    assert ("blacklisted" in found.note) == bool(said)
