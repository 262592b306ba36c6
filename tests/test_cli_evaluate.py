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
from inception_lab.cli.main import main
from inception_lab.errors import DataError
from inception_lab.images import evaluate as images
from inception_lab.images.paper_tables import printed
from inception_lab.jobs import on_ray
from inception_lab.jobs.launch import python_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in ("967", "285", "504"):
        (tmp_path / "set" / place).mkdir(parents=True)
        shutil.copy(asset("samples", "coffee.jpg"), tmp_path / "set" / place)
    return tmp_path / "set"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, words)])


class RayError(Exception):
    """The base of what Ray raises."""


class TaskError(RayError):
    """As Ray wraps what a task raised: its text is a traceback."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("ray::_call() (pid=1)\n  File ...")
        self.cause = cause


class Cluster:
    """Ray's calls, each task run where it is asked for; `test_ray` has a real one."""

    def __init__(self) -> None:
        self.exceptions = SimpleNamespace(RayError=RayError)
        self.address = ""
        self.gpus = 0
        self.options: dict[str, Any] = {}
        self.open = False
        self.cancelled: list[Any] = []

    def init(self, *, address: str, **_: object) -> None:
        self.address, self.open = address, True

    def shutdown(self) -> None:
        self.open = False

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0} | ({"GPU": float(self.gpus)} if self.gpus else {})

    def remote(self, function: Any) -> Any:
        def options(**given: Any) -> SimpleNamespace:
            self.options = given
            return SimpleNamespace(remote=lambda *words: (function, words))

        return SimpleNamespace(options=options)

    def wait(self, tasks: list[Any], *, num_returns: int) -> tuple[list[Any], list[Any]]:
        return tasks[:num_returns], tasks[num_returns:]

    def cancel(self, task: Any) -> None:
        self.cancelled.append(task)

    def get(self, tasks: list[Any]) -> list[Any]:
        try:
            return [function(*words) for function, words in tasks]
        except DataError as error:
            raise TaskError(error) from error


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    ray = Cluster()
    monkeypatch.setattr(on_ray, "import_module", lambda name: ray)
    return ray


@pytest.mark.parametrize(("gpus", "device"), [(0, "auto"), (2, "auto"), (2, "cpu")])
def test_parts_on_a_cluster_are_the_whole(
    folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, gpus: int, device: str
) -> None:
    cluster.gpus = gpus
    with socket.create_server(("127.0.0.1", 0)) as head:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{head.getsockname()[1]}")
        done = run(folder, "--ray", 2, "--json", "--device", device)
    assert done.exit_code == 0, done.stderr
    found, whole = json.loads(done.stdout), json.loads(run(folder, "--json").stdout)
    assert (found["rows"], found["processes"]) == (whole["rows"], 2)
    wants = gpus > 0 and device == "auto"
    assert (cluster.options["num_cpus"], cluster.options["num_gpus"]) == (1, int(wants))
    assert python_path() == cluster.options["runtime_env"]["env_vars"]["PYTHONPATH"]
    assert "through the network, on other machines, at most about " in done.stderr
    assert f"2 parts on the cluster, {'a GPU' if wants else 'one CPU'} each." in done.stderr
    assert "2 of 2 parts" in done.stderr
    assert not cluster.open


def test_a_part_that_fails_ends_the_others(cluster: Cluster) -> None:
    parts: list[on_ray.Part] = [(("nowhere",), {}), (("nowhere",), {})]
    with pytest.raises(DataError, match="nowhere is no folder"):
        on_ray.in_parts(cluster, "tests.test_cli_evaluate:refused", parts)
    assert len(cluster.cancelled) == 1


def refused(folder: str) -> None:
    raise DataError(f"{folder} is no folder")


def test_what_is_refused_is_the_same_sentence(folder: Path, cluster: Cluster) -> None:
    done = run(folder / "nowhere", "--ray", 2)
    assert (done.exit_code, done.stderr) == (2, run(folder / "nowhere").stderr)
    assert not cluster.open


def test_no_cluster_is_said_at_once(folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as head:
        port = head.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    done = run(folder, "--ray", 2)
    assert done.exit_code == 2
    assert f"There is no Ray cluster at 127.0.0.1:{port}: [Errno 111] Connection refused Start one" in done.stderr
    assert cluster.address == "", "Ray was not asked"


def test_an_address_in_brackets_is_one() -> None:
    with pytest.raises(OSError, match=r"refused|Cannot assign|not supported|unreachable"):
        on_ray.reach("ray://[::1]:9")
    on_ray.reach("auto")


def test_an_interrupt_says_what_is_kept(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "evaluate", interrupted)
    file = tmp_path / "answers.jsonl"
    done = run(folder, "--resume", file)
    assert (done.exit_code, done.stdout) == (130, "")
    assert done.stderr.splitlines()[1:] == [f"Stopped. What is in {file} is kept: the same command goes on from there."]
    assert run(folder).stderr.splitlines()[1:] == ["Stopped. Nothing is kept."]


@pytest.mark.parametrize(
    ("crops", "blacklisted", "said"),
    [(1, True, ""), (1, False, "leaves the blacklisted images out"), (144, True, "uses the blacklisted images too")],
)
def test_the_paper_leaves_images_out_for_one_crop_only(crops: int, blacklisted: bool, said: str) -> None:
    found = printed("inception_v4", crops, blacklisted=blacklisted)
    assert found is not None
    assert said in found.note
    assert ("blacklisted" in found.note) == bool(said)
