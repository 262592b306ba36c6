"""Work of one shape that is made again and again: on a GPU it is recorded once and then replayed, kernel after kernel,
without Python between them (a CUDA graph). On a CPU it is simply called."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import torch

EAGER = 2
"""Calls that are made as they are before the recording: the first choose kernels and allocate what stays."""


@final
class Captured:
    """`work` takes and gives nothing: what it reads and writes are tensors that stay where they are, and it never asks
    the device for a number. Numbers of Python in it are those of the call that was recorded."""

    def __init__(self, work: Callable[[], None], device: torch.device) -> None:
        self._work = work
        self._device = device
        self._made = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        """Make the work once."""
        if self._device.type != "cuda":
            self._work()
        elif self._graph is not None:
            self._graph.replay()
        elif self._made < EAGER:
            self._aside()
        else:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):  # records and does not compute
                self._work()
            self._graph.replay()
        self._made += 1

    def _aside(self) -> None:
        # On a stream of its own, as a recording is: then what is allocated fits it.
        stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        now = torch.cuda.current_stream(self._device)
        stream.wait_stream(now)
        with torch.cuda.stream(stream):
            self._work()
        now.wait_stream(stream)
