"""Other ways to run a network on the processor, and after how many images their start-up would be earned back.

The lab uses neither: both are here to be measured again with new versions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from bench.classify import SIDE, pair
from bench.harness import Sides, Skip, bench
from bench.rates import THREADS, noted, product, tell

if TYPE_CHECKING:
    from torch import Tensor, nn


@bench("compile", "one image, Inception-v4: ours, torch.compile", ratio=1.0, rounds=9)
def compiled() -> Iterator[Sides]:
    import shutil

    import torch

    if shutil.which("g++") is None:
        raise Skip("torch.compile needs a C++ compiler")
    yield from beside("torch.compile", lambda model, _: torch.compile(model))


@bench("onnx", "one image, Inception-v4: ours, ONNX Runtime", ratio=1.0, rounds=9)
def onnx() -> Iterator[Sides]:
    import onnxruntime

    def started(model: nn.Module, image: Tensor) -> Callable[[Tensor], object]:
        import torch

        with TemporaryDirectory() as folder:
            file = Path(folder) / "network.onnx"
            torch.onnx.export(model, (image,), file, dynamo=True, verbose=False)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = THREADS
            session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda x: session.run(None, {name: x.numpy()})

    yield from beside("ONNX Runtime", started)


def beside(name: str, start: Callable[[nn.Module, Tensor], Callable[[Tensor], object]]) -> Iterator[Sides]:
    """Ours and the network as `start` makes it of the folded one, whose weights it orders itself."""
    import torch

    from inception_lab.models.packed import packed
    from inception_lab.readers.shapes import shapes

    torch.set_num_threads(THREADS)
    plain, _ = pair("inception_v4", ordered=False)
    image = torch.rand(1, 3, SIDE, SIDE) * 2 - 1
    taken: dict[str, list[float]] = {"ours": [], name: [], "product": []}
    with torch.inference_mode():
        ours, started = packed(deepcopy(plain)), time.perf_counter()
        other = start(plain, image)
        other(image)
        start_up = time.perf_counter() - started
        yield {
            "ours": noted(lambda: ours(image), taken["ours"]),
            name: noted(lambda: other(image), taken[name]),
            "product": product(taken["product"]),
        }
    work = 2.0 * shapes("inception_v4").multiply_adds
    tell("inception_v4, one image", {"ours": work, name: work}, taken)
    click.echo(f"  {earned(name, start_up, taken)}", err=True)


def earned(name: str, start_up: float, taken: Mapping[str, list[float]]) -> str:
    """After how many images so many seconds of start-up are earned back, warm-up left out."""
    gain = median(taken["ours"][1:]) - median(taken[name][1:])
    after = f"earned back after {start_up / gain:,.0f} images" if gain > 0 else "never earned back"
    return f"{name}: {start_up:.0f} s to start, {1000 * gain:.0f} ms saved an image: {after}"
