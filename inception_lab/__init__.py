"""Inception Lab: take apart, train, break and question the networks of the Inception-v4 / Inception-ResNet paper.

    import inception_lab as lab
    lab.shapes("inception_resnet_v2", size=299)

Names are loaded when first used, so the import itself costs milliseconds and brings neither torch nor streamlit.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inception_lab.version import __version__

if TYPE_CHECKING:
    from inception_lab.errors import LabError as LabError
    from inception_lab.images.agreement import agreement as agreement
    from inception_lab.images.attribute import attribute as attribute
    from inception_lab.images.classify import classify as classify
    from inception_lab.images.comparison import compare_maps as compare_maps
    from inception_lab.images.credit import credit as credit
    from inception_lab.images.evaluate import evaluate as evaluate
    from inception_lab.images.features import features as features
    from inception_lab.images.moved import moved as moved
    from inception_lab.images.pictures import credited as credited
    from inception_lab.images.residuals import damage as damage
    from inception_lab.images.residuals import rho as rho
    from inception_lab.images.trained import pretrained as pretrained
    from inception_lab.images.trust import trust as trust
    from inception_lab.models.build import build as build
    from inception_lab.models.build import summary as summary
    from inception_lab.nets.catalog import net as net
    from inception_lab.notebook import resume as resume
    from inception_lab.notebook import sweep as sweep
    from inception_lab.notebook import train as train
    from inception_lab.readers.compare import compare as compare
    from inception_lab.readers.cost import cost as cost
    from inception_lab.readers.graph import graph as graph
    from inception_lab.readers.notation import notation as notation
    from inception_lab.readers.shapes import shapes as shapes
    from inception_lab.readers.source import source as source

_HOME = {
    "LabError": "errors",
    "agreement": "images.agreement",
    "attribute": "images.attribute",
    "build": "models.build",
    "classify": "images.classify",
    "compare": "readers.compare",
    "compare_maps": "images.comparison",
    "cost": "readers.cost",
    "credit": "images.credit",
    "credited": "images.pictures",
    "damage": "images.residuals",
    "evaluate": "images.evaluate",
    "features": "images.features",
    "graph": "readers.graph",
    "moved": "images.moved",
    "net": "nets.catalog",
    "notation": "readers.notation",
    "pretrained": "images.trained",
    "resume": "notebook",
    "rho": "images.residuals",
    "shapes": "readers.shapes",
    "source": "readers.source",
    "summary": "models.build",
    "sweep": "notebook",
    "train": "notebook",
    "trust": "images.trust",
}

__all__ = [
    "LabError",
    "__version__",
    "agreement",
    "attribute",
    "build",
    "classify",
    "compare",
    "compare_maps",
    "cost",
    "credit",
    "credited",
    "damage",
    "evaluate",
    "features",
    "graph",
    "moved",
    "net",
    "notation",
    "pretrained",
    "resume",
    "rho",
    "shapes",
    "source",
    "summary",
    "sweep",
    "train",
    "trust",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
