"""Which Chromium the browser tests drive. Run as a script it prints the path, or says that there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def starts(path: str) -> bool:
    """Whether the file is a browser: some systems have a stub there that only says how to install one."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and ("Chromium" in answer.stdout or "Chrome" in answer.stdout)


def bundled() -> str | None:
    """Playwright's own build, if it has been downloaded."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def chromium() -> str | None:
    """The path of a Chromium that starts: an installed one first, then Playwright's."""
    installed = [path for path in (*map(shutil.which, NAMES), MAC) if path and Path(path).exists()]
    return next(filter(starts, installed), None) or bundled()


if __name__ == "__main__":
    path = chromium()
    print(path or "no Chromium found")
    sys.exit(path is None)
