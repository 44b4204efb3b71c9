"""`berth test` and `berth bench`: everything that says whether this checkout is sound, in stages that each end with the truth."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "contracts", "backbone", "identity", "app_controller", "deployer", "node_manager", "sensor_manager", "monitor", "logger", "gateway",
    "platform_ui", "bootstrapper", "cli", "sdk/berth", "tests", "bench",
)  # fmt: skip
MONGO_PORT_OFFSET = 917
BROWSER = "/usr/bin/chromium"


def test(arguments: list[str]) -> int:
    """`--whole`: also what needs minutes and a fresh machine (CI); `--fast`: nothing real. The rest goes to pytest.

    0 only where every stage passed. The first stage that fails ends it, except that pytest runs to its own end.
    """
    whole, fast = "--whole" in arguments, "--fast" in arguments
    rest = [a for a in arguments if a not in ("--whole", "--fast")]
    building = None if fast or rest else _mongo("build")
    try:
        for name, command in _checks() if not rest else ():
            if code := _stage(name, command):
                return code
        if fast:
            return _stage("tests", [*_pytest(), "-m", "not real and not browser", *rest])
        name = installation()
        up = [sys.executable, "-m", "bootstrapper", "up", "--name", name, "--port", str(base_port()), "--expose"]
        if code := _stage("installation", up):
            return code
        return _real(name, building, rest, whole)
    finally:
        if building and building.poll() is None:
            building.terminate()


def bench(name: str, arguments: list[str]) -> int:
    """Runs bench/<name>.py; 2 where there is none of that name."""
    path = ROOT / "bench" / f"{name}.py"
    if not path.exists():
        there = ", ".join(sorted(p.stem for p in (ROOT / "bench").glob("*.py") if not p.stem.startswith("_")))
        print(f"No benchmark is called {name}. There are: {there}.", file=sys.stderr)
        return 2
    return subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], cwd=ROOT, check=False).returncode


def installation() -> str:
    """The test installation belongs to the place of the checkout: two checkouts have two."""
    return f"test-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"


def base_port() -> int:
    """10000 to 27000: below the range that the kernel gives out, clear of the default installation."""
    return 10000 + 1000 * (int(installation()[5:], 16) % 18)


def _checks() -> list[tuple[str, list[str]]]:
    there = [p for p in PACKAGES if (ROOT / p).exists()]
    return [
        ("ruff", [sys.executable, "-m", "ruff", "check", "."]),
        ("mypy --strict", [sys.executable, "-m", "mypy", *there]),
        ("unit", [*_pytest(), "--durations=5", "tests/unit"]),
    ]


def _real(name: str, building: subprocess.Popen[bytes] | None, rest: list[str], whole: bool) -> int:
    environment = {**os.environ, **real_environment(name)}
    data = tempfile.mkdtemp(prefix="berth-mongo-")
    try:
        if building and not os.environ.get("MONGO_URL"):
            if building.wait():
                if os.environ.get("REQUIRE_REAL") == "1":
                    print("The MongoDB-wire server could not be built; see above.", file=sys.stderr)
                    return 1
            else:
                started = _mongo("start", str(base_port() + MONGO_PORT_OFFSET), data)
                out, _ = started.communicate(timeout=60)
                environment["MONGO_URL"] = out.decode().split()[-1]
        if whole and not shutil.which(BROWSER):
            install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null"
            _stage("browser", ["sh", "-c", install])
        if rest:
            return _stage("tests", [*_pytest(), *rest], environment)
        disturbing = _stage("tests that disturb", [*_pytest(), "tests", "-m", "disturbs"], environment)
        return _stage("tests", [*_pytest(), "tests", "-m", "not disturbs"], environment) or disturbing
    finally:
        _mongo("stop", data).wait()
        shutil.rmtree(data, ignore_errors=True)


def real_environment(name: str) -> dict[str, str]:
    """The settings under which tests on this host reach the backing services of an installation that is exposed."""
    from bootstrapper.commands import root
    from bootstrapper.given import Where
    from bootstrapper.installation import known
    from bootstrapper.vault import Vault

    found = known(root(), name)
    if found is None:
        raise SystemExit(f"No installation {name}; `berth up --name {name}` makes it.")
    vault = Vault(found)
    ca = str(found.home / "ca.crt")
    where = Where(found, vault, {}, host=True)
    logins = {f"LOGIN_{user.upper()}": password for user, _, password in vault.people()}
    parts = where.kafka("berth") | where.postgres("berth") | where.blobs() | where.registry() | where.directory(ca)
    person = {"LDAP_TEST_USER": "dora", "LDAP_TEST_PASSWORD": logins["LOGIN_DORA"]}
    return parts | logins | person | {"BERTH_CA": ca, "BERTH_INSTALLATION": name, "BERTH_TEST_INSTALLATION": name}


def _pytest() -> list[str]:
    return [sys.executable, "-m", "pytest"]


def _mongo(*words: str) -> subprocess.Popen[bytes]:
    script = str(ROOT / "tests/support/mongo_server.py")
    out = subprocess.PIPE if words[0] == "start" else None
    return subprocess.Popen([sys.executable, script, *words], stdout=out, cwd=ROOT)


def _stage(name: str, command: list[str], environment: dict[str, str] | None = None) -> int:
    print(f"== {name}", flush=True)
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    print(f"== {name}: {'passed' if code == 0 else f'failed ({code})'} after {time.monotonic() - began:.0f} s", flush=True)
    return code
