"""What is selected on Explore: one address and one input size, kept in the session and in the link.

The address holds everything: `inception_resnet_v2` is a network, `inception_resnet_v2/B/07` one of its blocks and
`inception_resnet_v2/B/07/add` an op. Clicks, selectboxes and links all write the same value. With the network of a run
the link says `run=<id>` beside it, with a design of one's own `design=<notation>`.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from inception_lab.errors import LabError, UnknownAddress
from inception_lab.images.trained import PREFIX
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, locate, steps
from inception_lab.nets.ops import Net
from inception_lab.readers.notation import notation
from inception_lab.ui import cache
from inception_lab.ui.widgets import plain

START = "inception_resnet_v2/B/01"
_AT, _RUN, _DESIGN, _WRITTEN = "explore_at", "explore_run", "explore_design", "explore_written"


@dataclass(frozen=True, slots=True)
class Selection:
    """A full address, split into network, stage, block and op; a stage alone means its first block.

    `run` is the id of the run whose network this is, `design` the notation of a network of one's own; both are empty
    for one of the catalogue.
    """

    address: str
    net: Net
    run: str = ""
    design: str = ""

    @property
    def key(self) -> str:
        """What `cache` calls the network."""
        return _key(self.run, self.design) or self.net.name

    @property
    def python(self) -> str:
        """The lines of Python that make the network, as `net`."""
        return made(self.key)

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """Network, stage, block, op; what the address leaves out is empty, the op keeps its slashes."""
        parts = self.address.split("/", 3)
        network, stage, block, op = parts + [""] * (4 - len(parts))
        return network, stage, block or ("01" if stage and stage != "head" else ""), op

    @property
    def block(self) -> str | None:
        """The block's address, or None for the network itself and its head."""
        network, stage, block, _ = self.parts
        return f"{network}/{stage}/{block}" if stage and stage != "head" else None

    @property
    def steps(self) -> tuple[str, ...]:
        """Addresses of every op in the block."""
        return tuple(steps(self.block, dict(blocks(self.net))[self.block])) if self.block else ()

    @property
    def stage_source(self) -> str:
        """Where the stage's block stands in the paper or the released code."""
        return next((stage.source for stage in self.net.stages if stage.name == self.parts[1]), "")


def made(key: str, *, name: str = "net") -> str:
    """The lines of Python that make the network of a key, under a name."""
    if key.startswith(PREFIX):
        run = key.removeprefix(PREFIX)
        return f'from inception_lab.jobs.store import Store\n\n{name} = Store().run("{run}").settings.net()'
    if key.startswith(cache.DESIGN):
        text = key.removeprefix(cache.DESIGN)
        return f"from inception_lab.readers.notation import parse\n\n{name} = parse({text!r})"
    return f'{name} = lab.net("{key}")'


def current() -> Selection:
    """The selection; a link goes before the session's, with a word where it was refused."""
    link = tuple(st.query_params.get(name, "") for name in ("run", "design", "at"))
    if any(link) and link != st.session_state.get(_WRITTEN):  # a link, not what this page wrote last
        try:
            _follow(*link)
        except LabError as error:
            st.warning(f"The link was not followed. {plain(error)}", icon=":material/link_off:")
    try:
        chosen = _selection()
    except LabError as error:  # the run was deleted meanwhile
        st.warning(plain(error), icon=":material/link_off:")
        leave(START)
        chosen = _selection()
    st.session_state[_WRITTEN] = (chosen.run, chosen.design, chosen.address)
    st.query_params["at"] = chosen.address
    for name, value in (("run", chosen.run), ("design", chosen.design)):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    return chosen


def leave(address: str) -> None:
    """Select an address of the catalogue, also from the network of a run or a design; for callbacks."""
    full = locate(catalog.net(address.split("/")[0]), address)
    _move(full)


def take(net: Net, *, run: str = "") -> None:
    """Select a design in the place of the network that is open, at the same address where it has one; for callbacks.

    A network equal to one of the catalogue is selected as that, and that of a run, by its id, as the run's.
    """
    rest = _selection().address.split("/")[1:]
    design = "" if run or catalog.CATALOG.get(net.name) == net else notation(net, multiline=False)
    while True:
        try:
            return _move(locate(net, "/".join([net.name, *rest])), run=run, design=design)
        except UnknownAddress:
            if not rest:
                raise
            rest = rest[:-1]


def select(address: str) -> None:
    """Select a full address; for callbacks."""
    st.session_state[_AT] = resolve(address)


def select_nearest(address: str) -> None:
    """Select an address or, where it only stands for a part of an op, the op it belongs to; for callbacks."""
    while True:
        try:
            return select(address)
        except UnknownAddress:
            address = address.rsplit("/", 1)[0]


def up() -> None:
    """One depth up, from op to block and from block to network; for callbacks."""
    now = _selection()
    st.session_state[_AT] = now.block if now.parts[3] and now.block else now.parts[0]


def current_net() -> Net:
    """The network that is open; for callbacks."""
    return _selection().net


def resolve(address: str) -> str:
    """The full address, checked, in the run or design that is open or in the catalogue; a network's name alone is one
    too."""
    own = _key(st.session_state.get(_RUN, ""), st.session_state.get(_DESIGN, ""))
    return locate(cache.net(own or address.strip("/").split("/")[0]), address)


def _follow(run: str, design: str, address: str) -> None:
    """Take what a link says: a run or a design, an address, or both."""
    if not run and not design:
        return leave(address.strip("/"))
    net = cache.net(_key(run, design))
    start = next((at for at, _ in blocks(net) if at.endswith("/B/01")), net.name)
    _move(locate(net, address or start), run=run, design="" if run else design)


def _move(address: str, *, run: str = "", design: str = "") -> None:
    """Write the selection; another network may be made for another input."""
    try:
        before = _selection().net.size
    except LabError:  # the run was deleted meanwhile
        before = 0
    if before != cache.net(_key(run, design) or address.split("/")[0]).size:
        st.session_state.pop("size", None)
    st.session_state.update({_AT: address, _RUN: run, _DESIGN: design})


def _selection() -> Selection:
    address, run = st.session_state.setdefault(_AT, START), st.session_state.get(_RUN, "")
    design = st.session_state.get(_DESIGN, "")
    return Selection(address, cache.net(_key(run, design) or address.split("/")[0]), run, design)


def _key(run: str, design: str) -> str:
    if run:
        return f"{PREFIX}{run}"
    return f"{cache.DESIGN}{design}" if design else ""
