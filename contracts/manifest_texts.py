"""The texts of a manifest: names, versions, paths, commands, hosts and calls, each with its rule."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Annotated, Any

from contracts.manifest_values import Checked, Text, wrong
from contracts.manifest_yaml_words import quoted

SHELL = {"&&", "||", "|", ";", ">", ">>", "<", "&", "2>&1"}
LEVEL = r"(\*\*|\*|[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)"
WHERE = f"{LEVEL}(/{LEVEL}){{0,7}}"
STEP_VALUE = r"\$[a-z][a-z0-9_-]*(\.[A-Za-z0-9_-]+)*"


def mend_name(text: str) -> str:
    return re.sub(r"-{2,}", "-", re.sub(r"[\s_./]+", "-", text.strip().lower())).strip("-")


def mend_where(text: str) -> str:
    levels = re.split(r"[/\\]+", text.strip().lower())
    return "/".join(re.sub(r"[\s_.]+", "-", level).strip("-") for level in levels if level)


def mend_host(text: str) -> str:
    return re.sub(r"^[a-z]+://", "", text.strip().lower()).split("/")[0].split(":")[0]


def mend_call(text: str) -> str:
    verb, _, rest = text.strip().partition(" ")
    if text.startswith("/"):
        return f"POST {text}"
    return f"{verb.upper()} /{rest.strip().lstrip('/')}" if rest else text


_NAME = "written small with a to z, 0 to 9 and -, from a letter on"
NAME_RULE = Text(f"A name is {_NAME}", r"[a-z]([a-z0-9-]*[a-z0-9])?", 40, mend_name)
Name = Annotated[str, NAME_RULE]
Label = Annotated[
    str,
    Text("A name is written small with a to z, 0 to 9, - and _, from a letter on", r"[a-z][a-z0-9_-]*", 40, mend_name),
]
Tag = Annotated[
    str, Text("A tag is written small with a to z, 0 to 9 and -", r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", 40, mend_name)
]
Kind = Annotated[
    str, Text("A kind is written small with a to z, 0 to 9, . - and _", r"[a-z][a-z0-9._-]*", 80, mend_name)
]
Version = Annotated[
    str,
    Text(
        "A version is written with letters, digits and . _ + -",
        r"[A-Za-z0-9][A-Za-z0-9._+-]*",
        64,
        lambda text: re.sub(r"\s+", "-", text.strip()),
    ),
]
Where = Annotated[
    str,
    Text(
        "A place is a path like hq/floor-1/**, written small and with no slash at its ends",
        WHERE,
        200,
        mend_where,
        "It has 1 to 8 levels of a to z, 0 to 9 and -; * is any one level, ** any number of levels.",
    ),
]
HealthPath = Annotated[
    str,
    Text(
        "A health path starts with /",
        r"/[^\s#\\]*",
        200,
        lambda text: "/" + re.sub(r"^https?://[^/]*", "", text.strip()).lstrip("/"),
        "Write only the path that the service answers, such as /healthz.",
    ),
]
FilePath = Annotated[
    str,
    Text(
        "A file is named as in the zip, from its root, with / and without ..",
        r"(?!(.*/)?\.{1,2}(/|$))[^/\\\x00-\x1f]+(/[^/\\\x00-\x1f]+)*",
        500,
        lambda text: re.sub(r"^(\./|/)+", "", text.strip().replace("\\", "/")),
    ),
]
_SYSTEM = "app bin boot dev etc home lib lib32 lib64 media mnt opt proc root run sbin srv sys tmp usr var"
Volume = Annotated[
    str,
    Text(
        "A volume is named small like data and is not one of the system's own folders",
        rf"(?!({_SYSTEM.replace(' ', '|')})$){NAME_RULE.pattern}",
        40,
        mend_name,
        "It is mounted at /<name>.",
    ),
]
EnvironmentName = Annotated[
    str,
    Text(
        "A variable is named with letters, digits and _, and BERTH_ at its start is the platform's",
        r"(?!BERTH_)[A-Za-z_][A-Za-z0-9_]*",
        100,
        lambda text: re.sub(r"[\s.-]+", "_", text.strip()),
    ),
]
EnvironmentText = Annotated[
    str, Text("The value of a variable is one text of at most 4,096 characters", r"[^\x00]*", 4096)
]
Host = Annotated[
    str,
    Text(
        "A host is a name like api.example.org, without scheme, port or path",
        r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+",
        253,
        mend_host,
    ),
]
Call = Annotated[
    str,
    Text("A call is a method and a path like POST /measure", r"(GET|POST|PUT|PATCH|DELETE) /[^\s\\]*", 200, mend_call),
]
StepValue = Annotated[
    str,
    Text(
        "An output names a value of a step like $decide.level",
        STEP_VALUE,
        200,
        lambda text: "$" + text.strip().lstrip("$"),
    ),
]
Runtime = Annotated[
    str, Text("A runtime is named like python", r"[a-z][a-z0-9.-]*", 40, lambda text: text.strip().lower())
]


@dataclass(frozen=True)
class CommandRule(Checked):
    """One program and its arguments, split as a POSIX shell would, but run without a shell."""

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > 1000:
            raise wrong(
                f"A command is one text like python app.py, not {quoted(value)}.",
                "",
                shlex.join(map(str, value)) if isinstance(value, list) and value else None,
            )
        try:
            found = [word for word in shlex.split(value) if word in SHELL]
        except ValueError:
            raise wrong(
                f"The quotes in the command {quoted(value)} do not close.", "Close each quote you open."
            ) from None
        if found:
            raise wrong(
                f"A command is one program run without a shell, and {quoted(value)} holds {quoted(found[0])}.",
                "Put the steps into a script in the zip and name that.",
            )
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": 1000}


Command = Annotated[str, CommandRule()]
