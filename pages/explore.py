"""Explore: a network, one of its blocks, one op; drawing, shapes, cost and code of the same selection."""

from inception_lab.errors import ImpossibleAdd, InputTooSmall
from inception_lab.ui import cache, explore, frame, selection

LEAD = "Open a network, then a block, then an op: click the drawing, walk it with the arrow keys, or use the boxes."

with frame.page("Explore", LEAD):
    chosen = selection.current()
    size = explore.pick(chosen)
    try:
        table = cache.table(chosen.key, (size, size))
    except ImpossibleAdd as error:
        explore.impossible(chosen, size, error)
    except InputTooSmall as error:
        explore.too_small(chosen, error)
    else:
        explore.show(chosen, size, table)
