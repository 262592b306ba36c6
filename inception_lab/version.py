"""The version of the lab, one string, so that packaging can read it without importing the rest."""

__version__ = "0.1.0"
