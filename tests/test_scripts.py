"""The commands of a fresh machine: what they do a second time, what they say when something is missing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.live import free_port, healthy

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ["serve", "test", "check"]


def run(*command: object, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PORT", "PYTHON", "UV_TORCH_BACKEND", "INCEPTION_LAB_VENV"}
    }
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=kept | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is already made, with a uv that only writes down how it was called."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "requirements.txt").write_text("torch\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\n")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    write(programs / "python", f'exec "{sys.executable}" "$@"')
    write(programs / "uv", f'echo "index=${{UV_DEFAULT_INDEX:-}} $*" >>"{tmp_path}/calls"')
    write(tmp_path / "scripts" / "prepare", '. "$(dirname "$0")/_common"\nset_up "${1:-requirements.txt}"')
    return tmp_path


def write(program: Path, text: str) -> None:
    program.write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{text}\n")
    program.chmod(0o755)


def installs(checkout: Path) -> list[str]:
    """The calls of `uv pip install` so far."""
    calls = checkout / "calls"
    return [line for line in calls.read_text().splitlines() if " pip install " in line] if calls.exists() else []


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_says_how_to_call_it(script: str) -> None:
    answer = run(ROOT / "scripts" / script, "--help")
    assert answer.returncode == 0
    assert f"scripts/{script} " in answer.stdout
    assert not answer.stdout.startswith("#")


def test_help_of_serve_tells_windows_and_gpu_users_what_differs() -> None:
    text = run(ROOT / "scripts" / "serve", "--help").stdout
    assert "UV_TORCH_BACKEND=cpu" in text
    assert r".venv\Scripts\python -m streamlit run app.py" in text


def test_a_second_set_up_does_nothing(checkout: Path) -> None:
    assert "installing requirements.txt" in run(checkout / "scripts" / "prepare").stdout
    again = run(checkout / "scripts" / "prepare")
    assert (again.returncode, again.stdout) == (0, "")
    assert len(installs(checkout)) == 1


def test_changed_requirements_are_installed_again(checkout: Path) -> None:
    run(checkout / "scripts" / "prepare", "requirements-dev.txt")
    (checkout / "requirements.txt").write_text("torch\ntimm\n")
    run(checkout / "scripts" / "prepare", "requirements-dev.txt")
    assert len(installs(checkout)) == 2


def test_the_torch_build_is_chosen_once_and_kept(checkout: Path) -> None:
    prepare = checkout / "scripts" / "prepare"
    run(prepare)
    run(prepare, UV_TORCH_BACKEND="cpu")
    run(prepare)
    first, cpu = installs(checkout)
    assert "--torch-backend" not in first
    assert "--reinstall-package torch --reinstall-package torchvision --torch-backend cpu" in cpu


def test_pip_s_index_is_handed_to_uv(checkout: Path) -> None:
    run(checkout / "scripts" / "prepare", PIP_INDEX_URL="https://mirror.example/simple")
    assert installs(checkout)[0].startswith("index=https://mirror.example/simple ")


def test_a_failed_install_says_why_and_leaves_no_stamp(checkout: Path) -> None:
    write(checkout / ".venv" / "bin" / "uv", 'if [ "$1" = pip ]; then echo "no such package" >&2; exit 1; fi')
    answer = run(checkout / "scripts" / "prepare")
    assert answer.returncode == 1
    assert "no such package" in answer.stderr
    assert "FAILED: uv could not install requirements.txt" in answer.stderr
    assert not list((checkout / ".venv").glob(".installed-*"))


def test_a_machine_without_python_is_told_what_to_install(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "env", "dirname", "basename", "cat", "sed"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    shutil.rmtree(checkout / ".venv")
    answer = run(checkout / "scripts" / "prepare", PATH=str(tools))
    assert answer.returncode == 1
    assert "no Python 3.11 or newer" in answer.stderr
    assert "apt-get install python3 python3-venv" in answer.stderr


def test_serve_refuses_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = run(ROOT / "scripts" / "serve", PORT=port, INCEPTION_LAB_VENV=sys.prefix)
    assert answer.returncode == 1
    assert f"port {port} is taken" in answer.stderr


def test_second_start_of_serve_answers_within_ten_seconds(home: Path, tmp_path: Path) -> None:
    port = free_port()
    env = {**os.environ, "PORT": str(port), "INCEPTION_LAB_VENV": sys.prefix, "INCEPTION_LAB_HOME": str(home)}
    log = tmp_path / "log"
    started = time.monotonic()
    with log.open("wb") as out:
        server = subprocess.Popen(
            [ROOT / "scripts" / "serve"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not healthy(f"http://127.0.0.1:{port}"):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() - started < 10, log.read_text()
            time.sleep(0.05)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)
    assert f"http://localhost:{port}" in log.read_text()


@pytest.mark.parametrize(("check", "test", "expected"), [(0, 0, 0), (1, 0, 1), (0, 3, 3), (1, 3, 3)])
def test_ci_runs_both_and_fails_if_either_does(tmp_path: Path, check: int, test: int, expected: int) -> None:
    for name, status in (("check", check), ("test", test)):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        write(tmp_path / "scripts" / name, f'echo "{name} with CI=$CI"; exit {status}')
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    answer = run("bash", ".ci/run", cwd=tmp_path, CI="true")
    assert answer.returncode == expected
    assert answer.stdout.split("\n") == ["check with CI=true", "test with CI=true", ""]


@pytest.mark.parametrize(("ci", "expected", "word"), [("", 0, "2 skipped"), ("true", 1, "may not be skipped in CI")])
def test_a_skipped_browser_test_fails_in_ci(tmp_path: Path, ci: str, expected: int, word: str) -> None:
    browser = tmp_path / "tests" / "browser"
    browser.mkdir(parents=True)
    for file in ("conftest.py", "chromium.py", "live.py"):
        shutil.copy(ROOT / "tests" / "browser" / file, browser / file)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers = browser\naddopts = --import-mode=importlib -rs\npythonpath = .\n"
    )
    (browser / "test_one.py").write_text("import pytest\n\ndef test_one():\n    pytest.skip('no reason')\n")
    (browser / "test_two.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    (tmp_path / "tests" / "test_three.py").write_text("def test_three():\n    pass\n")
    answer = run(sys.executable, "-m", "pytest", cwd=tmp_path, CI=ci)
    assert answer.returncode in {expected, 2 * expected}
    assert word in answer.stdout
