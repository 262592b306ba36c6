"""Twenty people on Explore of one server, each at a machine of his own: what the server makes them wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import count
from statistics import median

import click

from bench.app import server
from bench.explore import NETWORK
from bench.harness import Sides, bench
from bench.visitors import Visitor, crowd, together

PEOPLE = 20
WARM = 30.0  # seconds that a new server may take to have torch and what it brings, which holds the interpreter


@bench("explore-crowd", f"{PEOPLE} people click in the same instant: the median until a page has arrived", seconds=0.5)
def clicking() -> Iterator[Sides]:
    """Websocket clients; the browsers of twenty people would draw on this machine's cores, not on theirs."""
    with server() as url, asyncio.Runner() as loop:
        people = loop.run(crowd(url, "explore", f"at={NETWORK}/stem/01", PEOPLE))
        loop.run(rested(people[0]))
        turns = count()

        def clicked(spread: float) -> list[float]:
            stage = ("A", "B", "C")[next(turns) % 3]
            pick = partial(Visitor.click, component="strip", event="pick", value=f"{NETWORK}/{stage}")
            return loop.run(together(people, pick, spread=spread))

        yield {"ours": lambda: median(clicked(0))}
        apart = clicked(2)
        click.echo(
            f"  spread over two seconds: median {median(apart):.2f} s, the slowest {max(apart):.2f} s; "
            f"{people[0].bytes / 1000:.0f} kB a page",
            err=True,
        )
        loop.run(left(people))


async def rested(visitor: Visitor) -> None:
    """Click until two clicks in a row take what a click takes: a server that starts imports torch meanwhile."""
    until, last = asyncio.get_running_loop().time() + WARM, 1.0
    while asyncio.get_running_loop().time() < until:
        taken = await visitor.click("strip", "pick", f"{NETWORK}/B")
        if max(last, taken) < 0.1:
            return
        last = taken
        await asyncio.sleep(0.5)


async def left(people: list[Visitor]) -> None:
    """All of them leave."""
    await asyncio.gather(*(each.close() for each in people))
