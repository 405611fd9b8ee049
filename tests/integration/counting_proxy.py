"""Stands between a program and its Redis, and notes every round trip: which commands were sent in one go."""

import asyncio
import re
import time
from dataclasses import dataclass, field

_COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n")
_HELD_SECONDS = 0.02
"""Answers wait so long: what comes meanwhile did not need them."""


@dataclass
class CountingProxy:
    """round_trips: (when, names of the commands) of each, in order."""

    host: str
    port: int
    round_trips: list[tuple[float, list[str]]] = field(default_factory=list)

    async def start(self) -> int:
        """Listen on a free port of loopback, which is answered."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more; connections end with their program."""
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection(self.host, self.port)
        sent = bytearray()

        async def ask() -> None:
            while chunk := await reader.read(1 << 20):
                sent.extend(chunk)
                to_redis.write(chunk)
                await to_redis.drain()

        async def answer() -> None:
            while chunk := await from_redis.read(1 << 20):
                await asyncio.sleep(_HELD_SECONDS)
                if sent:
                    names = [name.decode().upper() for name in _COMMAND.findall(sent)]
                    self.round_trips.append((time.monotonic(), names))
                    sent.clear()
                writer.write(chunk)
                await writer.drain()

        tasks = [asyncio.create_task(ask()), asyncio.create_task(answer())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            to_redis.close()
            writer.close()
