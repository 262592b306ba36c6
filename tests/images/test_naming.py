"""Classes by what people call them, and what is near to a name that is none."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from inception_lab.assets import asset
from inception_lab.cli.main import main
from inception_lab.errors import SettingsError
from inception_lab.images.naming import class_of

COFFEE = str(asset("samples", "coffee.jpg"))


@pytest.mark.parametrize("name", ["tiger cat", "Tiger Cat", "tiger_cat", " tiger cat ", "282", "n02123159"])
def test_one_class_by_many_names(name: str) -> None:
    assert class_of(name) == 282


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tigre cat", r"efficientnet_lite0 has no class called 'tigre cat'\. Did you mean tiger cat \(282\)"),
        ("retriever", r"golden retriever \(207\)"),
        ("crane", "Classes 134 and 517 are both called 'crane'; give the number"),
        ("xqzzk", "Give a label, or an index from 0 on"),
    ],
)
def test_near_matches_are_offered(name: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        class_of(name)


def test_an_index_is_taken_as_it_is() -> None:
    assert (class_of("1000"), class_of("-3")) == (1000, -3)


def test_on_the_command_line() -> None:
    words = ["attribute", COFFEE, "--method", "grad_cam", "--json"]
    done = CliRunner().invoke(main, [*words, "--target", "coffee mug", "--against", "cup"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["target"], found["against"]) == (504, 968)
    refused = CliRunner().invoke(main, [*words, "--target", "cofee mug"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Did you mean coffee mug (504)" in refused.stderr


def test_the_text_of_a_map_names_its_test() -> None:
    done = CliRunner().invoke(main, ["attribute", COFFEE, "--method", "grad_cam", "--target", "504"])
    assert done.stdout.splitlines()[-1] == (
        f"test this map: python -m inception_lab trust {COFFEE} --network efficientnet_lite0 --method grad_cam "
        "--target 504 --at efficientnet_lite0/bn2"
    )
