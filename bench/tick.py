"""A page that watches 30 runs of 1,000 steps: what a tick costs the server, and what it sends.

The runs are real folders in a store of their own. Before each tick every run writes a few steps more, as 30 workers
would; a tick then reads them, draws the curves, the death meter and the table of differences, and fills the block
pictures of one run. Its time is this thread's on the processor, from reading to the messages: what a clock shows on a
quiet machine. Its size is that of the messages' data. Streamlit's own work is not in it.
"""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click

from bench.harness import Sides, bench
from inception_lab.figures.curves import Metric
from inception_lab.training import events
from inception_lab.training.files import EVENTS
from inception_lab.training.presets import preset

RUNS, STEPS, NEWS = 30, 1000, 5
SCALES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05)
BLOCKS = 20
MOST_BYTES = 300_000


def step(number: int, *, seed: int) -> str:
    """One measured step of an invented run, with as many digits as a real one has."""
    chance = random.Random(1000 * seed + number)

    def block() -> tuple[float, ...]:
        return tuple(chance.random() for _ in range(BLOCKS))

    loss = 2.3 * math.exp(-number / 400) + 0.1 * chance.random()
    found = events.Step(
        step=number,
        loss=loss,
        accuracy=chance.randrange(33) / 32,
        rate=0.2,
        gradient_norm=10 * chance.random(),
        zero_share=chance.random(),
        shortcut=block(),
        residual=block(),
        zeros=block(),
        cosine=block(),
        gradient=block(),
        update=block(),
    )
    return events.encode(found.to_dict()) + "\n"


class Watched:
    """30 runs in a store, a session that watches them, and the size of what it sent last."""

    def __init__(self, home: Path, metrics: tuple[Metric, ...]) -> None:
        from inception_lab.jobs.follow import Follower
        from inception_lab.jobs.store import Store

        self.store, self.follower, self.metrics = Store(home, supervised=False), Follower(), metrics
        self.state: dict[str, Any] = {}
        self.sent: list[int] = []
        self.made = 0
        wanted = [preset("micro", steps=2 * STEPS, scale=s, seed=n) for n in range(RUNS // len(SCALES)) for s in SCALES]
        self.group = "bench"
        self.store.submit_many(wanted, group=self.group)
        self.runs = self.store.runs(group=self.group)
        net = [f"net/{stage}/{n:02}" for stage, count in (("A", 5), ("B", 10), ("C", 5)) for n in range(1, count + 1)]
        first = events.start(addresses=tuple(net), version="bench", threads=1, device="cpu", parameters=1)
        for run in self.runs:
            run.folder.mkdir(parents=True, exist_ok=True)
            (run.folder / EVENTS).write_text(events.encode(first) + "\n", encoding="utf-8")
        self.write(STEPS)

    def write(self, count: int) -> None:
        """So many steps more of every run."""
        for seed, run in enumerate(self.runs):
            with (run.folder / EVENTS).open("a", encoding="utf-8") as file:
                file.writelines(step(number, seed=seed) for number in range(self.made, self.made + count))
        self.made += count

    def tick(self) -> float:
        """Processor seconds from reading the runs to the messages, which one thread does; their bytes are noted."""
        from inception_lab.ui import replay, runs, watch

        messages: list[str | bytes] = []
        before = time.process_time()
        with self._session(messages):
            arms = [runs.arm(run) for run in runs.of_group(self.group)]
            watch.curves(arms, watch.Choice(metrics=self.metrics))
            watch.death_meter(arms)
            watch.differences(arms)
            replay.replay(arms[0], "zeros", key="replay")
            self.sent.append(sum(map(len, messages)))
        return time.process_time() - before

    def forget(self) -> None:
        """A session that has seen nothing."""
        self.state.clear()

    @contextmanager
    def _session(self, messages: list[str | bytes]) -> Iterator[None]:
        """Streamlit's part, as far as it is asked: a session's state, and elements that make their messages."""
        from streamlit.dataframe_util import convert_pandas_df_to_arrow_bytes as arrow

        def component(*_: object, **__: object) -> Callable[..., None]:
            return lambda **sent: messages.append(json.dumps(sent["data"]))

        with (
            patch("inception_lab.ui.cache.store", lambda: self.store),
            patch("inception_lab.ui.cache.follower", lambda: self.follower),
            patch("inception_lab.ui.components.component", component),
            patch("streamlit.session_state", self.state),
            patch("streamlit.caption"),
            patch("streamlit.html", messages.append),
            patch("streamlit.dataframe", lambda frame, **_: messages.append(arrow(frame))),
        ):
            yield


@contextmanager
def watched(*metrics: Metric) -> Iterator[Watched]:
    """The runs, written afresh, after a first tick that read them all."""
    with tempfile.TemporaryDirectory() as folder:
        page = Watched(Path(folder), metrics)
        page.tick()
        yield page


def steady(page: Watched) -> float:
    """A tick after some more steps."""
    page.write(NEWS)
    return page.tick()


def told(page: Watched, which: str) -> None:
    """The sizes of what was sent, on stderr: the table of results knows seconds only."""
    sizes = sorted(page.sent[1:])
    middle, most = sizes[len(sizes) // 2] / 1000, sizes[-1] / 1000
    panels = ", ".join(page.metrics)
    click.echo(f"{which} ({panels}): {middle:.0f} kB in the middle, {most:.0f} kB at most of {len(sizes)}", err=True)


@bench("tick", "a tick of a page that watches 30 runs of 1,000 steps: one panel, blocks, meter, table", seconds=0.15)
def one_panel() -> Iterator[Sides]:
    with watched("zero_share") as page:
        yield {"ours": lambda: steady(page)}
        told(page, "a tick")


@bench("tick-panels", "the same tick with all five panels", seconds=0.15)
def five_panels() -> Iterator[Sides]:
    with watched("zero_share", "accuracy", "loss", "gradient_norm", "rate") as page:
        yield {"ours": lambda: steady(page)}
        told(page, "a tick")


@bench("tick-first", "the first tick of another session that watches them, one panel", seconds=0.3)
def first_tick() -> Iterator[Sides]:
    with watched("zero_share") as page:

        def ours() -> float:
            page.forget()
            return page.tick()

        yield {"ours": ours}
        told(page, "a first tick")


@bench("tick-size", "a tick's megabytes, written as seconds: what one panel sends, the promised 300 kB", ratio=1.0)
def size() -> Iterator[Sides]:
    with watched("zero_share") as page:

        def ours() -> float:
            steady(page)
            return page.sent[-1] / 1e6

        yield {"ours": ours, "promised": lambda: MOST_BYTES / 1e6}
        told(page, "a tick")
