"""What a person is told when their packages cannot be had, and what a requirements file may hold."""

from __future__ import annotations

import pytest

from deployer.runtimes import python
from deployer.scrub import Scrub

REQUIREMENTS = "# what we need\nrequests==2.32.3\npaho-mqttt\n"


def test_a_misspelt_package_is_named_with_its_line() -> None:
    said = [
        "Collecting requests==2.32.3 (from -r /tmp/in/requirements.txt (line 2))",
        "ERROR: Could not find a version that satisfies the requirement paho-mqttt (from versions: none)",
        "ERROR: No matching distribution found for paho-mqttt",
    ]
    reason, hint = python.told(said, REQUIREMENTS, "requirements.txt")
    assert reason == "No package paho-mqttt (requirements.txt, line 3)."
    assert "spelt" in hint


def test_a_version_that_is_not_there_says_the_newest() -> None:
    said = ["ERROR: Could not find a version that satisfies the requirement requests==9 (from versions: 2.31.0, 2.32.3)"]
    reason, hint = python.told(said, "requests==9\n", "requirements.txt")
    assert reason == "No version of requests fits requests==9 (requirements.txt, line 1)."
    assert "2.32.3" in hint


def test_a_package_of_a_package_says_who_needs_it() -> None:
    said = ["ERROR: Could not find a version that satisfies the requirement left-pad>1 (from requests) (from versions: none)"]
    assert python.told(said, REQUIREMENTS, "requirements.txt")[0] == "No package left-pad, which requests needs (requirements.txt)."


def test_an_index_that_is_away_is_not_the_developers_fault() -> None:
    reason, _ = python.told(["ERROR: HTTPSConnectionPool: Max retries exceeded"], REQUIREMENTS, "requirements.txt")
    assert reason.startswith("The package index could not be reached")


@pytest.mark.parametrize(
    "line",
    ["requests", "requests==2.32.3", "uvicorn[standard]>=0.3,<1  # fast", 'tomli; python_version < "3.11"', "a==1 \\\n  --hash=sha256:ab"],
)
def test_names_with_versions_are_taken(line: str) -> None:
    assert python.refused(f"{line}\n", "requirements.txt") is None


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://x.example/",
        "-e .",
        "./local",
        "git+https://x.example/y",
        "y @ https://x.example/y.whl",
        "--no-binary :all:",
        "-r more.txt",
    ],
)
def test_what_could_run_foreign_code_is_refused_with_its_line(line: str) -> None:
    problem = python.refused(f"requests\n\n{line}\n", "requirements.txt")
    assert problem and "(requirements.txt, line 3)" in problem[0]


def test_the_image_starts_what_the_manifest_says_and_the_code_comes_last() -> None:
    lines = python.app("base@sha256:0", "python app.py --name 'a b'").splitlines()
    assert lines[0] == "FROM base@sha256:0"
    assert lines[3:5] == ['CMD ["python3", "app.py", "--name", "a b"]', "COPY code/ /app/"]


def test_a_syntax_error_is_named_with_its_file_and_line() -> None:
    said = [
        "*** Error compiling '/app/lib/a.py'...",
        '  File "/app/lib/a.py", line 7',
        "    def (:",
        "        ^",
        "SyntaxError: invalid syntax",
    ]
    assert python.blamed(said) == ("lib/a.py, line 7: SyntaxError: invalid syntax", "Mend it and upload again.")
    assert python.blamed(["Step 1/3"]) is None


def test_no_address_login_or_secret_stays_in_a_line() -> None:
    scrub = Scrub(["[global]\nindex-url = https://joe:hush@index.internal.example/simple\n", "geheim"])
    line = scrub("Looking in indexes: https://joe:hush@index.internal.example/simple with geheim at index.internal.example")
    for hidden in ("hush", "joe", "index.internal", "geheim"):
        assert hidden not in line
