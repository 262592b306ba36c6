"""The libraries on whose version a run's numbers hang."""

from __future__ import annotations

from importlib.metadata import version

LIBRARIES = ("torch", "timm", "numpy")


def versions() -> dict[str, str]:
    """What is installed here, by name."""
    return {name: version(name) for name in LIBRARIES}
