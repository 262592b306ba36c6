"""The Dockerfile without an engine: it is linted, and its RUN lines are executed in a clean folder and environment.

Executed, in order, as /bin/sh would in the container: every command of every RUN line but those of `LINTED_ONLY`, which
need root or change the system (apt-get, useradd, chown). ENV, ARG, WORKDIR and COPY are carried out too. Paths of the
image are moved below a temporary folder. Three settings differ, for the test's time and quiet: libraries are linked
from uv's cache instead of copied and not compiled (UV_LINK_MODE, UV_COMPILE_BYTECODE), and the server listens to this
machine only. TORCH_BACKEND is empty, so that torch comes from the registry.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.browser.live import free_port, healthy

ROOT = Path(__file__).resolve().parents[1]
IMAGE_PATHS = ("/opt/venv", "/app", "/data")
LINTED_ONLY = ("apt-get", "useradd", "chown", "rm -rf /var/lib/apt")
DIFFERENT = {"UV_COMPILE_BYTECODE": "0", "UV_LINK_MODE": "hardlink", "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
IMPORTS = (
    "captum.attr click graphviz pandas plotly psutil pygraphviz safetensors streamlit timm torch torchinfo torchvision"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction of the Dockerfile, its continuation lines joined."""

    word: str
    value: str


def dockerfile() -> list[Line]:
    text = (ROOT / "Dockerfile").read_text()
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", bare)
    return [Line(*re.split(r"\s+", line, maxsplit=1)) for line in joined.splitlines() if line.strip()]


def values(word: str) -> list[str]:
    return [line.value for line in dockerfile() if line.word == word]


def command(word: str) -> list[str]:
    """The exec form that stands after CMD, ENTRYPOINT or HEALTHCHECK … CMD."""
    (value,) = values(word)
    parts = json.loads(value[value.index("[") :])
    assert isinstance(parts, list)
    return parts


def test_base_is_pinned_and_slim() -> None:
    (base,) = values("FROM")
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base)


