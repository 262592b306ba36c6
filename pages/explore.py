"""Explore: a network, one of its blocks, one op; drawing, shapes, cost and code of the same selection."""

from inception_lab.ui import cache, drawer, explore, frame, selection

LEAD = "Open a network, then a block, then an op: click the drawing, walk it with the arrow keys, or use the boxes."

with frame.page("Explore", LEAD):
    chosen = selection.current()
    size = explore.pick(chosen)
    table = cache.table(chosen.net.name, (size, size))
    explore.totals(table)
    explore.strip(chosen, size)
    explore.block(chosen, size, table)
    explore.rows(chosen, table)
    explore.source(chosen)
    drawer.code(
        f"""
net = lab.net("{chosen.net.name}")
lab.shapes(net, size={size})
lab.graph(net, at="{chosen.block or chosen.address}", depth="block", size={size})
model = lab.build(net, classes=1000)
""",
        name="explore",
    )
