"""Lanes: stages with copies have their own, nothing overlaps, and the whole is as wide as a screen is."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inception_lab.readers.lanes import ROOM, Block, lanes


def block(stage: str, *, copies: bool) -> Block:
    """A block of 100 by 40 that ends 90 further on and 10 aside."""
    return Block((-10.0, -20.0, 90.0, 20.0), (90.0, 10.0), stage, copies)


STEM, A, B, HEAD = (block(name, copies=name in "AB") for name in ("stem", "A", "B", "head"))


def test_stages_with_copies_have_lanes_of_their_own() -> None:
    found = lanes([STEM, STEM, *[A] * 3, *[B] * 30, HEAD], across=True)
    stages = ["stem"] * 2 + ["A"] * 3 + ["B"] * 30 + ["head"]
    assert [number for lane in found for number in lane.blocks] == list(range(36))
    assert all(len({stages[number] for number in lane.blocks}) == 1 for lane in found)


@pytest.mark.parametrize("across", [True, False])
def test_lanes_do_not_overlap_and_begin_on_one_line(across: bool) -> None:
    found = lanes([STEM, *[B] * 30, HEAD], across=across)
    side = 1 if across else 0
    assert len(found) > 2
    for before, after in pairwise(found):
        assert after.sides[side] == pytest.approx(before.sides[side + 2] + ROOM)
        assert after.sides[1 - side] == pytest.approx(before.sides[1 - side])


def test_few_blocks_need_one_lane() -> None:
    (only,) = lanes([STEM, HEAD], across=True)
    assert only.places == ((10.0, 20.0), (100.0, 30.0))
