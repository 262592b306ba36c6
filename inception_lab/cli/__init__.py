"""The command line, `python -m inception_lab`. Commands load what they need when they run."""
