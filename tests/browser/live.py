"""A live server of the app for browser tests, and what such tests ask of a page.

with serve(home, log) as live: ...       a process of its own, a home of its own
settled(page)                            the script has run and its answer is on the page
fits(page)                               nothing runs out of the screen at the side
Watch(page, live.url)                    what the console said, and what left this machine
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, Request, WebSocket, expect

ROOT = Path(__file__).resolve().parents[2]
STARTED_WITHIN = 60.0  # seconds; a busy machine imports slowly
SETTLED_WITHIN = 60_000.0  # milliseconds

# On a page's link Streamlit's browser side first asks below the page, is told 404, and goes on with the root.
PROBE = re.compile(r"/\w+/_stcore/(health|host-config)")


@dataclass(frozen=True, slots=True)
class Live:
    """A server that answers."""

    url: str
    home: Path
    log: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A port nobody has at the moment; somebody may take it before the server does, so `serve` tries again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def healthy(url: str) -> bool:
    """Whether the server at `url` says that it is well."""
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, OSError):
        return False


def environment(home: Path) -> dict[str, str]:
    """The server's environment: its own home, no weights but those it ships, and no hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    own = {
        "INCEPTION_LAB_HOME": str(home),
        "HF_HOME": str(home / "hub"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return kept | own


@contextmanager
def serve(home: Path, log: Path, *, script: str = "app.py") -> Iterator[Live]:
    """Start `streamlit run` on a free port of this machine; end it, and the runs it started, at the end."""
    home.mkdir(parents=True, exist_ok=True)
    for attempt in range(3):
        port = free_port()
        live = Live(f"http://127.0.0.1:{port}", home, log, _start(script, port, home, log))
        try:
            if _answers(live):
                yield live
                return
        finally:
            _end(live)
        if "is not available" not in log.read_text(errors="replace") or attempt == 2:
            break
    raise RuntimeError(f"{script} did not start; its log:\n{log.read_text(errors='replace')}")


def settled(page: Page) -> Page:
    """Wait until the script has run to its end and the page shows no error of the script."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=SETTLED_WITHIN)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=SETTLED_WITHIN)
    exceptions = page.get_by_test_id("stException").all_inner_texts()
    assert not exceptions, f"{page.url} shows an exception: {exceptions}"
    return page


def fits(page: Page) -> None:
    """Nothing runs out at the side. Streamlit scrolls in a box of its own: the document's width never says anything."""
    main = page.get_by_test_id("stMain")
    expect(main).to_be_visible()
    wide, seen = main.evaluate("main => [main.scrollWidth, main.clientWidth]")
    assert wide <= seen, f"{page.url} is {wide} pixels wide on a screen of {seen}"


@dataclass  # without slots: Playwright keeps a note of its own on the owner of a handler
class Watch:
    """Collects, from now on, what a page must not do: errors in its console, and requests to elsewhere."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    external: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        self.page.on("request", self._request)
        self.page.on("websocket", self._socket)

    def assert_clean(self) -> None:
        """Fail with everything that was collected."""
        assert not self.external, f"requests that left this machine: {self.external}"
        assert not self.errors, f"errors in the browser's console: {self.errors}"

    def _console(self, message: ConsoleMessage) -> None:
        where = message.location["url"]
        if message.type == "error" and not PROBE.fullmatch(where.removeprefix(self.url)):
            self.errors.append(f"{message.text} ({where})")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.external.append(request.url)

    def _socket(self, socket: WebSocket) -> None:
        if not socket.url.startswith(f"{self.url.replace('http', 'ws', 1)}/"):
            self.external.append(socket.url)


def _start(script: str, port: int, home: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    with log.open("wb") as out:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment(home), stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )


def _answers(live: Live) -> bool:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline and live.process.poll() is None:
        if healthy(live.url):
            return True
        time.sleep(0.05)
    return False


def _end(live: Live) -> None:
    live.process.terminate()
    try:
        live.process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        live.process.kill()
        live.process.wait(timeout=10)
    for process in _processes_of(live.home):
        os.kill(process, signal.SIGKILL)


def _processes_of(home: Path) -> list[int]:
    """Runs and their supervisor outlive the server on purpose; the home in their environment tells whose they are."""
    mark = f"INCEPTION_LAB_HOME={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return found
