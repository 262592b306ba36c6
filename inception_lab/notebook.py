"""Training from a notebook or script: one run in this process, or a sweep of runs that the store keeps.

    for step in lab.train("micro", scale=0.1, seed=0): ...
    sweep = lab.sweep("micro", scales=(1.0, 0.3, 0.1), seeds=4); sweep.plot(); sweep.verdict()
    sweep = lab.sweep("micro", over={"width": (0.125, 0.25), "scale": (1.0, 0.1)}, seeds=3); sweep.map()

The runs of a sweep are the same as those of the Train page and the command line: processes of their own, seen by all.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from inception_lab.jobs import cost
from inception_lab.jobs import sweep as sweeps
from inception_lab.jobs.follow import Follower
from inception_lab.jobs.grid import described
from inception_lab.jobs.launch import ensure_running
from inception_lab.jobs.store import Run, Store
from inception_lab.jobs.verdicts import ArmRow, Verdict, arms
from inception_lab.training import presets, runnable
from inception_lab.training.events import Step, read_steps
from inception_lab.training.files import EVENTS
from inception_lab.training.outcomes import judge
from inception_lab.training.settings import Settings

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

    from inception_lab.figures.curves import Metric
    from inception_lab.jobs.export import Format

Watched = tuple[Run, tuple[Step, ...]]
POLL = 0.2
GRACE = 10.0  # seconds that a cancelled run has to end


def train(preset: str, *, scale: float | None = None, seed: int | None = None, **settings: Any) -> Iterator[Step]:
    """Every step of one run, made in this process as it is asked for; leave the loop to stop it.

    `preset` is a name in `training.presets`; scale, seed and any other field of `Settings` replace its values. Nothing
    is kept. Raises `SettingsError` at once for what cannot be run.
    """
    wanted = chosen(preset, {**settings, "scale": scale, "seed": seed})
    runnable.check(wanted)
    cost.check(wanted)
    from inception_lab.training.run import run

    return run(wanted)


def sweep(
    preset: str,
    *,
    scales: Sequence[float] | None = None,
    seeds: int | Sequence[int] | None = None,
    over: Mapping[str, Sequence[Any]] | None = None,
    cases: Sequence[Mapping[str, Any]] | None = None,
    steps: int | None = None,
    home: Path | str | None = None,
    progress: bool = True,
    **settings: Any,
) -> Sweep:
    """Train every combination of `scales` and the values in `over`, or each of `cases`, with every seed (a number means
    0 and up), wait for all runs, and return them.

    "remedies", "map" and "race" (see `training.experiments`) bring their own arms, and number of seeds unless it is
    given. `over` and `cases` name any fields of `Settings`; `settings` are further ones, the same for all. The runs are
    processes kept under `home` (default: INCEPTION_LAB_HOME); they show on the Train page while they run. An interrupt
    cancels those that have not ended, then is passed on; `resume` takes them up again.
    """
    store = Store(home)
    changes = {**settings, "steps": steps}
    if preset in sweeps.BENCHES:
        group = sweeps.submit_bench(store, preset, seeds=seeds, **{n: v for n, v in changes.items() if v is not None})
    else:
        start, seeds = chosen(preset, changes), 1 if seeds is None else seeds
        group = sweeps.submit_sweep(store, start, scales=scales, seeds=seeds, over=over, cases=cases)
    return _followed(store, group, progress=progress)


def resume(group: str, *, home: Path | str | None = None, progress: bool = True) -> Sweep:
    """Start the runs of a sweep again that were interrupted or cancelled, wait for all of it, and return it.

    Finished runs stay as they are. Raises `UnknownRun` if the store has no such sweep.
    """
    store = Store(home)
    sweeps.resume_sweep(store, group)
    return _followed(store, group, progress=progress)


def _followed(store: Store, group: str, *, progress: bool) -> Sweep:
    ids = [run.id for run in reversed(store.runs(group=group))]
    line = Progress() if progress else None
    try:
        for state in watch(store, ids):
            if line:
                line.show(state)
    except KeyboardInterrupt:
        cancel(store, ids)
        raise
    finally:
        if line:
            line.close()
    return Sweep(group=group, runs=tuple(store.run(id) for id in ids))


@final
@dataclass(frozen=True, slots=True)
class Sweep:
    """The runs of a sweep in the order in which they were queued; it shows itself in a notebook."""

    group: str
    runs: tuple[Run, ...] = field(repr=False)

    def table(self) -> pandas.DataFrame:
        """One row a run: what differs, scale, seed, status, outcome, step of death, means of the last steps.

        `n` counts the finished runs of its arm.
        """
        import pandas

        return pandas.DataFrame([row.flat() for row in sweeps.group_table(self.runs)])

    def arms(self) -> list[ArmRow]:
        """One row for each combination of settings: n, failures with their 95 % interval, outcomes."""
        return arms(sweeps.cases_of(self.runs))

    def plot(self, metric: Metric = "zero_share") -> go.Figure:
        """Each run's zero_share, accuracy, loss, gradient_norm or rate.

        Colour is the scale, dash whatever else differs; thin lines are seeds.
        """
        from inception_lab.figures.curves import Series, curves

        changes = {row.run: described(row.changes) for row in sweeps.group_table(self.runs)}
        series = []
        for run in self.runs:
            steps = read_steps(run.folder / EVENTS)
            shown = [(step.step, value) for step in steps if (value := getattr(step, metric)) is not None]
            series.append(
                Series(
                    scale=run.settings.scale,
                    seed=run.settings.seed,
                    steps=[step for step, _ in shown],
                    values=[value for _, value in shown],
                    died_at=judge(steps).died_at if steps else None,
                    other=changes[run.id],
                )
            )
        return curves([one for one in series if len(one.steps)], metric=metric)

    def map(self, x: str = "width", y: str = "scale") -> go.Figure:
        """Share of failures over two settings, which must be all that differs but the seed."""
        from inception_lab.figures.outcome_map import cells, outcome_map

        return outcome_map(cells(self.arms(), x=x, y=y), x=x, y=y)[0]

    def verdict(self) -> Verdict:
        """Whether these runs support the paper's claim on scaling, and what they shrank against the paper.

        Raises `RunError` if they differ in more than scale and seed: then there are `verdicts`.
        """
        return sweeps.verdict(self.runs)

    def verdicts(self) -> tuple[Verdict, ...]:
        """A verdict for each group of runs that differ in nothing but scale and seed."""
        return sweeps.verdicts(self.runs)

    def export(self, path: Path | str, *, format: Format | None = None) -> Path:
        """Write every step of every run to a .csv, .parquet or .jsonl file, or a folder for TensorBoard; returns it."""
        from inception_lab.jobs.export import export

        return export(self.runs, path, format=format).files[0]

    def _repr_html_(self) -> str:
        return f"{''.join(map(_verdict_html, self.verdicts()))}{self.table().to_html(index=False)}"

    def _ipython_display_(self) -> None:
        show = import_module("IPython.display")  # there exactly when a notebook is
        show.display(show.HTML(self._repr_html_()))
        figure = self.plot()
        if figure.data:
            show.display(figure)


def _verdict_html(said: Verdict) -> str:
    where = f"{escape(described(said.group))}. " if said.group else ""
    differs = "".join(f"<li>{escape(line)}</li>" for line in said.shrunk)
    words = f"<p>{where}<b>{escape(said.word)}</b>: {escape(said.sentence)} n = {said.n}, seeds {list(said.seeds)}.</p>"
    return f"{words}<details><summary>What differs from the paper</summary><ul>{differs}</ul></details>"


def watch(store: Store, ids: Sequence[str], *, poll: float = POLL) -> Iterator[list[Watched]]:
    """The runs with their steps so far, every `poll` seconds until none is queued or running, and once more then."""
    follower = Follower(most=max(len(ids), 1))
    while True:
        runs = [store.run(id) for id in ids]
        yield [(run, follower.steps(run.folder)) for run in runs]
        if not any(run.active for run in runs):
            return
        ensure_running(store.home)  # a supervisor that was killed would leave the queue standing
        time.sleep(poll)


def cancel(store: Store, ids: Sequence[str]) -> None:
    """Cancel the runs that have not ended and wait, up to ten seconds, until they have."""
    for id in ids:
        store.cancel(id)
    until = time.monotonic() + GRACE
    while time.monotonic() < until and any(store.run(id).active for id in ids):
        time.sleep(0.05)


def headline(state: Sequence[Watched]) -> str:
    """How far runs have come, in one line: the newest numbers of a single run, or a count of many."""
    if len(state) == 1:
        [(run, steps)] = state
        if not steps:
            return f"{run.status}: scale {run.settings.scale:g}, seed {run.settings.seed}"
        if run.active and len(steps) == run.settings.steps:
            return "all steps made, measuring the test accuracy"
        last = steps[-1]
        zeros = "" if last.zero_share is None else f", zeros {last.zero_share:.3f}"
        done = f"step {last.step + 1}/{run.settings.steps}"
        return f"{done}: loss {last.loss:.3f}, accuracy {last.accuracy:.2f}{zeros}"
    words = Counter(run.status for run, _ in state)
    outcomes = Counter(str(run.result["outcome"]) for run, _ in state if run.result and run.result.get("outcome"))
    counts = ", ".join(f"{count} {word}" for word, count in words.items())
    said = ", ".join(f"{word} {count}" for word, count in outcomes.items())
    return f"{share(state):.0%} of {len(state)} runs: {counts}" + (f" ({said})" if said else "")


def share(state: Sequence[Watched]) -> float:
    """How far runs have come, from 0 to 1."""
    done = sum(run.settings.steps if not run.active else len(steps) for run, steps in state)
    return done / sum(run.settings.steps for run, _ in state)


@final
class Progress:
    """One line that follows the runs: in a notebook's cell, over itself on a terminal, else on stderr at each tenth."""

    def __init__(self) -> None:
        self._line = ""
        self._said = (-1, False)
        self._terminal = sys.stderr.isatty()
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        self._cell: Any = None
        if hasattr(shell, "kernel"):
            # Not imported by name: IPython is there exactly when a notebook is, and nothing else of the lab needs it.
            self._cell = import_module("IPython.display").display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, state: Sequence[Watched]) -> None:
        """Say how far the runs have come, unless that was just said."""
        line = headline(state)
        come = (int(10 * share(state)), any(steps for _, steps in state))
        if line == self._line:
            return
        if self._cell is not None:
            self._cell.update({"text/plain": line}, raw=True)
        elif self._terminal:
            sys.stderr.write(f"\r{line:<{len(self._line)}}")
        elif come > self._said or not any(run.active for run, _ in state):
            sys.stderr.write(f"{line}\n")
            self._said = come
        sys.stderr.flush()
        self._line = line

    def close(self) -> None:
        """End the line."""
        if self._terminal and self._cell is None:
            sys.stderr.write("\n")


def chosen(preset: str, settings: Mapping[str, Any]) -> Settings:
    """The preset with what was given; None means what the preset has."""
    return presets.preset(preset, **{name: value for name, value in settings.items() if value is not None})
