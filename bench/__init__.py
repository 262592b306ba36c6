"""Benchmarks: what the lab promises about speed, measured. `python -m bench` runs them all."""
