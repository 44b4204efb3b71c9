"""Where logins are kept, and who may read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.context import Context, Contexts
from cli.failure import Failure

ONE = Context("https://one:8443", "pem", "", "dora", "access", "refresh")
TWO = Context("https://localhost:8443", "pem", "berth", "admin", "a", "r")


def kept(folder: Path, *contexts: Context) -> Contexts:
    made = Contexts(folder / "config")
    with made.locked():
        for one in contexts:
            made.keep(one, current=not one.local)
    return made


def test_a_login_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    contexts = kept(tmp_path, ONE, TWO)
    assert contexts.current() == ONE
    assert contexts.get("@berth") == TWO
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "config").iterdir()}
    assert modes == {"contexts.json": 0o600, "lock": 0o600}
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o700
    assert "access" not in repr(ONE) and "refresh" not in repr(ONE)


def test_a_dropped_login_is_current_no_more(tmp_path: Path) -> None:
    contexts = kept(tmp_path, ONE, TWO)
    with contexts.locked():
        contexts.drop(ONE.key)
    assert contexts.current() is None
    assert contexts.get("@berth") == TWO


@pytest.mark.parametrize("text", ["{", "[]", '{"current": ""}', "null"])
def test_a_broken_file_is_said_with_what_to_do(tmp_path: Path, text: str) -> None:
    contexts = kept(tmp_path, ONE)
    (tmp_path / "config" / "contexts.json").write_text(text)
    with pytest.raises(Failure, match="cannot be read") as caught:
        contexts.current()
    assert caught.value.hint == "Remove it and log in again."
