"""A TCP proxy with which a test cuts, holds up, slows or refuses the connections to a server."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from .processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time: closing sends a reset


class ToxicProxy:
    """A proxy that forwards from the moment it is made until `close`, on a thread of its own.

    Attributes:
        host: Where it listens.
        port: Stays the same for its life, also while it refuses.
        passed: Bytes that went through, both ways.
    """

    def __init__(self, target_host: str, target_port: int, *, host: str = "127.0.0.1") -> None:
        """Listen on a free port of `host` and forward to the target."""
        self._target = (target_host, target_port)
        self.host = host
        self.port = 0
        self.passed = 0
        self._delay = 0.0
        self._cut_at: int | None = None
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="toxic-proxy", daemon=True)
        self._thread.start()
        self.accept()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._pairs)

    def wait_for_connections(self, count: int = 1, timeout: float = 30) -> None:
        """Wait until at least so many connections are open."""
        wait_until(lambda: self.connections >= count, f"{count} connections on port {self.port}", timeout)

    def refuse(self) -> None:
        """Take no new connection: who connects is refused at once. Open ones go on."""
        self._do(self._stop_listening())

    def accept(self) -> None:
        """Take connections again, on the same port."""
        self._do(self._listen())

    def cut(self) -> None:
        """Reset every open connection, at both ends."""
        self._do(self._reset_all())

    def cut_after(self, size: int) -> None:
        """Reset every connection as soon as `size` more bytes went through."""
        self._cut_at = self.passed + size

    def hold(self) -> None:
        """Forward nothing from now on, as a network does that swallows packets; connections stay open."""
        self._do(self._flow(False))

    def release(self) -> None:
        """Forward again, first of all what was held."""
        self._do(self._flow(True))

    def delay(self, seconds: float) -> None:
        """Forward what comes from now on so much later than it came; 0 ends it."""
        self._delay = seconds

    def close(self) -> None:
        """End everything; the port is free afterwards."""
        if self._loop.is_closed():
            return
        self._do(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=_CHUNK)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _flow(self, flowing: bool) -> None:
        (self._flowing.set if flowing else self._flowing.clear)()

    async def _reset_all(self) -> None:
        for pair in list(self._pairs):
            _reset(*pair)
        self._pairs.clear()

    async def _finish(self) -> None:
        await self._stop_listening()
        await self._reset_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._target, limit=_CHUNK)
        except OSError:
            _reset(writer)
            return
        pair = (writer, up_writer)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pass(reader, up_writer), self._pass(up_reader, writer))
        except OSError:
            _reset(*pair)
        finally:
            self._pairs.discard(pair)
            for end in pair:
                end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one direction; what comes while something waits its time is read on, and waits its own."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=1024)

        async def read() -> None:
            while True:
                data = await reader.read(_CHUNK)
                await waiting.put((self._loop.time() + self._delay, data))
                if not data:
                    return

        async def write() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(due - self._loop.time())
                await self._flowing.wait()
                if not data:
                    with suppress(OSError):
                        writer.write_eof()
                    return
                self.passed += len(data)  # before the client can have read them, and looks at this
                writer.write(data)
                await writer.drain()
                if self._cut_at is not None and self.passed >= self._cut_at:
                    self._cut_at = None
                    await self._reset_all()

        await asyncio.gather(read(), write())


def _reset(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        connected = writer.get_extra_info("socket")
        if connected is not None and connected.fileno() >= 0:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
