"""What the server keeps between runs: bounded, keyed by names and numbers, never by descriptions or tensors.

Heavy imports happen in the background after the first page is on screen, so that the first render costs what an empty
app's costs; then the garbage collector is told to leave them alone (it runs after every script run).
"""

from __future__ import annotations

import gc
import os
import threading
from functools import lru_cache

import streamlit as st

from inception_lab.errors import NetworkError
from inception_lab.images.trained import PREFIX
from inception_lab.jobs.follow import Follower
from inception_lab.jobs.store import Store
from inception_lab.nets import catalog
from inception_lab.nets.ops import Net, Size
from inception_lab.readers.graph import Depth, Direction, Graph, graph
from inception_lab.readers.notation import notation, parse
from inception_lab.readers.shapes import shapes
from inception_lab.readers.slips import slips_of
from inception_lab.readers.table import ShapeTable

DESIGN = "design:"


@st.cache_resource(show_spinner=False)
def warm() -> threading.Thread:
    """Import what the pages will need, once per server, in a thread of its own; not if INCEPTION_LAB_WARM is 0."""
    thread = threading.Thread(target=_import_heavy, name="warm-up", daemon=True)
    if os.environ.get("INCEPTION_LAB_WARM") != "0":
        thread.start()
    return thread


def accelerator() -> str | None:
    """What torch will compute on, or None while torch is still being loaded."""
    if warm().is_alive():
        return None
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none; everything runs on the processor"


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The store of runs, and the supervisor that gives them processes."""
    return Store()


@st.cache_resource(show_spinner=False)
def follower() -> Follower:
    """Reads runs as they are written, for all sessions."""
    return Follower()


def _import_heavy() -> None:
    from inception_lab.images import classify, methods
    from inception_lab.images.samples import samples

    classify.classify(samples()[0].path)  # the first guess also loads timm and the embedded network
    methods.prepare()
    gc.collect()
    gc.freeze()


def net(network: str) -> Net:
    """The network of a key: a name of the catalogue, "run:<id>" for that with which a run began, or
    "design:<notation>" for one of one's own."""
    if network.startswith(PREFIX):
        return store().run(network.removeprefix(PREFIX)).settings.net()
    if network.startswith(DESIGN):
        return _design(network.removeprefix(DESIGN))
    return catalog.net(network)


def key(net: Net) -> str:
    """The key of a network: its name if it is the catalogue's, else its notation."""
    return net.name if catalog.CATALOG.get(net.name) == net else f"{DESIGN}{notation(net, multiline=False)}"


def title(key: str) -> str:
    """The key of a network for people: a design's notation is long."""
    return f"design of {net(key).name}" if key.startswith(DESIGN) else key


@lru_cache(maxsize=256)
def _design(text: str) -> Net:
    found = parse(text)
    if not isinstance(found, Net):
        kind = type(found).__name__
        raise NetworkError(f"The design describes a single {kind}; a design is a whole network, Net(...).")
    return found


@st.cache_resource(max_entries=256, show_spinner=False)
def table(network: str, size: Size) -> ShapeTable:
    """The shape table of the network of a key."""
    return shapes(net(network), size=size)


@st.cache_resource(max_entries=256, show_spinner=False)
def read(network: str, size: Size) -> ShapeTable:
    """The same of a network that may not be possible: what was refused is in the table, and the rest is read on."""
    return shapes(net(network), size=size, tolerant=True)


@st.cache_resource(max_entries=256, show_spinner=False)
def picture(network: str, at: str | None, depth: Depth, size: Size, direction: Direction) -> Graph:
    """A drawing of the network of a key, with what cannot be and the paper's slips marked."""
    return graph(net(network), at=at, depth=depth, size=size, direction=direction, tolerant=True, slips=True)


def tolerance(network: str, size: Size) -> str:
    """What the Python of a view says where a reader has to go on behind what cannot be; empty where it has not."""
    return ", tolerant=True" if read(network, size).refused else ""


def marking(network: str, size: Size) -> str:
    """The same for a drawing like `picture`'s, with the paper's slips where there are any."""
    return tolerance(network, size) + (", slips=True" if slips_of(net(network)) else "")


@lru_cache(maxsize=64)
def svg(drawn: Graph) -> str:
    """The SVG of a drawing; the same text for the same drawing, so that what is sent need not be packed again."""
    return drawn.svg()
