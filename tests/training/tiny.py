"""A run of a fraction of a second, for tests that need a real one."""

from inception_lab.training.presets import preset
from inception_lab.training.settings import Settings

TINY = preset("micro", width=0.06, repeats=(1, 2, 1), batch=8, steps=6, rate=0.05)


def tiny(**changes: object) -> Settings:
    """The tiny settings with fields replaced."""
    return TINY.with_(**changes)
