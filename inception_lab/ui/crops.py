"""Guesses on the Classify page: by which crops, averaged with which networks, and for several photographs at once."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.crops import Crop, agreement, on_photo
from inception_lab.figures.predictions import guesses
from inception_lab.ui import announcing, drawer, entering, photos, together, working
from inception_lab.ui.photos import Upload
from inception_lab.ui.widgets import linked_segments, plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from inception_lab.images.announce import Cost
    from inception_lab.images.classification import Classification, Classifications
    from inception_lab.images.crops import Reading

PROTOCOLS = {"1": "1 crop", "slim": "1, as slim cuts", "10": "10", "12": "12", "144": "144"}
SAID = {
    "1": "One crop: the centre, as the published accuracies were measured.",
    "slim": "One crop as the released code cuts it: 87.5 % of each side, pulled to a square.",
    "10": "Ten crops: four corners and the centre, each also mirrored (ResNet).",
    "12": "Twelve crops of the centre square; the paper leaves open which square and scale its twelve are.",
    "144": "144 crops: four scales, three squares, six crops, each also mirrored (GoogLeNet, and the paper's best).",
}
SHOWN = 800  # pixels, the longer side of a photograph that boxes are drawn on


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each photograph; the shown network is the first of `networks`."""

    networks: tuple[str, ...]
    word: str
    paper: bool = False  # averaged as the paper's ensemble, in its shares

    @property
    def crops(self) -> int:
        return 1 if self.word == "slim" else int(self.word)

    @property
    def reading(self) -> Reading:
        return "slim" if self.word == "slim" else "timm"

    @property
    def top(self) -> int:
        return photos.guesses(self.networks[0])

    @property
    def options(self) -> str:
        """The Python of it."""
        slim = ', reading="slim"' * (self.word == "slim")
        joined = ", ensemble=True" * (len(self.networks) > 1 and not self.paper)
        top = f", top={self.top}" * (self.top != photos.BEST)
        return f"networks={self.asked!r}, crops={self.crops}{slim}{joined}{top}"

    @property
    def asked(self) -> list[str]:
        """The networks as `classify` takes them."""
        return [together.PAPER] if self.paper else list(self.networks)


