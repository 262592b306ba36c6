"""Explore: a network, one of its blocks, one op; drawn, taken inside, redesigned, compared and counted."""

from inception_lab.ui import explore, frame

LEAD = "Open a network, then a block, then an op: click the drawing, walk it with the arrow keys, or use the boxes."

with frame.page("Explore", LEAD):
    explore.show()
