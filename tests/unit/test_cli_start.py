"""`berth init` writes what this version takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.start import app_name, manifest
from contracts.manifest import read_manifest, unsupported


def test_what_init_writes_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "My App 2"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(told["files"]) == ["app.py", "berth.yml", "requirements.txt"]
    text = (tmp_path / "My App 2" / "berth.yml").read_text()
    found = read_manifest(text, files=told["files"], kinds=["temperature"])
    assert found.name == told["name"] == "my-app-2"
    assert unsupported(found) == ()
    assert found.sensors["temperature"].at_least == 0
    assert text.count("\n") == manifest("x").count("\n")


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert "holds app.py already" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["app.py"]


@pytest.mark.parametrize(
    ("folder", "name"), [("Comfort", "comfort"), ("a_b c", "a-b-c"), ("2nd", "app-2nd"), ("ü", "app"), ("x" * 60, "x" * 40)]
)
def test_a_folder_gives_the_app_its_name(tmp_path: Path, folder: str, name: str) -> None:
    assert app_name(tmp_path / folder) == name
    read_manifest(manifest(name))
