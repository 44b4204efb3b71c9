"""POST /readings: the whole way of a request, from its bytes to the answer that says what was kept."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from backbone.clock import Clock
from backbone.http_problems import problem
from backbone.live import Call
from backbone.logs import get_log
from contracts.errors import Problem, Refused, TooLarge
from sensor_manager.intake.check import Verdict, check
from sensor_manager.intake.delivery import Delivery
from sensor_manager.intake.parse import MOST_BYTES, inflated, parse
from sensor_manager.reading import as_json, micros
from sensor_manager.registry import Registry

log = get_log()


class Intake:
    def __init__(self, registry: Registry, delivery: Delivery, clock: Clock) -> None:
        self.registry, self.delivery, self.clock = registry, delivery, clock

    async def readings(self, call: Call) -> Response:
        """Readings of the device whose token this is: one, an array, or SenML JSON; gzip may be used.

        200 with a result per record when at least one was taken, and only after all taken are safe; 422 where none was,
        403 where all were for sensors of others.
        """
        device = self.registry.known(call.claims.subject)
        device = device or await call.stored(self.registry.find, call.claims.subject)
        if device is None:
            raise Refused("The device of this token was removed.")
        body = inflated(await _body(call.request), call.request.headers.get("content-encoding", "").lower())
        now = micros(self.clock.now())
        verdicts = check(parse(body, now), device, self.registry.kind, now)
        if any(v.foreign for v in verdicts):  # a sensor that was just added to the device is not here yet
            device = await call.stored(self.registry.find, device.id) or device
            verdicts = check(parse(body, now), device, self.registry.kind, now)
        taken = [v.reading for v in verdicts if v.reading is not None]
        if not taken:
            return _refused(verdicts)
        await self.delivery.send(device.id, taken)
        return Response(as_json(_answer(verdicts, len(taken))), media_type="application/json")


async def _body(request: Request) -> bytes:
    """Not more than MOST_BYTES of it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge(f"More than {MOST_BYTES >> 20} MiB; send fewer readings at once.")
    return bytes(body)


def _answer(verdicts: list[Verdict], taken: int) -> dict[str, Any]:
    results = [
        {"sensor_id": v.sensor, "accepted": True} if v.reading is not None
        else {"sensor_id": v.sensor, "accepted": False, "reason": v.reason}
        for v in verdicts
    ]
    return {"results": results, "accepted": taken, "refused": len(verdicts) - taken}


def _refused(verdicts: list[Verdict]) -> Response:
    errors = [Problem(path=f"{n}.{v.sensor}", rule=v.reason) for n, v in enumerate(verdicts[:100])]
    status = 403 if all(v.foreign for v in verdicts) else 422
    detail = verdicts[0].reason if len(verdicts) == 1 else f"None of the {len(verdicts)} readings was taken."
    code, headers, body = problem(status, detail, errors)
    return Response(body, code, headers)
