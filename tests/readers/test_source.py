"""Generated PyTorch runs alone and computes what the lab's own modules compute, to the last bit."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from safetensors.torch import load_file, save_file

import inception_lab as lab
from inception_lab.errors import ImpossibleAdd, LabError, UnknownAddress
from inception_lab.models.build import InceptionNet
from inception_lab.nets.address import inside
from inception_lab.nets.ops import Concat, Conv, Net, Pool, Residual, Stage
from inception_lab.readers.source import source
from tests.readers.strategies import nets
from tests.readers.test_shapes import BUILDABLE

RUN = """
import sys
sys.path = [path for path in sys.path if "site-packages" in path or path.startswith(sys.base_prefix)]
import pathlib, runpy
import torch
from safetensors.torch import load_file, save_file

folder = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
made = {}
for script in sorted(folder.glob("*.py")):
    if script.name == "run.py":
        continue
    module = runpy.run_path(str(script))["make"]().eval()
    module.load_state_dict(load_file(folder / f"{script.stem}.weights"), strict=True)
    with torch.inference_mode():
        made[script.stem] = module(load_file(folder / f"{script.stem}.input")["x"])
assert not any(name.startswith("inception_lab") for name in sys.modules)
save_file(made, folder / "made")
"""


def build(net: Net) -> InceptionNet:
    """The network with weights that keep values within bounds, and statistics that are not 0 and 1."""
    torch.manual_seed(0)
    model = lab.build(net).eval()
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0)
        elif name.endswith(("running_mean", "bn.weight", "bn.bias", "gain")):
            tensor.uniform_(-0.5, 1.0)
    return model


def made_from(text: str) -> torch.nn.Module:
    """The module that the code makes, in this process."""
    names: dict[str, Any] = {"__name__": "generated"}
    exec(text, names)  # it is what the lab offers for download
    module = names["make"]()
    assert isinstance(module, torch.nn.Module)
    return module


def shapes_of(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("name", BUILDABLE)
def test_blocks_and_network_run_alone_and_agree_exactly(name: str, tmp_path: Path) -> None:
    """The first block of every stage, the head, a whole stage and the network, at 75 pixels, in a bare process."""
    net = lab.net(name)
    model = build(net)
    wanted: dict[str, torch.Tensor] = {}
    x = torch.rand(1, 3, 75, 75, generator=torch.Generator().manual_seed(1))
    image = x
    with torch.inference_mode():
        for stage in (stage.name for stage in net.stages):
            put(tmp_path, net, model, f"{stage}/01", x, wanted)
            if stage in ("A", "C"):
                put(tmp_path, net, model, stage, x, wanted)
            x = model.get_submodule(stage)(x)
        put(tmp_path, net, model, "head", x, wanted)
        put(tmp_path, net, model, "", image, wanted)
    (tmp_path / "run.py").write_text(RUN)
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "run.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = load_file(tmp_path / "made")
    assert found.keys() == wanted.keys()
    for key, tensor in wanted.items():
        assert torch.isfinite(tensor).all()
        assert torch.equal(found[key], tensor), key


def put(folder: Path, net: Net, model: InceptionNet, at: str, x: torch.Tensor, wanted: dict[str, torch.Tensor]) -> None:
    """Write code, weights and input of one address, and note what the lab's module makes of it."""
    stem = at.replace("/", "-") or "network"
    module = model.at(at) if at else model
    (folder / f"{stem}.py").write_text(source(net, at=at or None))
    weights = {name: tensor.clone().contiguous() for name, tensor in module.state_dict().items()}
    save_file(weights, folder / f"{stem}.weights")
    save_file({"x": x.contiguous()}, folder / f"{stem}.input")
    wanted[stem] = module(x)


def test_a_script_prints_the_shape(tmp_path: Path) -> None:
    (tmp_path / "block.py").write_text(source("inception_resnet_v2", at="C/10"))
    said = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "block.py")], capture_output=True, text=True, check=True
    )
    assert said.stdout == "(1, 2080, 8, 8)\n"


def leaves(module: torch.nn.Module) -> dict[str, str]:
    """The modules that hold no others, as PyTorch prints them: (3, 3) as 3, a scale without its factor."""
    found = {name: repr(part) for name, part in module.named_modules() if not list(part.children())}
    square = {name: re.sub(r"\((\d+), \1\)", r"\1", told) for name, told in found.items()}
    return {name: told.split("(")[0] if "Scale" in told else told for name, told in square.items()}


def everything(net: Net, at: str) -> list[str]:
    return [at, *(found for part in inside(net, at) for found in everything(net, f"{at}/{part}"))]


ODD = Net(
    "odd",
    "",
    (
        Stage(
            "s", (Residual(Concat(Conv(4, 1), Pool("avg", count_border=True)), gain="zero", relu=False), Pool("max"))
        ),
        Stage("5-a", 2 * (Residual(Residual(Conv(2, (1, 3))), scale=0.3, gain="learned"),)),
    ),
    size=12,
    end_norm=True,
)


@pytest.mark.parametrize(
    ("net", "under"),
    [
        (ODD, ""),
        (lab.net("inception_resnet_v2"), "B/07"),
        (lab.net("inception_resnet_v2"), "C/10"),
        (lab.net("inception_resnet_v2"), "head"),
        (lab.net("inception_v4"), "C/02"),
        (lab.net("inception_v3"), "stem"),
    ],
)
def test_every_address_has_the_modules_of_the_lab(net: Net, under: str) -> None:
    with torch.device("meta"):
        model = lab.build(net)
        for at in everything(net, f"{net.name}/{under}".rstrip("/")):
            module = made_from(source(net, at=at))
            own = model.at(at) if at != net.name else model
            assert shapes_of(module) == shapes_of(own), at
            assert leaves(module) == leaves(own), at


@pytest.mark.parametrize("step", ["conv", "bn", "relu"])
def test_the_steps_of_a_convolution(step: str) -> None:
    at = f"B/07/body/branch2/conv2/{step}"
    with torch.device("meta"):
        own = lab.build("inception_resnet_v2").at(at)
        assert repr(made_from(source("inception_resnet_v2", at=at))) == repr(own)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nets)
def test_any_network_that_can_be_built(net: Net) -> None:
    try:
        text = source(net)
    except LabError:
        return
    with torch.device("meta"):
        assert shapes_of(made_from(text)) == shapes_of(lab.build(net))


def test_a_strangers_words_stay_words() -> None:
    """Names and sources of a design from a link can't end the strings that they are written into."""
    evil = 'x"""\nraise SystemExit\n"""\\'
    net = Net("n", evil, (Stage("s", (Conv(2, 3),), evil), Stage('a"b\\', (Conv(2, 1),))), size=8)
    for at in (None, "s", "s/01"):
        tree = ast.parse(source(net, at=at))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    assert [name for name, _ in made_from(source(net)).named_children()] == ["s", 'a"b\\', "head"]


def test_it_is_short_and_says_what_it_is() -> None:
    text = source("inception_resnet_v2", at="B/07")
    assert text.startswith('"""inception_resnet_v2/B/07: takes (N, 1088, 17, 17).')
    assert len(text.splitlines()) < 110
    assert max(map(len, text.splitlines())) <= 120
    assert "block_" not in text
    odd = ODD.with_(source="a < b")
    assert "a &lt; b" in source(odd)._repr_html_()


def test_what_cannot_be_written() -> None:
    with pytest.raises(ImpossibleAdd):
        source("inception_resnet_v2_printed")
    with pytest.raises(UnknownAddress):
        source("inception_v4", at="Z/01")
    assert lab.source is source
