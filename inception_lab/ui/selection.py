"""What is selected on Explore: one address and one input size, kept in the session and in the link.

The address holds everything: `inception_resnet_v2` is a network, `inception_resnet_v2/B/07` one of its blocks and
`inception_resnet_v2/B/07/add` an op. Clicks, selectboxes and links all write the same value.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from inception_lab.errors import LabError, UnknownAddress
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, locate, steps
from inception_lab.nets.ops import Net
from inception_lab.ui.widgets import plain

START = "inception_resnet_v2/B/01"
_AT, _WRITTEN = "explore_at", "explore_written"


@dataclass(frozen=True, slots=True)
class Selection:
    """A full address, split into network, stage, block and op; a stage alone means its first block."""

    address: str
    net: Net

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


def current() -> Selection:
    """The selection; a link's address goes before the session's, with a word where it was refused."""
    wanted = st.query_params.get("at")
    if wanted and wanted != st.session_state.get(_WRITTEN):  # a link, not what this page wrote last
        try:
            st.session_state[_AT] = resolve(wanted)
        except LabError as error:
            st.warning(f"The link was not followed. {plain(error)}", icon=":material/link_off:")
    address = st.session_state.setdefault(_AT, START)
    st.query_params["at"] = st.session_state[_WRITTEN] = address
    return _selection(address)


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
    now = _selection(st.session_state[_AT])
    st.session_state[_AT] = now.block if now.parts[3] and now.block else now.parts[0]


def _selection(address: str) -> Selection:
    return Selection(address, catalog.net(address.split("/")[0]))


def resolve(address: str) -> str:
    """The full address, checked; a network's name alone is one too."""
    name = address.strip("/").split("/")[0]
    return locate(catalog.net(name), address)