def show(uploads: Sequence[Upload], upload: Upload, network: str, way: DeltaGenerator) -> str:
    """Protocol and networks, the guesses for one photograph, its crops and their agreement, the table of them all.

    Returns the Python that asks the same.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        word = linked_segments("Crops", PROTOCOLS, key="crops")
        said = st.container(width="stretch")
    networks, paper = together.pick(network)
    asked = Question(networks, word, paper)
    entering.show(way, upload, networks, crops=asked.crops, reading=asked.reading)
    ask = partial(_answer, [upload], asked, key="crops", label=f"Ask {asked.crops} crops")
    found = (
        ask() if (little := announcing.little(asked.networks, asked.crops)) else None
    )  # not kept waiting by its cost
    said.caption(f"{SAID[word]} Cost: {_cost(asked, 1)}.")
    found = found if little else ask()
    if found is not None:
        _guesses(upload, found, asked)
        _crops(next(one for one in found if one.network == asked.networks[0]), found)
    if len(uploads) > 1:
        _several(uploads, asked)
    return f"{upload.python}\nlab.classify(photo, {asked.options})"


def _cost(asked: Question, images: int) -> Cost:
    return announcing.cost("classify", asked.networks, images=images, crops=asked.crops, reading=asked.reading)


def _answer(uploads: Sequence[Upload], asked: Question, *, key: str, label: str) -> Classifications | None:
    """What the networks say: at once if it is little, else when asked for, with a bar and a way to stop."""
    question = (tuple(uploads), asked)
    load = announcing.load(asked.networks, asked.crops * len(uploads))
    try:
        return working.answer(
            key,
            question,
            lambda progress: _ask(uploads, asked, progress),
            load=load,
            label=label,
            icon=":material/grid_view:",
            word="crops",
        )
    except LabError as error:
        st.error(plain(error), icon=":material/block:")
        return None


def _ask(uploads: Sequence[Upload], asked: Question, progress: Callable[[int, int], None] | None) -> Classifications:
    """One entry per photograph and network and, of several networks, the average; bad files have an `error`."""
    from inception_lab.images.classify import classify

    return classify(
        [_file(upload) for upload in uploads],
        networks=asked.asked,
        crops=asked.crops,
        reading=asked.reading,
        ensemble=len(asked.networks) > 1,
        each=True,
        top=asked.top,
        forwards=progress,
    )


def _file(upload: Upload) -> BytesIO:
    """The upload as an open file of its name, which notes and errors call it by."""
    file = BytesIO(upload.data)
    file.name = upload.name
    return file


def _guesses(upload: Upload, said: Classifications, asked: Question) -> None:
    """The photograph with what is cut out of it, and the guesses of the network or of the average."""
    one, network = said[-1], asked.networks[0]
    left, right = st.columns([2, 3])
    with left:
        _boxes(upload, next(each for each in said if each.network == network))
        if one.note:
            st.caption(plain(f"{one.note[0].upper()}{one.note[1:]}."))
    with right:
        figure, alt = guesses([p.label for p in one.predictions], [p.probability for p in one.predictions])
        who = " + ".join(f"{share:.3g} × {tag}" for tag, share in one.members) or network
        st.markdown(f"**{plain(who)}** says")
        st.plotly_chart(figure, key="guesses", alt=alt)
        crops = f"{asked.crops} crops averaged" if asked.crops > 1 else "one crop"
        st.caption(f"{plain(who)}, {crops}, softmax; {one.seconds * 1000:,.0f} ms on this machine.")
        frame = pd.DataFrame([p.to_dict() for p in one.predictions])
        drawer.table(frame, name="predictions", alt=alt)


def _members(said: Classifications, average: Classification) -> None:
    """Each network of an ensemble beside the average."""
    rows = [
        {"network": one.network, "share": share, "first choice": one.predictions[0].label}
        | {"probability": one.predictions[0].probability}
        for (_, share), one in zip(average.members, said, strict=False)
    ]
    best = average.predictions[0]
    rows.append({"network": "average", "share": 1.0, "first choice": best.label, "probability": best.probability})
    drawer.table(pd.DataFrame(rows), name="members", title="Each network alone", alt="Each network's first choice")


def _places(one: Classification) -> list[Crop]:
    return [
        Crop(v.box.left, v.box.top, v.box.right, v.box.bottom, v.box.mirrored, v.box.scale, v.label) for v in one.votes
    ]


def _boxes(upload: Upload, one: Classification) -> None:
    """Where the crops lie on the photograph."""
    from inception_lab.images.load import load

    image = load(upload.data, name=upload.name).image
    figure, alt = on_photo(_address(image), image.size, _places(one))
    st.markdown(f"**What {plain(one.network)} is shown**")
    st.plotly_chart(figure, key="boxes", alt=alt)


def _crops(one: Classification, said: Classifications) -> None:
    """How far the crops agree, the crops as a table, and each network of an ensemble beside the average."""
    crops = _places(one)
    alt = f"{len(crops)} crops of {one.file}"
    if len(crops) > 1:
        labels, means = [p.label for p in one.predictions], [p.probability for p in one.predictions]
        st.markdown(f"**{one.agreeing} of {len(crops)} crops** have {plain(labels[0])} first, as the average does.")
        figure, alt = agreement(labels, means, [vote.probabilities for vote in one.votes], crops)
        st.plotly_chart(figure, key="agreement-of-crops", alt=alt)
    drawer.table(pd.DataFrame(_box_rows(one)), name="crops", title="The crops as a table", alt=alt)
    if said[-1].members:
        _members(said, said[-1])


def _box_rows(one: Classification) -> list[dict[str, Any]]:
    return [
        {
            "crop": number,
            "scale": vote.box.scale,
            **{side: round(cast("float", getattr(vote.box, side)), 1) for side in ("left", "top", "right", "bottom")},
            "mirrored": vote.box.mirrored,
            "first choice": vote.label,
            **{f"{p.label} ({p.index})": share for p, share in zip(one.predictions, vote.probabilities, strict=True)},
        }
        for number, vote in enumerate(one.votes, 1)
    ]


def _several(uploads: Sequence[Upload], asked: Question) -> None:
    """Every photograph in a row of a table, with its exports; those that cannot be read by name."""
    st.markdown(f"**All {len(uploads)} photographs**")
    st.caption(f"Cost: {_cost(asked, len(uploads))}.")
    said = _answer(uploads, asked, key="several", label=f"Ask about all {len(uploads)}")
    if said is None:
        return
    frame = pd.DataFrame(_rows(said, len(said) // len(uploads))).fillna("")
    st.dataframe(frame, hide_index=True, alt=f"Best guesses for {len(uploads)} photographs")
    with st.container(horizontal=True):
        drawer.download("CSV", said.to_csv, "guesses.csv", "text/csv")
        drawer.download("JSON", lambda: json.dumps(said.to_dict(), indent=1), "guesses.json", "application/json")


def _rows(said: Classifications, each: int) -> list[dict[str, Any]]:
    """One row per photograph of `each` entries, of which the last is the average where there is one."""
    shown = said[each - 1 :: each]
    return [
        {"photograph": place, "file": one.file}
        | {f"{n}.": f"{p.label} {p.probability:.1%}" for n, p in enumerate(one.predictions, 1)}
        | ({"trouble": one.error} if one.error else {})
        for place, one in enumerate(shown, 1)
    ]


def _address(image: Any) -> str:
    """A picture as a data address, no larger than it is shown."""
    small = image.copy()
    small.thumbnail((SHOWN, SHOWN))
    out = BytesIO()
    small.save(out, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(out.getvalue()).decode()}"
