"""What a verb fails with: sentences for a person, and the same as problem+json for a program."""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """`problem` is the platform's answer (RFC 9457), or made here in the same shape; `status` 0 where nothing was answered."""

    def __init__(self, detail: str, hint: str = "", problem: dict[str, Any] | None = None, code: int = 1) -> None:
        super().__init__(detail)
        self.detail, self.hint, self.code = detail, hint, code
        self.problem = {"title": "Failed", "status": 0, "detail": detail, "hint": hint, "correlation": "", "errors": [], **(problem or {})}

    @property
    def status(self) -> int:
        return int(self.problem["status"])

    @property
    def correlation(self) -> str:
        return str(self.problem["correlation"] or "")


def answered(status: int, problem: Any, asked: str) -> Failure:
    """Of an answer that is no success; `asked` is the method and path."""
    if not isinstance(problem, dict) or "status" not in problem:
        return Failure(f"{asked} was answered with {status}, and not by Berth.", "Check the address; `berth login URL` sets it.",
                       {"status": status, "title": "Not Berth"})  # fmt: skip
    detail = str(problem.get("detail") or problem.get("title") or f"{asked} was answered with {status}.")
    return Failure(detail, str(problem.get("hint") or HINTS.get(status, "")), problem)


HINTS = {
    401: "Log in again: berth login.",
    403: "`berth whoami` shows your roles and workspaces.",
    503: "Try again in a moment; `berth subsystems` shows what is away.",
}
