"""Data sets on the command line: what there is, and bringing one here from a server of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inception_lab.cli.main import main
from inception_lab.training.datasets import DATASETS
from tests.training import datafiles

ROOT = Path(__file__).resolve().parents[1]


def lab(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def answer(*words: str) -> Any:
    result = lab(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_says_what_is_here_and_what_a_download_costs() -> None:
    found = {one["name"]: one for one in answer("data", "list")["data"]}
    assert list(found) == list(DATASETS)
    assert [name for name, one in found.items() if one["present"]] == ["fashion_mnist_extract", "textures"]
    assert found["cifar10"]["download_bytes"] == 170_052_171
    assert found["imagenette"]["labels"][0] == "tench"
    assert answer("data") == answer("data", "list")
    shown = lab("data").stdout
    assert all(name in shown for name in DATASETS)
    assert "data fetch NAME" in shown


def test_fetch_brings_it_and_says_where(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    files = {"one.gz": b"1" * 500, "two.gz": b"2" * 500}
    with datafiles.serving(files) as server:
        datafiles.described_as(monkeypatch, "fashion_mnist", files, url=server.url)
        found = answer("data", "fetch", "fashion_mnist")
    assert found["present"] is True
    assert found["folder"] == str(home / "data" / "fashion_mnist")
    assert [Path(file).read_bytes() for file in found["files"]] == list(files.values())
    assert "MIT" in lab("data", "fetch", "fashion_mnist").stdout


def test_fetch_from_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "one.gz").write_bytes(b"1")
    datafiles.described_as(monkeypatch, "cifar10", {"one.gz": b"1"})
    assert answer("data", "fetch", "cifar10", "--from", str(tmp_path))["present"] is True


def test_what_needs_no_download_is_said() -> None:
    assert lab("data", "fetch", "textures").stdout == "Synthetic textures needs no download.\n"


def test_refusals_are_one_sentence_and_status_2() -> None:
    environment = {**os.environ, "INCEPTION_LAB_MIRROR": "http://127.0.0.1:9"}  # nobody listens there
    done = subprocess.run(
        [sys.executable, "-m", "inception_lab", "data", "fetch", "cifar10", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: CIFAR-10 is not on this machine and cannot be fetched (127.0.0.1: ")
    assert done.stderr.count("\n") == 1
    unknown = lab("data", "fetch", "mnist")
    assert unknown.exit_code == 2
    assert "There is no data set 'mnist'" in unknown.stderr
