"""What is asked of a network about its pixels: method, class, class to compare with, layer; and what it will cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.images.trained import known
from inception_lab.ui import announcing, working
from inception_lab.ui.photos import Upload, classified
from inception_lab.ui.widgets import linked, plain

if TYPE_CHECKING:
    from inception_lab.images.announce import Cost
    from inception_lab.images.attribute import Attribution, Method


@dataclass(frozen=True, slots=True)
class Described:
    """A method for people: its group, its name, and what it does in a sentence."""

    group: str
    title: str
    does: str


GRADIENTS, LAYERS, COVERING = "Gradients", "Layers", "Perturbations"

METHODS: dict[Method, Described] = {  # the first is the default: two images, and a region that one sees at once
    "grad_cam": Described(
        LAYERS,
        "Grad-CAM",
        "Weighs a layer's feature maps by their mean gradient: coarse, but it shows the region that counted.",
    ),
    "guided_grad_cam": Described(
        LAYERS, "Guided Grad-CAM", "Grad-CAM's region times the fine lines of guided backpropagation."
    ),
    "layer_conductance": Described(
        LAYERS, "Layer conductance", "How much of the change of the score flows through each cell of a layer."
    ),
    "integrated_gradients": Described(
        GRADIENTS,
        "Integrated gradients",
        "Adds up the gradients on the way from a black image to this one; the map adds up to the change of the score.",
    ),
    "saliency": Described(
        GRADIENTS, "Saliency", "How much the score would move if a pixel moved a little: fast, grainy, without a sign."
    ),
    "input_x_gradient": Described(
        GRADIENTS, "Input × gradient", "The gradient times the value that entered: what a linear network would add up."
    ),
    "smoothgrad": Described(
        GRADIENTS, "SmoothGrad", "The gradient averaged over noisy copies of the image, then its size: the grain calms."
    ),
    "guided_backprop": Described(
        GRADIENTS,
        "Guided backpropagation",
        "Drops what is negative at each ReLU on the way back: sharp, but it often draws edges whatever the class is.",
    ),
    "deeplift": Described(
        GRADIENTS,
        "DeepLift",
        "Compares each activation with that of a black image; two images instead of fifty, and the map still adds up.",
    ),
    "occlusion": Described(
        COVERING, "Occlusion", "Covers one square after the other with grey and measures how far the score falls."
    ),
    "feature_ablation": Described(
        COVERING,
        "Superpixel ablation",
        "Covers one region of like colour after the other with grey and measures how far the score falls.",
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `possible` is false for an address that names nothing."""

    upload: Upload
    network: str
    method: Method
    target: int
    against: int | None = None
    at: str | None = None
    possible: bool = True

    @property
    def options(self) -> str:
        """The arguments of `lab.attribute` after photograph and network."""
        compared = "" if self.against is None else f", against={self.against}"
        layer = "" if self.at is None else f", at={self.at!r}"
        return f', method="{self.method}", target={self.target}{compared}{layer}'


def ask(upload: Upload, network: str) -> Question:
    """The widgets of the question, and its cost below them."""
    names: dict[str, str] = {word: f"{one.group}: {one.title}" for word, one in METHODS.items()}
    first, second, third = st.columns(3)
    with first:
        method = cast("Method", linked("Method", names, key="method"))
    with second:
        target = int(_linked_class("Class", _classes(upload, network), "class", upload, network))
    with third:
        against = _against(upload, network, target)
    at, possible = _layer(network) if METHODS[method].group == LAYERS else (None, True)
    asked = Question(upload, network, method, target, against, at, possible)
    st.caption(METHODS[method].does + (f" Cost: {cost(asked)}." if possible else ""))
    with st.popover("What the methods do", icon=":material/help:"):
        rows = [{"looks at": one.group, "method": one.title, "what it does": one.does} for one in METHODS.values()]
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="The methods, in groups, with a sentence each")
    return asked


