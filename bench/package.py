"""The bare import, and the readers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from bench.harness import Sides, bench, timed


@bench("import", "import inception_lab, in a fresh interpreter", seconds=0.15)
def bare_import() -> Iterator[Sides]:
    code = "import time; t = time.perf_counter(); import inception_lab; print(time.perf_counter() - t)"

    def ours() -> float:
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return float(answer.stdout)

    yield {"ours": ours}


@bench("shapes", "the shape table of Inception-ResNet-v2", seconds=0.005)
def shape_table() -> Iterator[Sides]:
    from inception_lab.readers.shapes import shapes

    yield {"ours": timed(lambda: shapes("inception_resnet_v2", size=299), times=20, processor=True)}


@bench("svg", "the drawing of its stages as SVG, warm", seconds=0.05)
def stage_svg() -> Iterator[Sides]:
    from inception_lab.readers.graph import graph

    yield {"ours": timed(lambda: graph("inception_resnet_v2", depth="stages").svg(), times=3, processor=True)}
