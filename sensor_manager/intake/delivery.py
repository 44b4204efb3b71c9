"""Waits for Kafka's word on what was sent: one poller for all requests of an event loop, none while nothing is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from backbone.bus.raw import Records
from backbone.live import Live
from contracts.errors import Unavailable
from contracts.topics import READINGS
from sensor_manager.reading import Reading, packed

SECONDS = 10.0
IN_ONE_RECORD = 500


class Delivery:
    def __init__(self, records: Records, live: Live) -> None:
        self._records, self._live = records, live
        self._under_way = 0
        self._poller: asyncio.Task[None] | None = None

    async def send(self, device: str, readings: Sequence[Reading]) -> None:
        """Returns when all replicas in step have them. Unavailable: that is not known; the device sends them again."""
        parts = [readings[n : n + IN_ONE_RECORD] for n in range(0, len(readings), IN_ONE_RECORD)]
        done = [self._sent(device.encode(), packed(part)) for part in parts]
        try:
            await asyncio.wait_for(asyncio.gather(*done), SECONDS)
        except TimeoutError:
            raise Unavailable(f"Kafka did not acknowledge within {SECONDS:g} s; send the readings again.") from None

    def _sent(self, key: bytes, value: bytes) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def settle(error: Exception | None) -> None:
            self._under_way -= 1
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        def done(error: Exception | None) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                loop.call_soon_threadsafe(settle, error)

        if self._poller is None or self._poller.done() or self._poller.get_loop() is not loop:
            self._under_way = 0
            self._poller = loop.create_task(self._poll())
        self._records.send(READINGS, key, value, done)
        self._under_way += 1
        return future

    async def _poll(self) -> None:
        while self._under_way > 0:
            if not await self._live.stored(self._records.poll, 0.05):
                await asyncio.sleep(0.001)
