"""What the deployer and the agent may count on from Docker, and from its twin alike."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from backbone.containers import Job, Limits
from contracts.errors import Invalid
from tests.support.container_homes import HOMES, LAST, LIMITS, Home, context


@pytest.fixture(params=["memory", pytest.param("docker", marks=pytest.mark.real)])
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    home = HOMES[request.param]()
    try:
        yield home
    finally:
        home.close()


@pytest.fixture
def docker() -> Iterator[Home]:
    home = HOMES["docker"]()
    try:
        yield home
    finally:
        home.close()


def nothing(_: str, __: str) -> None:
    pass


def test_a_built_image_runs_where_it_is_asked_for_and_is_listed(home: Home) -> None:
    image = home.image()
    assert image.startswith(f"{home.registry}/{home.prefix}@sha256:")
    home.containers.services.make(home.spec(image, instances=2))
    home.containers.services.make(home.spec(image, instances=2))
    assert [s.image for s in home.containers.services.services(home.labels)] == [image]
    home.until(lambda: len(home.addresses()) == 2)
    one = home.containers.node.local(home.labels)[0]
    assert one.labels["berth.deployment"] == "d1" and one.probe.path == "/"
    assert one.service == f"{home.prefix}-web" and one.address.startswith(home.containers.node.machine().address)
    tasks = {t.id: t for t in home.containers.services.tasks(home.labels)}
    assert tasks[one.id].alive and tasks[one.id].container == one.container
    assert {r.id for r in home.containers.node.running(home.labels)} == set(tasks)


def test_a_killed_instance_has_a_successor_of_another_id(home: Home) -> None:
    home.containers.services.make(home.spec(home.image()))
    home.until(home.addresses)
    first = next(one for one in home.containers.node.local(home.labels) if one.address)
    home.containers.node.kill(first.container)
    home.until(lambda: [one for one in home.containers.node.local(home.labels) if one.address and one.id != first.id])
    home.containers.node.kill(first.container)


def test_a_removed_service_is_gone_and_removing_it_again_is_no_error(home: Home) -> None:
    spec = home.spec(home.image())
    home.containers.services.make(spec)
    home.until(home.addresses)
    home.containers.services.remove(spec.name)
    home.containers.services.remove(spec.name)
    assert home.containers.services.services(home.labels) == []
    home.until(lambda: not home.addresses())


def test_a_secret_is_kept_as_it_was_first_and_its_value_is_not_told(home: Home) -> None:
    name = f"{home.prefix}-token"
    services = home.containers.services
    services.keep_secret(name, b"one", {**home.labels, "berth.token": "j1"})
    services.keep_secret(name, b"two", home.labels)
    assert services.secrets(home.labels) == {name: {**home.labels, "berth.token": "j1"}}
    services.make(home.spec(home.image(), secrets={"berth_token": name}))
    home.until(home.addresses)
    services.remove(f"{home.prefix}-web")
    services.remove_secret(name)
    services.remove_secret(name)
    assert services.secrets(home.labels) == {}


def test_a_service_whose_secret_is_not_there_is_refused(home: Home) -> None:
    with pytest.raises(Invalid, match="no secret"):
        home.containers.services.make(home.spec(home.image(), secrets={"berth_token": f"{home.prefix}-none"}))


def test_an_app_that_ends_says_why(home: Home) -> None:
    home.containers.services.make(home.spec(home.image("raise ValueError('no sensor')\n")))
    home.until(lambda: "ValueError: no sensor" in "\n".join(home.containers.services.lines(f"{home.prefix}-web", 20)))


def test_a_build_that_fails_gives_the_compilers_words(home: Home) -> None:
    said: list[str] = []
    files = {"code/app.py": "def (:\n"}
    done = home.containers.images.build(
        home.tag, context(f"FROM {home.base}\n{LAST}", files), {}, LIMITS, lambda _, line: said.append(line)
    )
    assert "non-zero code: 1" in done.error and not done.killed
    assert any('File "/app/app.py", line 1' in line for line in said) and any("SyntaxError" in line for line in said)


def test_an_image_knows_whether_it_is_here(home: Home) -> None:
    assert not home.containers.images.has(home.tag)
    reference = home.image()
    assert home.containers.images.has(home.tag) and home.containers.images.has(reference)
    for name in (home.tag, reference, reference):
        home.containers.images.remove(name)
    assert not home.containers.images.has(home.tag)


def test_what_is_not_there_is_no_error(home: Home) -> None:
    assert home.containers.services.tasks({"berth.installation": f"{home.prefix}-none"}) == []
    assert home.containers.services.lines(f"{home.prefix}-none", 5) == []
    assert home.containers.node.local({"berth.installation": f"{home.prefix}-none"}) == []
    assert home.containers.node.lines(f"{home.prefix}-none", 5) == []


@pytest.mark.real
def test_a_job_gets_files_and_gives_its_folder(docker: Home) -> None:
    said: list[tuple[str, str]] = []
    script = "cat /tmp/in/name; id -u; echo bad >&2; mkdir -p /tmp/out/a && echo hi > /tmp/out/a/b"
    job = Job(docker.base, ("sh", "-c", script), {"name": b"berth\n"}, "/tmp/out", labels=docker.labels)
    done = docker.containers.images.run(job, lambda stream, line: said.append((stream, line)))
    assert (done.code, done.killed) == (0, "") and done.out
    with done.out, tarfile.open(fileobj=done.out) as tar:
        assert "out/a/b" in tar.getnames()
    assert [line for stream, line in said if stream == "out"] == ["berth", "20001"] and ("err", "bad") in said


@pytest.mark.real
@pytest.mark.parametrize(
    ("script", "limits", "killed"),
    [("sleep 60", Limits(seconds=1), "time"), ("python3 -c \"b'1' * (200 << 20)\"", Limits(memory=64 << 20), "memory")],
)
def test_a_job_and_a_build_end_at_their_limits(docker: Home, script: str, limits: Limits, killed: str) -> None:
    images = docker.containers.images
    assert images.run(Job(docker.base, ("sh", "-c", script), limits=limits, labels=docker.labels), nothing).killed == killed
    limits = replace(limits, seconds=limits.seconds + 3 if killed == "time" else limits.seconds)
    assert images.build(docker.tag, context(f"FROM {docker.base}\nRUN {script}\n", {}), {}, limits, nothing).killed == killed


@pytest.mark.real
def test_neither_a_job_without_it_nor_a_build_has_the_network(docker: Home) -> None:
    ask = "python3 -c \"import socket; print(sorted(n for _, n in socket.if_nameindex()))\""
    said: list[str] = []
    docker.containers.images.run(Job(docker.base, ("sh", "-c", ask), labels=docker.labels), lambda _, line: said.append(line))
    built = context(f"FROM {docker.base}\nRUN {ask}\n", {})
    docker.containers.images.build(docker.tag, built, {}, LIMITS, lambda _, line: said.append(line))
    lists = [line for line in said if line.startswith("[")]
    assert len(lists) == 2 and all("eth0" not in line for line in lists)
