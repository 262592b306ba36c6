"""What `.streamlit/config.toml` promises: options that exist, nothing that calls out, and colours people can read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit import config

CONFIG = tomllib.loads((Path(__file__).resolve().parents[1] / ".streamlit" / "config.toml").read_text())
TEXT, CONTROL = 4.5, 3.0  # WCAG 2 AA: text, and the outline of what can be operated


def options(section: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from options(value, name)
        else:
            yield name, value


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_option_exists() -> None:
    """Streamlit only warns about an option it does not know, and goes on without it."""
    config.get_config_options()
    known = set(config._config_options_template)
    assert {name for name, _ in options(CONFIG)} <= known


def test_the_lab_keeps_to_this_machine() -> None:
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert {"localhost", "127.0.0.1"} <= set(CONFIG["server"]["allowedHosts"])
    assert CONFIG["browser"] == {"serverAddress": "localhost", "gatherUsageStats": False}
    assert CONFIG["client"]["showErrorLinks"] is False
    assert not [value for _, value in options(CONFIG) if "://" in str(value)]


def test_what_streamlit_protects_by_itself_stays_on() -> None:
    assert not {"enableCORS", "enableXsrfProtection", "enableAgentApi"} & set(CONFIG["server"])
    assert CONFIG["server"]["maxUploadSize"] == 10


def test_contrast_of_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_can_be_read(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    grounds = [
        part[key] for part in (theme, theme["sidebar"]) for key in ("backgroundColor", "secondaryBackgroundColor")
    ]
    for ground in grounds:
        assert contrast(theme["textColor"], ground) >= 7
        assert contrast(theme["linkColor"], ground) >= TEXT
        assert contrast(theme["borderColor"], ground) >= CONTROL
        assert contrast(theme["primaryColor"], ground) >= CONTROL
    assert contrast(theme["primaryColor"], "#ffffff") >= TEXT, "a primary button's label is white in both modes"
