"""Ops made up by hypothesis: every field of the language, nested a few levels deep."""

from __future__ import annotations

from functools import reduce
from operator import rshift

from hypothesis import strategies as st

from inception_lab.nets.ops import Concat, Conv, Net, Op, Pool, Residual, Stage

odd = st.integers(0, 5).map(lambda n: 2 * n + 1)
pads = st.sampled_from(["same", "valid"])
convs = st.builds(
    Conv,
    channels=st.integers(1, 2000),
    kernel=odd | st.tuples(odd, odd),
    stride=st.integers(1, 3),
    pad=pads,
)
pools = st.builds(
    Pool,
    kind=st.sampled_from(["max", "avg"]),
    kernel=odd,
    stride=st.integers(1, 3),
    pad=pads,
    count_border=st.booleans(),
)


def _deeper(inner: st.SearchStrategy[Op]) -> st.SearchStrategy[Op]:
    chains = st.lists(inner, min_size=2, max_size=4).map(lambda links: reduce(rshift, links))
    concats = st.lists(inner, min_size=1, max_size=4).map(lambda branches: Concat(*branches))
    residuals = st.builds(
        Residual,
        body=inner,
        scale=st.floats(-1000, 1000, allow_nan=False),
        relu=st.booleans(),
        width=st.none() | st.integers(1, 4000),
    )
    return chains | concats | residuals


ops: st.SearchStrategy[Op] = st.recursive(convs | pools, _deeper, max_leaves=12)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,9}", fullmatch=True).filter(lambda name: name != "head")


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    """A stage with runs of equal blocks."""
    runs = draw(st.lists(st.tuples(ops, st.integers(1, 4)), min_size=1, max_size=3))
    return Stage(draw(names), tuple(block for block, count in runs for _ in range(count)), draw(texts))


nets = st.builds(
    Net,
    name=names,
    source=texts,
    stages=st.lists(stages(), min_size=1, max_size=3, unique_by=lambda stage: stage.name).map(tuple),
    inputs=st.integers(1, 9),
    size=st.integers(1, 999),
    dropout=st.floats(0, 1, exclude_max=True),
    classes=st.integers(1, 5000),
)
