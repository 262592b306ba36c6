"""The share of an evaluation in which the networks wait for photographs: JPEGs of ImageNet's size, and of telephones.

The embedded network, one crop, as many decoding threads as cores; BENCH_THREADS is torch's number. Ours is the share
waited, beside half of the time: on a processor decoding and network share the cores, so some of it is always waited.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.harness import Sides, bench
from bench.rates import THREADS

HALF = 0.5


def photographs(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """`count` JPEGs of `size`, all of one class: the shipped photographs enlarged, quality 90."""
    from PIL import Image

    from inception_lab.images.samples import samples

    place = folder / "967"
    place.mkdir()
    every = [Image.open(one.path).convert("RGB").resize(size, Image.Resampling.BICUBIC) for one in samples()]
    for number in range(count):
        every[number % len(every)].save(place / f"{number:04}.jpg", quality=90)
    return folder


def waited(count: int, size: tuple[int, int]) -> Iterator[Sides]:
    """The share of the time, 0 to 1, that the clock of `evaluate` counts."""
    from inception_lab.images.evaluate import evaluate

    with TemporaryDirectory() as home:
        folder = photographs(Path(home), count, size)

        def share() -> float:
            found = evaluate(folder, threads=THREADS)
            click.echo(f"  {size[0]} x {size[1]}: {str(found).splitlines()[-1]}", err=True)
            return found.idle

        yield {"waited": share, "half": lambda: HALF}


@bench(
    "waiting-imagenet", "evaluate, 500 x 375 JPEGs, EfficientNet-Lite0: share waited", ratio=1.0, rounds=1, unit="share"
)
def imagenet() -> Iterator[Sides]:
    yield from waited(96, (500, 375))


@bench("waiting-telephone", "the same, 12 million pixels: at most 80 % waited", ratio=1.6, rounds=1, unit="share")
def telephone() -> Iterator[Sides]:
    """Decoding is the bound of a quick network: 62 to 71 % on two busy cores, 69 % beside an H200 with 16."""
    yield from waited(16, (4000, 3000))
