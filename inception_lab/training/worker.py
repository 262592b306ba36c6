"""A run as a process and a folder, which holds:

    settings.json           in: the `Settings`
    origin.json past.jsonl  in: what a fork shares with its parent, see `replay`
    cancel                  in: as soon as this file exists the run stops at its next step; so it does on SIGTERM
    control.json            in: pauses and changes in mid-run, see `control`
    events.jsonl            out: start, one line a step, end; flushed at each line, so a killed run stays readable
    result.json             out: outcome, means of the last steps, test accuracy, settings; written whole or not at all
    autopsy.html            out: what a run died of
    checkpoint-NNNNNN.pt    out: the state at the start of a step, see `checkpoint`
    model.safetensors       out: the weights that were evaluated, of a finished run

`python -m inception_lab.training FOLDER` calls `work`. torch is loaded inside it, after it can be told to stop.
`work_together` makes several runs in one process, each in its own folder as if it were alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from inception_lab.training.attempt import Attempt
from inception_lab.training.events import Status
from inception_lab.training.stop import Cancelled, Signals

EXIT: dict[Status, int] = {"finished": 0, "failed": 1, "cancelled": 3}
POLL = 0.05  # seconds

log = logging.getLogger(__name__)


def work(folder: Path) -> int:
    """Make the run in `folder` from its beginning; returns 0 finished, 3 cancelled, 1 failed.

    What an earlier try left in the folder is replaced. A failure is written to the events and the result, with its
    traceback in the log; only a folder that cannot be written raises, an `OSError`.
    """
    signals = Signals()
    with signals.listening(), Attempt(Path(folder), signals) as attempt:
        _one_by_one([attempt])
    return _exit(attempt)


def work_together(folders: Sequence[Path]) -> int:
    """Make the runs in `folders` from their beginning, in this process and as one stack (see `stacked`); returns the
    exit status of `work` for the one that fared worst.

    Each folder gets the files that `work` would write, its numbers to rounding. A run that is told to pause or to
    change leaves the stack where it is and goes on by itself, in turns with the others, as a `Training` of its own; a
    cancelled or failed one just ends. Runs that no stack can be made of, or whose stack breaks (out of memory, say),
    are made one after another, from their beginning.
    """
    signals = Signals()
    with signals.listening(), ExitStack() as opened:
        attempts = [opened.enter_context(Attempt(Path(folder), signals)) for folder in folders]
        try:
            _stacked(attempts, signals)
        except Cancelled:  # while torch was loading; each run sees for itself that it shall stop
            log.info("%d runs were told to stop before they began", len(attempts))
        except Exception:
            log.exception("The stack of %d runs broke; they are made one after another", len(attempts))
            for attempt in attempts:
                if attempt.status is None:
                    attempt.again()
        _one_by_one(attempts)
    return max(map(_exit, attempts), default=0)


def _stacked(attempts: Sequence[Attempt], signals: Signals) -> None:
    admitted = [attempt for attempt in attempts if attempt.admit(count=len(attempts)) is not None]
    with signals.at_once():
        from inception_lab.training.company import stacked
        from inception_lab.training.optim import without_compiler

        without_compiler()
    stacked(admitted)


def _one_by_one(attempts: Sequence[Attempt]) -> None:
    """Make the runs in their order, the next when one has ended or waits; all of them listen all the time."""
    while waiting := [attempt for attempt in attempts if attempt.status is None]:
        busy = False
        for attempt in waiting:
            if not attempt.heed() and not busy:
                busy = attempt.advance() or attempt.status is not None
        if not busy:
            time.sleep(POLL)


def _exit(attempt: Attempt) -> int:
    if attempt.unwritten is not None:
        raise attempt.unwritten
    assert attempt.status is not None
    return EXIT[attempt.status]
