"""The command that starts the app in a browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import click

from inception_lab.cli.output import json_option, show
from inception_lab.errors import RunError

ROOT = Path(__file__).parents[2]
FIRST, LAST = 8501, 8550


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(1, 65535), help=f"Default: the first free one from {FIRST}.")
@click.argument("streamlit_flags", nargs=-1, type=click.UNPROCESSED)
@json_option
def serve(port: int | None, streamlit_flags: tuple[str, ...], as_json: bool) -> None:
    """Start the app on this machine; Ctrl-C stops it, runs go on.

    Further flags go to `streamlit run`, for example --theme.base dark.
    """
    app = ROOT / "app.py"
    if not app.exists():
        raise RunError(f"There is no app.py in {ROOT}: the app comes with the lab's repository. Serve from a checkout.")
    port = free_port(port, port) if port else free_port(FIRST, LAST)
    url = f"http://localhost:{port}"
    show({"url": url, "port": port}, as_json=as_json, text=lambda: f"The lab will be at {url} (Ctrl-C stops it).")
    sys.stdout.flush()
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port), *streamlit_flags]
    if os.name == "posix":
        os.chdir(ROOT)  # where Streamlit looks for .streamlit/config.toml
        os.dup2(2, 1)  # what it says goes to stderr
        os.execv(sys.executable, command)
    raise click.exceptions.Exit(subprocess.call(command, cwd=ROOT, stdout=sys.stderr))


def free_port(first: int, last: int) -> int:
    """The first port of this machine that is free. Raises `RunError` if none is."""
    for port in range(first, last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    taken = f"Port {first} is" if first == last else f"Ports {first} to {last} are all"
    raise RunError(f"{taken} taken. Stop what uses it, or name a free one with --port.")
