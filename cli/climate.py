"""The physics of the simulated rooms, small and seeded: people come and go, breathe and warm, walls and air follow slowly. Pure."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cli.building import WINDOWS, Room

HEIGHT = 2.8
OUTSIDE_CO2 = 420.0
BREATH = 18_700.0  # ppm·m³ of CO₂ a person gives in an hour
MOISTURE = 32.0  # g of water a person gives in an hour to the air; walls and furniture take up the rest
WALLS = 45.0  # hours in which the walls let through most of a difference
STEP = 60.0


@dataclass(frozen=True)
class Outside:
    """°C, relative humidity 0 to 1, sun 0 to 1."""

    temperature: float
    humidity: float
    sun: float


def outside(when: datetime) -> Outside:
    """Coldest at five and in January, warmest at three in the afternoon and in July."""
    hour = when.hour + when.minute / 60 + when.second / 3600
    season = -math.cos(2 * math.pi * (when.timetuple().tm_yday - 15) / 365)
    daily = -math.cos(2 * math.pi * (hour - 4) / 24)
    half_day = 6 + 2.2 * season
    up = math.cos(math.pi / 2 * (hour - 12.5) / half_day) if abs(hour - 12.5) < half_day else 0.0
    return Outside(9.5 + 9 * season + 3.5 * daily, 0.74 - 0.12 * daily, up * (0.65 + 0.35 * season))


def presence(when: datetime) -> float:
    """Which share of its people a room holds on average."""
    if when.weekday() > 4:
        return 0.02
    hour = when.hour + when.minute / 60
    points = [(0, 0.0), (6.5, 0.0), (9, 0.7), (11.75, 0.75), (12.5, 0.3), (13.5, 0.7), (16, 0.65), (18, 0.12), (20, 0.02), (24, 0.0)]
    for (left, low), (right, high) in zip(points, points[1:], strict=False):
        if left <= hour <= right:
            return low + (high - low) * (hour - left) / (right - left)
    return 0.0


@dataclass
class Climate:
    """A room's state; `step` moves it on. The same seed gives the same values."""

    room: Room
    when: datetime
    seed: int = 1
    temperature: float = 20.0
    co2: float = 450.0
    water: float = 7.5  # g in a m³ of air
    people: int = 0
    _stay: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed} {self.room.place}")

    def advance(self, until: datetime) -> None:
        while self.when < until:
            seconds = min(STEP, (until - self.when).total_seconds())
            self.when += timedelta(seconds=seconds)
            self._step(seconds / 3600)

    def values(self) -> dict[str, float | bool]:
        """What the room's sensors show now, with their noise and their digits."""
        shown: dict[str, float | bool] = {
            "temperature": round(self.temperature + self._random.gauss(0, 0.03), 2),
            "humidity": round(min(99.0, max(5.0, 100 * self.water / saturation(self.temperature) + self._random.gauss(0, 0.15))), 1),
            "co2": round(max(OUTSIDE_CO2 - 20, self.co2 + self._random.gauss(0, 4))),
            "light": round(max(0.0, self._light() * (1 + self._random.gauss(0, 0.01)))),
            "occupancy": self.people > 0,
            "power": round(self.room.heat * (1 + self._random.gauss(0, 0.02)) + 60 * self.people + (120 if self.people else 8)),
        }
        return {kind: shown[kind] for kind in self.room.sensors}

    def _step(self, hours: float) -> None:
        self._come_and_go(hours)
        volume, air = self.room.area * HEIGHT, outside(self.when)
        changes = 1.6 if self.people else 0.35  # of the room's air in an hour
        self.co2 += hours * (self.people * BREATH / volume - changes * (self.co2 - OUTSIDE_CO2))
        outside_water = air.humidity * saturation(air.temperature)
        self.water += hours * (self.people * MOISTURE / volume - 0.4 * changes * (self.water - outside_water - 2.5))
        working = self.when.weekday() < 5 and 6 <= self.when.hour < 18
        missing = (21.3 if working else 18.5) - self.temperature
        heating = min(2.0, 3 * missing) if missing > 0 else 0.0
        cooling = min(3.0, 2 * (self.temperature - 24.5)) if self.temperature > 24.5 and (working or self.room.heat) else 0.0
        gains = (self.people * 80 + self.room.heat) / (self.room.area * 45) + 1.1 * self._sun(air)
        self.temperature += hours * (gains + heating - cooling - (self.temperature - air.temperature) / WALLS)

    def _come_and_go(self, hours: float) -> None:
        """Each stay lasts some minutes; then as many are there as the hour makes likely."""
        self._stay -= hours
        if self._stay > 0:
            return
        self._stay = self._random.uniform(6, 25) / 60
        share = presence(self.when)
        self.people = sum(self._random.random() < share for _ in range(self.room.people))

    def _sun(self, air: Outside) -> float:
        """0 to 1, most when the sun stands right in the window."""
        best = WINDOWS[self.room.window]
        hour = self.when.hour + self.when.minute / 60
        straight = 0.0 if best is None else max(0.0, math.cos(math.pi / 2 * min(1.0, abs(hour - best) / 5)))
        return air.sun * (0.15 + 0.85 * straight) if self.room.window != "none" else 0.0

    def _light(self) -> float:
        daylight = 700 * self._sun(outside(self.when))
        return daylight + (380 if self.people and daylight < 450 else 0) + (3 if self.room.window == "none" else 0)


def saturation(celsius: float) -> float:
    """g of water that a m³ of air can hold (Magnus)."""
    return 216.7 * 6.112 * math.exp(17.62 * celsius / (243.12 + celsius)) / (273.15 + celsius)