def test_nothing_runs_as_root() -> None:
    words = [line.word for line in dockerfile()]
    (user,) = values("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert words.index("USER") < words.index("ENTRYPOINT") < words.index("CMD")
    assert "RUN" not in words[words.index("USER") :]
    assert any("useradd --create-home" in run and f"--uid {user.split(':')[0]}" in run for run in values("RUN"))


def test_nothing_is_fetched_by_add_and_package_lists_are_removed() -> None:
    assert not values("ADD")
    assert not [run for run in values("RUN") if re.search(r"curl|wget|git clone", run)]
    for run in values("RUN"):
        if "apt-get install" in run:
            assert "--no-install-recommends" in run
            assert run.endswith("rm -rf /var/lib/apt/lists/*")


def test_copied_files_exist_and_reach_the_engine() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for copied in copies():
        assert (ROOT / copied).exists(), f"COPY {copied}: there is no such file"
        assert copied in sent, f".dockerignore keeps {copied} from the engine"


def test_libraries_are_a_layer_of_requirements_alone() -> None:
    words = [(line.word, line.value) for line in dockerfile()]
    install = next(i for i, (word, value) in enumerate(words) if word == "RUN" and "-r requirements.txt" in value)
    assert [value for word, value in words[:install] if word == "COPY"] == ["requirements.txt ./"]


def test_volumes_are_where_runs_and_weights_go() -> None:
    env = " ".join(values("ENV"))
    volumes = json.loads(values("VOLUME")[0])
    assert [re.search(rf"{name}=(\S+)", env).group(1) for name in ("INCEPTION_LAB_HOME", "HF_HOME")] == volumes  # type: ignore[union-attr]


def test_the_choice_of_torch_is_a_build_argument() -> None:
    assert values("ARG") == ["TORCH_BACKEND=cpu"]
    assert values("STOPSIGNAL") == ["SIGTERM"]
    assert command("ENTRYPOINT") == ["tini", "--"]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint has no build for this machine")
    answer = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize("body", [b"ok", b"<html>the page</html>"])
def test_health_check_reads_the_body(body: bytes) -> None:
    """A path the server does not know answers 200 as well: only `ok` may count."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert health_check(server.server_port) == (0 if body == b"ok" else 1)
        finally:
            server.shutdown()
            thread.join()


def test_health_check_fails_without_a_server() -> None:
    assert health_check(free_port()) == 1


def test_compose_names_both_volumes_and_keeps_the_gpu_optional() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for mount in ("runs:/data/runs", "weights:/data/weights"):
        assert f"- {mount}" in text
    assert "profiles: [gpu]" in text
    assert "${LAB_BIND:-127.0.0.1}" in text


def test_run_lines_build_an_app_that_is_healthy(tmp_path: Path) -> None:
    build = Build(tmp_path)
    build.run()
    python = str(tmp_path / "opt/venv/bin/python")
    port = free_port()
    env = build.env | {"STREAMLIT_SERVER_PORT": str(port), "HOME": str(tmp_path)}

    code = f"import {', '.join(IMPORTS.split())}, sys; assert sys.prefix == {str(tmp_path / 'opt/venv')!r}, sys.prefix"
    subprocess.run([python, "-c", code], env=env, cwd=tmp_path, check=True)
    subprocess.run(
        [python, "-c", "import inception_lab as lab; lab.shapes('inception_v4')"], env=env, cwd="/", check=True
    )

    with serving([python, *command("CMD")[1:]], env, tmp_path / "app", tmp_path / "log"):
        deadline = time.monotonic() + 30
        while not healthy(f"http://127.0.0.1:{port}"):
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        assert health_check(port, python) == 0


def copies() -> list[str]:
    """Sources of all COPY instructions."""
    return [source for value in values("COPY") for source in value.split()[:-1] if not source.startswith("--")]


def health_check(port: int, python: str = sys.executable) -> int:
    """Exit status of the HEALTHCHECK command, asked of another port."""
    first, *rest = command("HEALTHCHECK")
    assert first == "python"
    moved = [part.replace(":8501/", f":{port}/") for part in rest]
    assert moved != rest
    return subprocess.run([python, *moved], capture_output=True, check=False, timeout=30).returncode


class serving:
    """A process for the length of a `with`."""

    def __init__(self, parts: list[str], env: dict[str, str], cwd: Path, log: Path) -> None:
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                parts, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


@dataclass
class Build:
    """What an engine does with the file, as far as it can be done without one."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: Path = field(init=False)

    def __post_init__(self) -> None:
        self.workdir = self.root
        programs = self.root / "base"
        programs.mkdir()
        (programs / "python").symlink_to(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "UV_", "PYTHON"))
        }
        self.env = kept | {"PATH": f"{programs}:/usr/bin:/bin"}

    def run(self) -> None:
        for line in dockerfile():
            match line.word:
                case "ENV":
                    self._env(line.value)
                case "ARG":
                    self.env[line.value.split("=")[0]] = ""
                case "WORKDIR":
                    self.workdir = Path(self.moved(line.value))
                    self.workdir.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy([part for part in line.value.split() if not part.startswith("--")])
                case "RUN":
                    self._run(re.sub(r"--mount=\S+\s+", "", line.value))

    def moved(self, text: str) -> str:
        """The text with the image's paths below the temporary folder."""
        return re.sub(
            "|".join(rf"(?<![\w.]){path}\b" for path in IMAGE_PATHS), lambda hit: f"{self.root}{hit.group()}", text
        )

    def _env(self, value: str) -> None:
        for name, text in re.findall(r"(\w+)=(\S+)", value):
            self.env[name] = DIFFERENT.get(name, self.moved(text).replace("$PATH", self.env["PATH"]))

    def _copy(self, parts: list[str]) -> None:
        *sources, target = parts
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, self.workdir / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, self.workdir / target)

    def _run(self, value: str) -> None:
        commands = [part for part in re.split(r"\s*&&\s*", value) if not part.startswith(LINTED_ONLY)]
        if commands:
            script = self.moved(" && ".join(commands))
            answer = subprocess.run(
                ["/bin/sh", "-ec", script], cwd=self.workdir, env=self.env, capture_output=True, text=True, check=False
            )
            assert answer.returncode == 0, f"RUN {script}\n{answer.stdout}{answer.stderr}"


@pytest.fixture(autouse=True)
def gigabytes_are_not_kept(tmp_path: Path) -> Iterator[None]:
    """pytest keeps the last three temporary folders; this one is too large for that."""
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)
