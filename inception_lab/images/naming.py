"""A class by what people call it: `class_of("tiger cat")` is 282."""

from __future__ import annotations

from difflib import get_close_matches

from inception_lab.errors import SettingsError
from inception_lab.images.labelled import spoken
from inception_lab.images.trained import known
from inception_lab.models.records import EMBEDDED
from inception_lab.models.weights import labels, wnids

NEAR = 3  # names that are offered for one that is not there


def class_of(name: str, network: str = EMBEDDED) -> int:
    """The index of a class of `network` by label (tiger cat, tiger_cat), index (282) or WordNet id (n02123159).

    An index is taken as it is: whether there is such a class is for the question that asks it. Raises `SettingsError`
    for a name that fits no class, with those near to it, or two, and as `images.trained.known`.
    """
    record, word = known(network), name.strip()
    if word.removeprefix("-").isdecimal():
        return int(word)
    if not record.labels and word in wnids():
        return wnids().index(word)
    names = [spoken(label) for label in record.labels or labels()]
    fitting = [index for index, label in enumerate(names) if label == spoken(word)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise SettingsError(f"Classes {' and '.join(map(str, fitting))} are both called {word!r}; give the number.")
    near = get_close_matches(spoken(word), names, n=NEAR)
    near += [label for label in names if spoken(word) in label and label not in near][: NEAR - len(near)]
    offered = ", ".join(f"{label} ({names.index(label)})" for label in near)
    hint = f"Did you mean {offered}?" if near else "Give a label, or an index from 0 on."
    raise SettingsError(f"{record.tag} has no class called {word!r}. {hint}")
