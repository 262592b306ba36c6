"""What the telemetry costs a run."""

from __future__ import annotations

from collections.abc import Iterator

from bench.harness import Sides, bench, timed


@bench("telemetry", "a step of the micro preset: measured at every step, never measured", ratio=1.15, rounds=100)
def telemetry() -> Iterator[Sides]:
    import torch

    from inception_lab.training.presets import preset
    from inception_lab.training.run import run

    torch.set_num_threads(1)
    steps = 10_000  # more than any number of rounds; the runs are left early
    watched = run(preset("micro", steps=steps, telemetry_every=1))
    bare = run(preset("micro", steps=steps, telemetry_every=0))
    yield {"ours": timed(lambda: next(watched), processor=True), "bare": timed(lambda: next(bare), processor=True)}
