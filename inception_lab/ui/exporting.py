"""A drawing of Explore to take away: as picture, as page, as text that remakes it, as link."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net, Op
from inception_lab.readers.drawing import Graph
from inception_lab.readers.notation import notation
from inception_lab.ui.drawer import download


def exports(drawn: Graph, net: Net, *, name: str, title: str = "Export") -> None:
    """SVG, PNG, a page that opens offline, DOT, the boxes as CSV and the notation; made when asked for, not before."""
    with st.popover(title, icon=":material/download:"):
        kinds = (
            ("SVG", drawn.svg, "svg", "image/svg+xml"),
            ("PNG", drawn.png, "png", "image/png"),
            ("HTML", drawn.html, "html", "text/html"),
            ("DOT", lambda: drawn.dot, "dot", "text/vnd.graphviz"),
            ("CSV", lambda: as_csv(drawn), "csv", "text/csv"),
            ("Notation", lambda: notation(_described(drawn, net)) + "\n", "txt", "text/plain"),
        )
        with st.container(horizontal=True, gap="xsmall", width=410):
            for label, make, suffix, mime in kinds:
                download(label, make, f"{name}.{suffix}", mime)
        st.caption("The link to this view")
        st.code(link(), language=None, wrap_lines=True, width=410)


def boxes(drawn: Graph) -> list[dict[str, Any]]:
    """The boxes of a drawing for a table: every value a word or a number; `said` is what a mark or colour says."""
    rows = zip(drawn.to_rows(), drawn.nodes, strict=True)
    return [
        {
            "address": row["address"],
            "label": row["label"],
            "said": "; ".join(filter(None, (row.pop("mark"), node.amount))),
        }
        | row
        | {"output": "x".join(map(str, row["output"]))}
        for row, node in rows
    ]


def as_csv(drawn: Graph) -> str:
    """The boxes of a drawing, one a line."""
    rows = boxes(drawn)
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def link() -> str:
    """The address of this page with everything that is chosen on it."""
    here = urlsplit(str(st.context.url or "/explore"))
    query = urlencode({key: st.query_params.get_all(key) for key in st.query_params}, doseq=True)
    return urlunsplit((here.scheme, here.netloc, here.path, query, ""))


def _described(drawn: Graph, net: Net) -> Op | Net:
    """The block that is drawn; the network where it is all of it, or its head."""
    if drawn.depth == "stages" or drawn.at is None:
        return net
    return next((block for at, block in blocks(net) if f"{drawn.at}/".startswith(f"{at}/")), net)
