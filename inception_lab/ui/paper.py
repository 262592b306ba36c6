"""The parts of the Paper page: what the paper claims, prints and contradicts, each beside the place to look or try."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from functools import cache
from typing import Any

import pandas as pd
import streamlit as st

from inception_lab.assets import asset
from inception_lab.figures.errors import error_bars
from inception_lab.readers.slips import slips as all_slips
from inception_lab.ui import drawer

PAGES = {
    "explore": ("pages/explore.py", ":material/account_tree:"),
    "train": ("pages/train.py", ":material/monitoring:"),
    "classify": ("pages/classify.py", ":material/image_search:"),
}
SECTIONS = {
    "claims": "What it claims",
    "contradictions": "Where it contradicts itself",
    "released-code": "Paper against released code",
    "results": "Results as printed",
    "recipe": "Training recipe",
    "unconfirmed": "Not confirmed",
}
NONE = "–"


@cache
def content() -> dict[str, Any]:
    """The page's facts, `assets/paper/paper.toml`."""
    return tomllib.loads(asset("paper", "paper.toml").read_text(encoding="utf-8"))


def source() -> None:
    """What was read, and the way to each section."""
    paper = content()["source"]
    st.caption(f"{paper['authors']}: *{paper['title']}*. {paper['venue']}. {paper['read']}")
    st.markdown(" · ".join(f"[{title}](#{anchor})" for anchor, title in SECTIONS.items()))


def claims() -> None:
    """The paper in one screen: each claim with its numbers, its limits here, and a link to try it."""
    _section("claims")
    told = content()["claims"]
    for row in (told[:3], told[3:]):
        for column, claim in zip(st.columns(len(row)), row, strict=True):
            with column, st.container(border=True, height="stretch"):
                st.markdown(f"**{claim['title']}.** {claim['text']}")
                st.caption(f"In numbers: {claim['numbers']}")
                st.caption(f"In this lab: {claim['limits']}")
                path, icon = PAGES[claim["page"]]
                st.page_link(path, label=claim["test"], icon=icon, query_params=_link(claim))


def slips() -> None:
    """Every slip with what is printed, what it must be, and the block it concerns."""
    _section("contradictions")
    st.markdown(
        "Places where the printed paper cannot be right. Two widths, 1154 and 2048, cannot even be built: the lab "
        "keeps a network that has them, which refuses at the add and says why."
    )
    rows = all_slips()
    for slip in rows:
        with st.container(border=True):
            where, says, must, look = st.columns([4, 4, 5, 2.6], gap="small")
            where.markdown(f"**{slip.where}**")
            says.markdown(f"Printed: {slip.says}")
            must.markdown(f"Must be: {slip.must}")
            with look:
                for place, address in enumerate(slip.at):
                    _open(address, label=f"Open the block in {address.split('/')[0]}" if place else "Open the block")
                _open(slip.refuses, label="See it refuse")
    heads = {"where": "where", "says": "printed", "must": "must be", "at": "address"}
    plain_rows = [{**asdict(slip), "at": ", ".join(slip.at) or NONE} for slip in rows]
    drawer.table(_frame(plain_rows, heads), name="slips")


def contradictions() -> str:
    """A Markdown link to the slips on the Paper page."""
    return "[Where the paper contradicts itself](paper#contradictions)"


def released() -> None:
    """Paper against released code, point by point."""
    _section("released-code")
    st.markdown(
        "The network that was released as Inception-ResNet-v2 is not the one that is drawn. The lab keeps both, "
        "`inception_resnet_v2` and `inception_resnet_v2_paper`, and never mixes them. Ports: timm, torchvision, Keras, "
        "facenet."
    )
    heads = {"topic": "topic", "paper": "paper", "slim": "released (TF-slim)", "ports": "ports"}
    _table(_frame(content()["released"], heads), name="paper-and-code", alt="Paper against released code")


def results() -> None:
    """The result tables as printed, and the single-crop one as bars."""
    _section("results")
    rows, protocols = content()["results"], content()["protocols"]
    figure, alt = error_bars([(row["network"], *row["single"]) for row in rows if "single" in row], protocol="one crop")
    st.plotly_chart(figure, key="results-chart", alt=alt)
    frame = pd.DataFrame(
        [
            {"network": row["network"], **{protocols[key]: _pair(row.get(key)) for key in ("single", "few", "many")}}
            for row in rows
        ]
    )
    st.markdown("Top-1 / top-5 error in per cent:")
    _table(frame, name="results", alt=alt)
    st.markdown("\n".join(f"- {note}" for note in protocols["notes"]))
    st.markdown("Ensembles, 144 crops or dense, 50,000 images (arXiv Table 5, AAAI Table 4), error in per cent:")
    heads = {"models": "models", "top1": "top-1", "top5": "top-5", "note": "note"}
    _table(_frame(content()["ensembles"], heads), name="ensembles", alt="Errors of the ensembles")
    curves = content()["curves"]
    st.markdown(f"Speed of training. {curves['note']}")
    epochs = [{"network": name, **_by_error(curves["errors"], row)} for name, row in curves["epochs"].items()]
    _table(pd.DataFrame(epochs), name="epochs", alt="Epoch at which each network first reaches an error")


def recipe() -> None:
    """How the networks were trained, as far as it is written, and the setting of the lab for each item."""
    _section("recipe")
    heads = {
        "item": "item",
        "paper": "this paper",
        "v3": "Inception-v3 paper",
        "slim": "TF-slim default",
        "lab": "setting in the lab",
    }
    _table(_frame(content()["recipe"], heads), name="recipe", alt="Training recipe in three sources and in the lab")
    st.page_link("pages/train.py", label="Train with these settings", icon=":material/monitoring:")


def unconfirmed() -> None:
    """What could not be established."""
    _section("unconfirmed")
    st.markdown("\n".join(f"- {item}" for item in content()["unconfirmed"]["items"]))


def _section(anchor: str) -> None:
    st.header(SECTIONS[anchor], anchor=anchor)


def _open(address: str, *, label: str) -> None:
    if address:
        st.page_link(PAGES["explore"][0], label=label, icon=PAGES["explore"][1], query_params={"at": address})


def _link(claim: dict[str, Any]) -> dict[str, str | list[str]] | None:
    """What the link to another page carries: an address of Explore, or settings of Train."""
    return {"at": claim["at"]} if "at" in claim else claim.get("link")


def _table(frame: pd.DataFrame, *, name: str, alt: str) -> None:
    """A table whose text wraps, with its CSV."""
    st.table(frame, hide_index=True, alt=alt)
    st.download_button(
        "CSV", frame.to_csv(index=False), f"{name}.csv", "text/csv", key=f"paper-{name}-csv", on_click="ignore"
    )


def _frame(rows: list[dict[str, Any]], heads: dict[str, str]) -> pd.DataFrame:
    """The rows under the given heads, in that order; what is not there is a dash."""
    return pd.DataFrame([{head: str(row.get(key, NONE)) for key, head in heads.items()} for row in rows])


def _pair(errors: list[float] | None) -> str:
    return NONE if errors is None else f"{errors[0]:.1f} / {errors[1]:.1f}"


def _by_error(errors: list[float], epochs: list[int | str]) -> dict[str, str]:
    return {f"{error:g} %": str(epoch) for error, epoch in zip(errors, epochs, strict=True)}