def answered(asked: Question, *, key: str, label: str = "Explain") -> Attribution | None:
    """The map, at once where it is little, else when asked for; None, after a sentence, where there is none.

    Views share their maps; `key` begins the keys of the buttons.
    """
    if not asked.possible:
        return None
    try:
        return working.answer(
            "map",
            asked,
            partial(_attributed, asked),
            load=announcing.load(asked.network, cost(asked).images),
            label=label,
            icon=":material/search_insights:",
            buttons=key,
        )
    except LabError as error:
        st.error(plain(error), icon=":material/block:")
        return None


def cost(asked: Question) -> Cost:
    """Images, seconds and memory of the map."""
    whole = asked.upload if asked.method == "feature_ablation" else None
    return announcing.cost("attribute", asked.network, whole, method=asked.method, at=asked.at)


def _attributed(asked: Question, progress: Callable[[int, int], None] | None) -> Attribution:
    from inception_lab.images.attribute import attribute
    from inception_lab.images.load import load

    return attribute(
        load(asked.upload.data, name=asked.upload.name),
        asked.network,
        method=asked.method,
        target=asked.target,
        against=asked.against,
        at=asked.at,
        progress=progress,
    )


def pick_classes(upload: Upload, network: str) -> tuple[int, int | None]:
    """The class that is asked about, and the one it is compared with if any: `class` and `against` in the link."""
    first, second = st.columns(2)
    with first:
        target = int(_linked_class("Class", _classes(upload, network), "class", upload, network))
    with second:
        return target, _against(upload, network, target)


def _against(upload: Upload, network: str, target: int) -> int | None:
    """The class that the target is compared with; None for none."""
    others = {word: name for word, name in _classes(upload, network).items() if word != str(target)}
    compared = _linked_class("Rather than", {"": "nothing, the class alone"} | others, "against", upload, network)
    return int(compared) if compared else None


def _classes(upload: Upload, network: str) -> dict[str, str]:
    """Every class the network knows, by index, the best guesses first and with their probability."""
    best = {str(p.index): f"{p.label} ({p.probability:.1%})" for p in classified(upload, network).predictions}
    return best | {str(n): f"{label} [{n}]" for n, label in enumerate(_labels(network)) if str(n) not in best}


@st.cache_data(max_entries=32, show_spinner=False)
def _labels(network: str) -> tuple[str, ...]:
    from inception_lab.models.weights import labels

    return known(network).labels or labels()


def _linked_class(label: str, options: dict[str, str], key: str, upload: Upload, network: str) -> str:
    """A class in the link; with another photograph or network the choice begins anew."""
    asked, written = st.session_state.get(f"{key}-written", ((upload, network), None))
    if asked != (upload, network):
        st.session_state.pop(key, None)
        if st.query_params.get(key) == written:  # not a link, but what this page wrote for the other one
            st.query_params.pop(key, None)
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
        if (wanted := st.query_params.get(key)) is not None and wanted not in options:
            st.query_params.pop(key)
            st.warning(
                f"The link asks for {key} '{plain(wanted[:40])}', which cannot be chosen here; {network} has the "
                f"classes 0 to {known(network).classes - 1}.",
                icon=":material/link_off:",
            )
    chosen = linked(label, options, key=key)
    st.session_state[f"{key}-written"] = ((upload, network), chosen)
    return chosen


def _layer(network: str) -> tuple[str | None, bool]:
    """The address of the layer, None for the default; false if there is no such address."""
    from inception_lab.images.attribute import default_layer

    if "layer" not in st.session_state and (wanted := st.query_params.get("layer")):
        st.session_state["layer"] = wanted[:200]
    usual = default_layer(network)
    typed = st.text_input(
        f"Layer; empty for the end of the last stage, {usual}",
        key="layer",
        placeholder=usual,
        help="An address as in Explore, e.g. B/07/add; for a network of timm's the path of its module, e.g. blocks/5.",
    ).strip()
    if typed:
        st.query_params["layer"] = typed
    else:
        st.query_params.pop("layer", None)
    try:
        default_layer(network, typed or None)
    except LabError as error:
        st.error(plain(error), icon=":material/wrong_location:")
        return typed, False
    return typed or None, True
