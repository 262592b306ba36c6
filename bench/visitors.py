"""People on a page as the server sees them: a websocket each, without a browser that would share this machine's cores.

A visitor says what a browser says (Streamlit's own messages) and reads its answers up to "the script has finished".
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"  # the widget that carries the events of a component of ours
LARGEST = 1 << 26  # bytes of one message


class Visitor:
    """One open page. `components` are the ids of its components by key, `bytes` what the last answer weighed."""

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        self._socket, self._page, self._query, self._script = socket, page, query, ""
        self.components: dict[str, str] = {}
        self.bytes = 0

    @classmethod
    async def open(cls, url: str, page: str, query: str) -> Self:
        """A visitor who has seen the page once."""
        address = url.replace("http", "ws", 1) + "/_stcore/stream"
        visitor = cls(await connect(address, max_size=LARGEST, subprotocols=["streamlit"]), page, query)  # type: ignore[list-item]
        await visitor._ask(BackMsg())
        return visitor

    async def click(self, component: str, event: str, value: str) -> float:
        """Seconds from an event of a component until the page that follows from it has arrived whole."""
        asked = BackMsg()
        widget = asked.rerun_script.widget_states.widgets.add()
        widget.id = EVENTS.format(self.components[component])
        widget.json_trigger_value = json.dumps([{"event": event, "value": value}])
        return await self._ask(asked)

    async def close(self) -> None:
        """Leave."""
        await self._socket.close()

    async def _ask(self, asked: BackMsg) -> float:
        run = asked.rerun_script
        run.query_string, run.page_script_hash = self._query, self._script
        if not self._script:
            run.page_name = self._page
        began = time.perf_counter()
        await self._socket.send(asked.SerializeToString())
        self.bytes = 0
        while True:
            raw = await self._socket.recv()
            self.bytes += len(raw)
            said = ForwardMsg.FromString(raw)  # type: ignore[arg-type]
            kind = said.WhichOneof("type")
            if kind == "script_finished":
                return time.perf_counter() - began
            self._read(said, str(kind))

    def _read(self, said: Any, kind: str) -> None:
        if kind == "navigation":
            self._script = said.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = said.page_info_changed.query_string
        elif kind == "delta" and said.delta.WhichOneof("type") == "new_element":
            element = said.delta.new_element
            if element.WhichOneof("type") == "exception":
                raise RuntimeError(f"the page failed: {element.exception.message}")
            if element.WhichOneof("type") == "bidi_component":
                self.components[element.bidi_component.id.rsplit("-", 1)[-1]] = element.bidi_component.id


async def crowd(url: str, page: str, query: str, people: int) -> list[Visitor]:
    """So many visitors of one page, come one after another."""
    return [await Visitor.open(url, page, query) for _ in range(people)]


async def together(
    visitors: Sequence[Visitor], act: Callable[[Visitor], Awaitable[float]], *, spread: float
) -> list[float]:
    """What `act` answers for each, all begun within `spread` seconds."""

    async def later(place: int, visitor: Visitor) -> float:
        await asyncio.sleep(spread * place / len(visitors))
        return await act(visitor)

    return list(await asyncio.gather(*(later(place, visitor) for place, visitor in enumerate(visitors))))
