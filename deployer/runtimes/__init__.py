"""What a language runtime is to a build; each has one file here and one line in RUNTIMES."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deployer.runtimes import python


@dataclass(frozen=True)
class Runtime:
    """`setting` names the base image's reference.

    fetch(requirements' name) -> the command that fills /tmp/out with packages, reading /tmp/in; runs no code of theirs.
    refused(text, name) -> (reason, hint) where the requirements ask for what is not allowed, else None.
    told(lines, text, name) -> (reason, hint) of a failed fetch; blamed(lines) of a failed build, where the code is to blame.
    packages(base), app(base, command) -> Dockerfiles.
    """

    setting: str
    fetch: Callable[[str], tuple[str, ...]]
    refused: Callable[[str, str], tuple[str, str] | None]
    told: Callable[[Sequence[str], str, str], tuple[str, str]]
    blamed: Callable[[Sequence[str]], tuple[str, str] | None]
    packages: Callable[[str], str]
    app: Callable[[str, str], str]


RUNTIMES: Mapping[str, Runtime] = {
    "python": Runtime(
        "BERTH_RUNTIME_PYTHON", python.fetch, python.refused, python.told, python.blamed, python.packages, python.app
    )  # fmt: skip
}
