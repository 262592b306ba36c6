"""The autopsy of a run: one HTML file that says what it died of, with the numbers, the settings and the code to see it
happen again. It opens anywhere and fetches nothing.

`write` is called when a run ends. What deserves an autopsy: death, NaN, divergence, and a stall with more than 99 % of
zeros before the pooling. Words are those of `outcomes`; what is not a number is printed as such.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from inception_lab.readers.page import document
from inception_lab.training import files, sketches
from inception_lab.training.deviations import deviations
from inception_lab.training.events import Step
from inception_lab.training.outcomes import DEFINITIONS, SILENT_ZEROS, Judgement, silences
from inception_lab.training.recipe import command, python
from inception_lab.training.settings import told
from inception_lab.training.story import story
from inception_lab.training.subject import Subject

BEFORE, AFTER, LAST = 40, 10, 50
LONG = 300  # characters of a setting that are shown; the code has all of them

_STYLE = """
:root { --soft: #5b6776; --line: #d5dae1; --code: #f2f4f7; }
@media (prefers-color-scheme: dark) { :root { --soft: #a6b0bd; --line: #343b47; --code: #1a1f29; } }
table { font-variant-numeric: tabular-nums; } td, th { border-bottom: 1px solid var(--line); }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 46rem; } figcaption, .soft { color: var(--soft); }
figure { margin: 1rem 0; overflow-x: auto; } pre { background: var(--code); padding: 0.8rem; overflow-x: auto; }
tr.death { font-weight: 700; } tr.death td:first-child::before { content: "✕ "; } td { overflow-wrap: anywhere; }
"""


def deserves(judgement: Judgement) -> bool:
    """Whether a run with this end gets an autopsy."""
    if judgement.outcome == "stalls":
        return (judgement.zero_share or 0) > SILENT_ZEROS
    return judgement.outcome in ("dies", "nan", "diverges")


def write(folder: Path) -> Path | None:
    """Write `autopsy.html` into a run's folder; returns the file, or None if the run is too well for one.

    Raises `SettingsError` or `OSError` for a folder that holds no run.
    """
    folder = Path(folder)
    subject = Subject.of_folder(folder)
    if subject is None or not deserves(subject.judgement):
        return None
    file = folder / files.AUTOPSY
    files.replace(file, page(subject).encode())
    return file


def page(subject: Subject) -> str:
    """The autopsy as a page."""
    said = subject.judgement
    title = f"Autopsy: {said.outcome} — scale {subject.settings.scale:g}, seed {subject.settings.seed}"
    body = (_findings, _blocks, _curves, _steps, _code, _settings)
    return document(title, "\n".join(part(subject) for part in body), style=_STYLE)


def _findings(subject: Subject) -> str:
    said, at = subject.judgement, subject.steps[subject.place]
    rows = [
        ("run", subject.name),
        ("outcome", f"{said.outcome}: {DEFINITIONS[said.outcome]}"),
        ("step of death", "it did not die" if said.died_at is None else said.died_at),
        ("at step", f"{at.step}: loss {at.loss:.4g}, zeros before the pooling {_number(at.zero_share)}"),
        ("first silent block", _first(subject)),
        (f"last {said.window} steps", f"loss {said.loss:.4g}, accuracy {said.accuracy:.3f}, "
         f"zeros {_number(said.zero_share)}"),
        ("made", subject.made),
    ]  # fmt: skip
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<p>{escape(story(subject.steps, subject.addresses, classes=subject.classes))}</p>\n<table>{cells}</table>"


def _first(subject: Subject) -> str:
    for place, step in silences(subject.steps).items():
        return f"{subject.addresses[place]}, at step {step}, with {SILENT_ZEROS:.0%} zeros or more"
    return f"none reached {SILENT_ZEROS:.0%} zeros" if any(s.zeros for s in subject.steps) else "no block was measured"


def _blocks(subject: Subject) -> str:
    measured = [step for step in subject.steps if step.zeros]
    if not measured:
        return ""
    names = [address.split("/", 1)[-1] for address in subject.addresses]
    numbers = [step.step for step in measured]
    drawn = sketches.blocks(names, numbers, [step.zeros for step in measured], mark=subject.steps[subject.place].step)
    silent, last = silences(subject.steps), measured[-1]
    rows = [(address, silent.get(place, "never"), _number(share))
            for place, (address, share) in enumerate(zip(subject.addresses, last.zeros, strict=True))]  # fmt: skip
    head = ("block", f"first step with {SILENT_ZEROS:.0%} zeros", f"zeros at step {last.step}")
    per = math.ceil(len(numbers) / sketches.COLUMNS)
    note = f" Up to {per} steps a column, drawn with the largest value." if per > 1 else ""
    return (
        "<h2>Zeros after each block</h2>\n<figure>"
        f"{drawn}<figcaption>Share of zeros after each block's ReLU: dark none, bright all.{note}</figcaption>"
        f"</figure>\n<details><summary>As a table</summary>{_table(head, rows)}</details>"
    )


def _curves(subject: Subject) -> str:
    mark = subject.steps[subject.place].step
    parts = []
    for title, name, log in (("Loss", "loss", True), ("Zeros before the pooling", "zero_share", False)):
        seen = [step for step in subject.steps if getattr(step, name) is not None]
        values = [getattr(step, name) for step in seen]
        drawn = sketches.line([step.step for step in seen], values, log=log, mark=mark)
        axis = "logarithmic axis" if log else "from 0 to 1"
        parts.append(f"<figure>{drawn}<figcaption>{title}, {axis}. ▲: not a number.</figcaption></figure>")
    return "<h2>Loss and zeros</h2>\n" + "\n".join(parts)


def _steps(subject: Subject) -> str:
    place, count = subject.place, len(subject.steps)
    around, last = range(max(0, place - BEFORE + 1), min(count, place + AFTER + 1)), range(max(0, count - LAST), count)
    head = ["step", "loss", "accuracy", "rate", "gradient norm", "zeros", "silent blocks"]
    said = []
    for title, chosen in (("Around it", around), (f"The last {len(last)} steps", last)):
        rows = [_row(subject.steps[n]) for n in chosen]
        said.append(f"<h2>{title}</h2>\n{_table(head, rows, bold=chosen.index(place) if place in chosen else None)}")
    return "\n".join(said)


def _row(step: Step) -> list[object]:
    silent = f"{sum(share >= SILENT_ZEROS for share in step.zeros)} of {len(step.zeros)}" if step.zeros else "–"
    numbers: list[object] = [step.step, *map(_number, (step.loss, step.accuracy, step.rate, step.gradient_norm))]
    numbers += [_number(step.zero_share), silent]
    return numbers


def _code(subject: Subject) -> str:
    line = command(subject.begun, changes=subject.changes)
    script = python(subject.begun, changes=subject.changes, fork=subject.settings.fork)
    other = f"<p>Or on the command line:</p>\n<pre><code>{escape(line)}</code></pre>" if line else ""
    return (
        "<h2>See it again</h2>\n"
        f'<pre><code class="python">{escape(script)}</code></pre>\n{other}\n'
        '<p class="soft">The same machine, versions and number of threads give the same numbers; others give the same '
        "kind of end, not the same digits.</p>"
    )


def _settings(subject: Subject) -> str:
    rows = [(name, _shown(value)) for name, value in subject.settings.to_dict().items()]
    shrunk = "".join(f"<li>{escape(line)}</li>" for line in deviations(subject.settings))
    changed = [(step, ", ".join(f"{key} {value}" for key, value in new.items())) for step, new in subject.changes]
    changes = f"<h2>Changed while it ran</h2>\n{_table(('from step', 'settings'), changed)}\n" if changed else ""
    return (
        f"{changes}<h2>What was shrunk or exaggerated against the paper</h2>\n<ul>{shrunk}</ul>\n"
        f"<h2>Settings</h2>\n{_table(('setting', 'value'), rows)}"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], *, bold: int | None = None) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(f"<td>{escape(str(cell))}</td>" for cell in row)
        opening = '<tr class="death">' if number == bold else "<tr>"
        lines.append(f"{opening}{cells}</tr>")
    return f'<div class="wide"><table><tr>{heads}</tr>{"".join(lines)}</table></div>'


def _number(value: float | None) -> str:
    """Seven digits, as many as the run wrote down; an unmeasured value is a dash."""
    return "–" if value is None else f"{value:.7g}"


def _shown(value: object) -> str:
    text = "–" if value is None else told(tuple(value) if isinstance(value, list) else value)
    return text if len(text) <= LONG else f"{text[:LONG]} … ({len(text):,} characters)"
