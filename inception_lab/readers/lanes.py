"""Where the blocks of a whole network go: one after the other in lanes, as words in the lines of a page.

Lanes are rows where a drawing runs from left to right and columns where it runs top down. A stage with copies has lanes
of its own; how long they are makes the whole about as wide as a screen is beside its height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHARE = 2.0  # width by height of the whole that is aimed at
ROOM = 84.0  # between lanes, for the name of the next one and the line that leads there
NARROWER = 1.12  # by how much lanes grow from one try to the next

Point = tuple[float, float]
Sides = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is laid out: its sides around `(0, 0)`, where it hangs on the one before, and where it ends.

    `stage` is the address of its stage, `copies` says that the stage has others.
    """

    sides: Sides
    end: Point
    stage: str
    copies: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """Numbers of the blocks in a lane, each with the place of its `(0, 0)`, and the sides of all of it."""

    blocks: tuple[int, ...]
    places: tuple[Point, ...]
    sides: Sides


def lanes(blocks: Sequence[Block], *, across: bool) -> list[Lane]:
    """The lanes, in their places: rows if `across`, else columns."""
    along = 0 if across else 1
    longest = max(block.sides[along + 2] - block.sides[along] for block in blocks)
    while True:
        found = _placed([_lane(group, blocks) for group in _broken(blocks, along, longest)], along)
        left, top, right, bottom = around([lane.sides for lane in found])
        wide, high = right - left, bottom - top
        if len(found) == 1 or (wide >= SHARE * high if across else wide <= SHARE * high):
            return found
        if longest > sum(block.sides[along + 2] - block.sides[along] for block in blocks):
            return found  # only stages with copies begin lanes now
        longest *= NARROWER


def around(sides: Sequence[Sides]) -> Sides:
    """What all of them take up together."""
    lefts, tops, rights, bottoms = zip(*sides, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _broken(blocks: Sequence[Block], along: int, longest: float) -> list[list[int]]:
    """Numbers of the blocks of each lane."""
    found: list[list[int]] = []
    taken = 0.0
    for number, block in enumerate(blocks):
        before = blocks[number - 1]
        turns = block.stage != before.stage and (block.copies or before.copies)
        if not found or turns or taken + block.sides[along + 2] > longest:
            found.append([])
            taken = -block.sides[along]
        found[-1].append(number)
        taken += block.end[along]
    return found


def _lane(group: list[int], blocks: Sequence[Block]) -> Lane:
    """A lane by itself, its first block at (0, 0)."""
    x, y = 0.0, 0.0
    places: list[Point] = []
    for number in group:
        places.append((x, y))
        x, y = x + blocks[number].end[0], y + blocks[number].end[1]
    own = [_moved(blocks[number].sides, place) for number, place in zip(group, places, strict=True)]
    return Lane(tuple(group), tuple(places), around(own))


def _placed(found: list[Lane], along: int) -> list[Lane]:
    """The lanes beside one another, all beginning on one line."""
    placed: list[Lane] = []
    at = 0.0
    for lane in found:
        aside = (at if along else 0.0) - lane.sides[0], (0.0 if along else at) - lane.sides[1]
        sides = _moved(lane.sides, aside)
        places = tuple((x + aside[0], y + aside[1]) for x, y in lane.places)
        placed.append(Lane(lane.blocks, places, sides))
        at = sides[3 - along] + ROOM
    return placed


def _moved(sides: Sides, by: Point) -> Sides:
    left, top, right, bottom = sides
    return left + by[0], top + by[1], right + by[0], bottom + by[1]
