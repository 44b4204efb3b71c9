"""The rules of the house over parsed sources: who imports whom, who touches what, how long a file may be."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUBSYSTEMS = (
    "app_controller", "deployer", "node_manager", "sensor_manager", "monitor", "logger", "identity", "gateway",
    "platform_ui",
)  # fmt: skip
HOUSE = ("contracts", "backbone", *SUBSYSTEMS)
OUTSIDE = ("sdk", "cli", "bootstrapper", "bench", "tests", "examples")
OURS = {*HOUSE, *OUTSIDE, "berth"}
LONGEST = 250
LONGEST_SUITE = 550
"""Lines of a file; a suite is a list, and is read by its names."""

ARROWS = {
    "contracts": ("contracts",),
    "backbone": ("contracts", "backbone"),
    **{name: ("contracts", "backbone", name) for name in SUBSYSTEMS},
    "sdk": ("berth",),
    "cli": ("contracts", "cli", "bootstrapper"),  # `berth up` is the bootstrapper's work
    "bootstrapper": (
        "contracts", "bootstrapper", "backbone.settings", "backbone.clock",
        "backbone.claims", "backbone.tokens",  # the subsystems' tokens are signed at `up`
    ),
}

LIBRARIES = {
    "docker": ("backbone/containers/engine*.py",),  # one client in four files: it is the longest of all
    "urllib3": ("backbone/containers/engine*.py",),  # docker's own transport
    "confluent_kafka": ("backbone/bus/records*.py",),
    "pymongo": ("backbone/documents/mongo.py",),
    "bson": ("backbone/documents/mongo.py",),
    "psycopg": ("backbone/tables/postgres.py",),
    "psycopg_pool": ("backbone/tables/postgres.py",),
    "azure": ("backbone/blobs/azure.py",),
    "ldap3": ("backbone/directory/ldap.py",),
    "psutil": ("node_manager/figures.py",),
    "jwt": ("backbone/tokens.py",),
    "cryptography": ("backbone/tokens.py",),
    "structlog": ("backbone/logs.py",),
    "httpx": ("backbone/peers.py",),
    "uvicorn": ("backbone/server.py",),
    "uvloop": ("backbone/server.py",),
    "yaml": ("contracts/manifest_yaml*.py",),  # reading, and how its words are marked with their lines
    "msgspec": ("sensor_manager/*",),  # the readings path
    "pydantic": ("*",),
    "pydantic_core": ("*",),
    "flask": ("backbone/*", "platform_ui/*", "*/api*.py"),  # routes are written in these four, decisions never are
    "flask_openapi": ("backbone/*", "platform_ui/*", "*/api*.py"),
    "werkzeug": ("backbone/*", "platform_ui/*", "*/api*.py"),
    "starlette": ("*",),
    "jinja2": ("platform_ui/*",),
    "markupsafe": ("platform_ui/*",),
}

MODELS = (
    "*/model.py", "*/model_*.py",
    "deployer/rollout.py", "gateway/front_door.py", "sensor_manager/kinds.py", "sensor_manager/places.py",
)  # fmt: skip
"""Pure, and nothing but these is imported by them."""

DECIDING = (*MODELS, "*/store.py", "*/store_*.py")
WEB = {"flask", "flask_openapi", "werkzeug", "starlette"}

PURE = {
    "__future__", "abc", "base64", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "difflib", "enum",
    "fnmatch", "fractions", "functools", "hashlib", "heapq", "html", "ipaddress", "itertools", "json", "math", "operator",
    "re", "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata", "urllib.parse", "zoneinfo",
    "pydantic", "contracts",
}  # fmt: skip

CLOCK = "backbone/clock.py"
CHANCE = {"time", "uuid", "random", "secrets"}
MOMENTS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "os.urandom", "asyncio.sleep"}

LET = {
    "backbone/tokens.py: secrets": "a refresh token must not be guessable, also where a test is the clock",
    "sensor_manager/intake/delivery.py: asyncio.sleep": "the clock's own sleep would stop every other request",
    "contracts/manifest_schema.py: print": "a command that shows the schema",
    "bootstrapper/demo.py: cli": "the demo's devices are the command line's: the building and this machine",
    "platform_ui/vendor.py: print": "a command that the image's build runs",
}
"""`file: what` -> why the rule does not hold there."""


@dataclass(frozen=True)
class Source:
    """`path` is from the root, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        return self.path.split("/")[0]

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name, also of those inside functions; what is imported from a module is its last part."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = self.path.split("/")[: -node.level] if node.level else []
                module = ".".join([*above, *([node.module] if node.module else [])])
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)

    def names(self) -> Iterator[tuple[int, str]]:
        """Line and every name with its owner, as written: `os.environ`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                owner = node.value
                last = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
                yield node.lineno, f"{last}.{node.attr}"
            elif isinstance(node, ast.Name):
                yield node.lineno, node.id


Problems = Iterator[tuple[int, str]]
"""Line, and what is wrong beginning with the one word that LET names it by."""


def arrows(source: Source) -> Problems:
    """contracts <- backbone <- subsystems; what stands outside uses the HTTP API."""
    allowed = ARROWS.get(source.package)
    for line, name in source.imports():
        if allowed and name.split(".")[0] in OURS and not any(f"{name}.".startswith(f"{one}.") for one in allowed):
            yield line, f"{name.split('.')[0]} is not for {source.package}: {name}"


def one_file_for_a_library(source: Source) -> Problems:
    """Each outside library is imported where the table says, and a new one is put into the table first."""
    if source.package not in HOUSE:
        return
    for line, name in source.imports():
        root = name.split(".")[0]
        if root in sys.stdlib_module_names or root in OURS:
            continue
        if not any(fnmatch(source.path, place) for place in LIBRARIES.get(root, ())):
            yield line, f"{root} is imported by {', '.join(LIBRARIES.get(root, ('nobody',)))}"


def decisions_know_no_web(source: Source) -> Problems:
    if any(fnmatch(source.path, place) for place in DECIDING):
        yield from ((line, f"{name} is for routes") for line, name in source.imports() if name.split(".")[0] in WEB)


def one_reader_of_the_environment(source: Source) -> Problems:
    if source.package in HOUSE and source.path != "backbone/settings.py":
        found = [*source.names(), *source.imports()]
        yield from ((line, f"{name} is read by settings.py") for line, name in found if re.search(r"os\.(environ|getenv)", name))


def one_clock(source: Source) -> Problems:
    """Only the clock reads time, makes ids and waits."""
    if source.package not in HOUSE or source.path == CLOCK:
        return
    for line, name in source.imports():
        if name.split(".")[0] in CHANCE or name in MOMENTS:
            yield line, f"{name.split('.')[0]} is for clock.py"
    yield from ((line, f"{name} is for clock.py") for line, name in source.names() if name in MOMENTS)


def models_are_pure(source: Source) -> Problems:
    """No I/O, no clock, no randomness, no logging: contracts, values, and their own pure neighbours."""
    if source.package not in SUBSYSTEMS or not any(fnmatch(source.path, place) for place in MODELS):
        return
    for line, name in source.imports():
        near = "/".join(name.split(".")[:2]) + ".py"
        if not any(fnmatch(near, place) for place in MODELS) and not any(f"{name}.".startswith(f"{one}.") for one in PURE):
            yield line, f"{name} is not pure"


def a_subsystem_says_what_it_is(source: Source) -> Problems:
    """Its __init__ is prose: Owns, Hears, Says, Serves."""
    if source.package in SUBSYSTEMS and source.path == f"{source.package}/__init__.py":
        prose = ast.get_docstring(source.tree) or ""
        yield from ((1, f"{word}: is missing") for word in ("Owns", "Hears", "Says", "Serves") if f"\n{word}:" not in prose)
        yield from ((node.lineno, "code stands in it") for node in source.tree.body[1:])


def files_are_short(source: Source) -> Problems:
    lines, most = source.text.count("\n"), LONGEST_SUITE if source.package == "tests" else LONGEST
    if lines > most:
        yield most, f"{lines} lines are too many"


def files_say_why_they_exist(source: Source) -> Problems:
    if source.text.strip() and source.package not in ("examples",) and not ast.get_docstring(source.tree):
        yield 1, "docstring is missing"


def nobody_prints(source: Source) -> Problems:
    """Facts go to the log; only what a person runs in a terminal prints."""
    if source.package in (*HOUSE, "sdk"):
        yield from ((line, "print is for the terminal") for line, name in source.names() if name == "print")


def nothing_is_mocked(source: Source) -> Problems:
    """Twins, never mocks."""
    for line, name in source.imports():
        if name.startswith("unittest.mock") or name.split(".")[0] in ("mock", "pytest_mock"):
            yield line, f"{name} is a mock"


Rule = Callable[[Source], Problems]
RULES: tuple[Rule, ...] = (
    arrows, one_file_for_a_library, decisions_know_no_web, one_reader_of_the_environment, one_clock, models_are_pure,
    a_subsystem_says_what_it_is, files_are_short, files_say_why_they_exist, nobody_prints, nothing_is_mocked,
)  # fmt: skip


@cache
def sources() -> list[Source]:
    """All of ours; what `berth init` gives to people is theirs."""
    paths = [path for top in (*HOUSE, *OUTSIDE) for path in sorted((ROOT / top).rglob("*.py"))]
    found = [Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]
    return [source for source in found if not source.path.startswith("cli/template/")]


def let(source: Source, problem: str) -> str:
    """The entry of LET that allows it, or nothing."""
    return next((entry for entry in LET if entry == f"{source.path}: {problem.split()[0]}"), "")
