"""Stories of the deployer alone, on twins: this file plays identity, the agent and the gateway."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from backbone.containers.memory import MemoryContainers
from backbone.context import Action, acting
from backbone.memory import MemoryPlatform
from backbone.memory_peers import MemoryPeers
from backbone.peers import Answer
from contracts.errors import Unavailable
from contracts.lines import Line
from contracts.message import Message
from contracts.messages import (
    BuildFailed,
    BuildMoved,
    DeploymentSeen,
    ImageBuilt,
    InstanceSeen,
    ReleaseAccepted,
    RouteSeen,
    RouteWanted,
    RunDeployment,
    StopDeployment,
)
from contracts.messages.deployment import Probe, ServiceWish
from contracts.messages.release import BuildPlan
from contracts.states import InstanceState
from contracts.states import Rollout as State
from contracts.topics import DEPLOYMENTS, LINES, RELEASES
from deployer.build import Build
from deployer.lines import BuildLines
from deployer.subsystem import build
from tests.support.tokens import publish, token_for

SERVES = 'import os\ndef respond(method, path):\n    return 200, {}, os.environ.get("X", "") + "hello"\n'
SETTINGS = {"BERTH_BUILD_WORKERS": "0", "BERTH_RUNTIME_PYTHON": "python:memory", "REGISTRY_URL": "registry:5000", "BERTH_CA": "PEM"}


class Identity:
    """Gives tokens, and remembers those taken back."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []
        self.revoked: list[str] = []

    def get(self, path: str, token: str | None = None) -> Answer:
        raise Unavailable(path)

    def post(self, path: str, json: Any = None, token: str | None = None) -> Answer:
        self.given.append(json)
        return Answer(201, b'{"token": "secret-%d", "jti": "j%d"}' % (len(self.given), len(self.given)))

    def delete(self, path: str, token: str | None = None) -> Answer:
        self.revoked.append(path.rpartition("/")[2])
        return Answer(204, b"")


class World:
    def __init__(self) -> None:
        self.platform = MemoryPlatform(SETTINGS)
        self.containers = MemoryContainers(self.platform.clock)
        self.platform.containers = self.containers
        self.identity = Identity()
        self.platform.peers = self.identity  # type: ignore[assignment]
        self.backbone = self.platform.backbone("test")
        publish(self.backbone)
        self.door = MemoryPeers()
        self._begin()
        self.readers = {t.name: self.platform.bus.reader(t) for t in (DEPLOYMENTS, RELEASES)}
        self.heard: list[Message] = []
        self.agent_says, self.gateway_answers = True, True
        self.told: dict[str, int] = {}

    def restart(self) -> None:
        """A new process on what is stored, as after kill -9."""
        self.platform.loops.pop("deployer").close()
        self._begin()
        self.advance(1)

    def _begin(self) -> None:
        deployer = build(self.platform.backbone("deployer"))
        self.platform.loops["deployer"] = deployer.begin()
        self.door.attach("deployer", deployer.app())

    def say(self, *messages: Message) -> None:
        with acting(Action("a" * 32, "", "ada")):
            said = self.backbone.wrapper.wrap(messages)
        self.platform.bus.send([(s.topic, s.key, s.envelope) for s in said])
        self.settle()

    def settle(self) -> None:
        for _ in range(50):
            self.platform.settle()
            if not self._agent() + self._listen():
                return

    def advance(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.5)):
            self.platform.clock.advance(0.5)
            self.settle()

    def upload(self, release: str, files: dict[str, str], packages: str = "") -> None:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as zip:
            for name, text in files.items():
                zip.writestr(name, text)
        self.platform.blobs.put("releases", f"{release}.zip", data.getvalue())
        plan = BuildPlan(service="web", runtime="python", command="python app.py", packages=packages)
        self.say(
            ReleaseAccepted(
                release=release, app="comfort", version_name="1", digest=release, blob=f"releases/{release}.zip", services=(plan,)
            )
        )

    def deploy(self, generation: int, release: str, instances: int = 2, environment: dict[str, str] | None = None) -> None:
        image = self.last(ImageBuilt, release=release).images["web"]
        service = ServiceWish(
            service="web", image=image, command="python app.py", port=8000, public=True, instances=instances,
            probe=Probe(path="/healthz", within=10), environment=environment or {},
        )  # fmt: skip
        deadline = self.platform.clock.now() + timedelta(seconds=15)
        self.say(
            RunDeployment(
                deployment="0190-d1", generation=generation, deployment_name="comfort", app="comfort", release=release,
                services=(service,), deadline=deadline,
            )
        )  # fmt: skip

    def states(self, generation: int) -> list[State]:
        seen = [State(m.state) for m in self.heard if isinstance(m, DeploymentSeen) and m.generation == generation]
        return [s for n, s in enumerate(seen) if n == 0 or seen[n - 1] != s]

    def last(self, kind: type[Any], **facts: Any) -> Any:
        found = [m for m in self.heard if isinstance(m, kind) and all(getattr(m, k) == v for k, v in facts.items())]
        assert found, f"no {kind.__name__} with {facts} among {self.heard}"
        return found[-1]

    def _agent(self) -> int:
        """Says each instance's state once it changes."""
        moved = 0
        for local in self.containers.node.local({"berth.deployment": ""}):
            state = InstanceState.GONE if local.state == "exited" else InstanceState.HEALTHY
            if not self.agent_says or self.told.get(local.id) == state:
                continue
            self.told[local.id] = state
            moved += 1
            self.backbone.bus.send([
                (s.topic, s.key, s.envelope)
                for s in self.backbone.wrapper.wrap([
                    InstanceSeen(
                        deployment=local.labels["berth.deployment"], generation=int(local.labels["berth.generation"]),
                        service=local.labels["berth.service"], instance=local.id, incarnation=local.incarnation, node="node1",
                        address=local.address, state=state, reason=local.reason, public=local.labels["berth.public"] == "1",
                    )
                ])
            ])  # fmt: skip
        return moved

    def _listen(self) -> int:
        moved = 0
        for reader in self.readers.values():
            for envelope in reader.read_to_end():
                kind = {k.__name__: k for k in (BuildMoved, ImageBuilt, BuildFailed, RouteWanted, DeploymentSeen)}.get(envelope.name)
                if kind is None:
                    continue
                message = kind.model_validate(envelope.body)
                self.heard.append(message)
                moved += 1
                if isinstance(message, RouteWanted) and self.gateway_answers:
                    servers = {g: len(self.containers.alive(generation=str(g))) for g in message.weights}
                    seen = RouteSeen(
                        deployment=message.deployment, generation=message.generation, path=message.path,
                        link=f"https://apps{message.path}" if servers else "", servers=servers,
                    )  # fmt: skip
                    self.platform.bus.send([(s.topic, s.key, s.envelope) for s in self.backbone.wrapper.wrap([seen])])
        return moved


@pytest.fixture
def world() -> Iterator[World]:
    yield World()


def test_a_zip_becomes_running_instances_of_its_own_code(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    assert [m.state for m in world.heard if isinstance(m, BuildMoved)] == [200, 300, 400]
    world.deploy(1, "r1", environment={"X": "1"})
    assert world.states(1) == [State.PLACING, State.STARTING, State.RUNNING]
    assert world.last(DeploymentSeen, state=State.RUNNING).link == "https://apps/ada/comfort/"
    instances = world.containers.alive(deployment="0190-d1")
    assert [world.containers.answer(i.address).body for i in instances] == [b"hello", b"hello"]
    assert world.identity.given[0] | {"seconds": 0} == {
        "purpose": "app", "subject": "0190-d1", "workspace": "ada", "generation": 1, "name": "comfort", "seconds": 0,
    }  # fmt: skip


def test_a_new_release_takes_over_and_the_old_one_goes_with_its_secrets(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.deploy(1, "r1")
    world.upload("r2", {"app.py": SERVES.replace("hello", "hullo")})
    world.deploy(2, "r2")
    assert world.last(RouteWanted).weights == {2: 100}
    assert len(world.containers.alive(generation="1")) == 2, "the old ones finish what they have in hand"
    world.advance(4)
    assert world.states(1)[-2:] == [State.DRAINING, State.STOPPED]
    assert {i.spec.labels["berth.generation"] for i in world.containers.alive()} == {"2"}
    assert world.identity.revoked == ["j1"]
    assert not [n for n in world.containers.services.kept if n.endswith("-g1-token")]


def test_a_broken_release_fails_with_its_last_words_and_the_old_one_serves(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.deploy(1, "r1")
    world.upload("r2", {"app.py": "raise ValueError('no sensor')"})
    world.deploy(2, "r2")
    world.advance(20)
    failed = world.last(DeploymentSeen, generation=2)
    assert failed.state == State.FAILED and "exit code 1" in failed.reason and "ValueError: no sensor" in failed.log
    assert world.last(RouteWanted).weights == {1: 100}
    assert {i.spec.labels["berth.generation"] for i in world.containers.alive()} == {"1"}


def test_instances_nobody_sees_healthy_fail_at_the_deadline(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.agent_says = False
    world.deploy(1, "r1")
    world.advance(16)
    assert world.last(DeploymentSeen).state == State.FAILED
    assert "0 of 2 instances became healthy" in world.last(DeploymentSeen).reason
    assert world.containers.alive() == []


def test_a_killed_instance_is_told_and_replaced(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.deploy(1, "r1")
    world.containers.kill(world.containers.alive()[0].id)
    world.settle()
    assert [m.ready for m in world.heard if isinstance(m, DeploymentSeen)][-2:] == [1, 2]


def test_stop_and_destroy_leave_nothing(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.deploy(1, "r1")
    world.say(StopDeployment(deployment="0190-d1", generation=2))
    assert world.states(2) == [State.STOPPED]
    assert world.last(RouteWanted).weights == {} and world.containers.alive() == []
    world.say(StopDeployment(deployment="0190-d1", generation=3, destroy=True))
    assert world.states(3) == [State.STOPPED]
    assert [n for n in world.containers.services.kept if "-d-" in n] == []
    assert world.platform.home.collection(_rollouts()).find({}) == []


def _rollouts() -> Any:
    from backbone.kept import extended
    from deployer.store import ROLLOUTS

    return extended(ROLLOUTS)


def test_packages_are_fetched_once_for_the_same_requirements(world: World) -> None:
    world.containers.images.packages["paho-mqtt"] = {"paho/__init__.py": b""}
    files = {"app.py": SERVES, "requirements.txt": "paho-mqtt==2.1.0\n"}
    world.upload("r1", files, "requirements.txt")
    world.upload("r2", files | {"app.py": SERVES + "\n"}, "requirements.txt")
    assert len(world.containers.images.jobs) == 1
    assert all(job.network for job in world.containers.images.jobs)
    image = world.containers.images.registry[world.last(ImageBuilt, release="r2").images["web"]]
    assert "packages/paho/__init__.py" in image.files and "app/app.py" in image.files


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"app.py": SERVES, "requirements.txt": "requests\npaho-mqttt\n"}, "No package paho-mqttt (requirements.txt, line 2)."),
        ({"app.py": "def respond(:\n", "requirements.txt": ""}, "app.py, line 1: SyntaxError: invalid syntax"),
        ({"app.py": SERVES}, "There is no requirements.txt in the zip."),
        ({"app.py": SERVES, "requirements.txt": "slowpoke"}, "took longer than 300 s"),
        ({"app.py": SERVES, "requirements.txt": "glutton"}, "more than 512 MiB"),
    ],
)
def test_a_build_that_fails_says_why(world: World, files: dict[str, str], reason: str) -> None:
    images = world.containers.images
    images.packages |= {"requests": {}, "slowpoke": {}, "glutton": {}}
    images.slow, images.hungry = {"slowpoke"}, {"glutton"}
    world.upload("r1", files, "requirements.txt")
    assert reason in world.last(BuildFailed).reason
    assert world.platform.blobs.get("builds", "r1.log")


def test_a_build_waits_for_docker_and_a_repeated_order_builds_once(world: World) -> None:
    world.containers.images.away = "restarting"
    world.upload("r1", {"app.py": SERVES})
    assert not [m for m in world.heard if isinstance(m, ImageBuilt)]
    world.containers.images.away = ""
    world.advance(6)
    world.upload("r1", {"app.py": SERVES})
    assert len([m for m in world.heard if isinstance(m, ImageBuilt)]) == 1


def test_only_the_newest_two_and_those_in_use_keep_their_images(world: World) -> None:
    world.upload("r0", {"app.py": SERVES + "#0\n"})
    world.deploy(1, "r0")
    for n in range(1, 5):
        world.platform.clock.advance(1)
        world.upload(f"r{n}", {"app.py": SERVES + f"#{n}\n"})
    world.platform.clock.advance(601)
    world.settle()
    kept = {tag.rpartition(":")[2] for tag in world.containers.images.local if "-apps:" in tag}
    assert kept == {"r0-web", "r3-web", "r4-web"}


def test_an_old_release_is_built_again_when_it_is_wanted_again(world: World) -> None:
    for n in range(4):
        world.platform.clock.advance(1)
        world.upload(f"r{n}", {"app.py": SERVES + f"#{n}\n"})
    world.platform.clock.advance(601)
    world.settle()
    world.containers.images.builds.clear()
    world.deploy(1, "r0")
    assert world.states(1)[-1] == State.RUNNING
    assert [tag.rpartition(":")[2] for tag in world.containers.images.builds] == ["r0-web"]
    assert len([m for m in world.heard if isinstance(m, ImageBuilt) and m.release == "r0"]) == 1


def test_what_cannot_be_placed_fails_at_once_and_says_why(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.containers.images.registry.clear()
    world.containers.images.local.clear()
    world.deploy(1, "r1")
    assert world.states(1) == [State.PLACING, State.FAILED]
    assert world.last(DeploymentSeen).reason.startswith("It cannot be placed: No image")


def test_docker_away_holds_up_one_deployment_and_not_the_loop(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.containers.images.away = "restarting"
    world.deploy(1, "r1")
    assert world.states(1) == [State.PLACING]
    world.containers.images.away = ""
    world.advance(1)
    assert world.states(1)[-1] == State.RUNNING


class Died(BaseException):
    """The process ended at once: nothing after this line happened."""


def dies_once(verb: str) -> Callable[[str], None]:
    left = [verb]

    def after(done: str) -> None:
        if done in left:
            left.clear()
            raise Died

    return after


@pytest.mark.parametrize("verb", ["make", "keep_secret", "remove", "remove_secret"])
def test_a_process_that_dies_at_any_verb_is_carried_on_by_the_next(world: World, verb: str) -> None:
    world.upload("r1", {"app.py": SERVES})
    services = world.containers.services
    world.containers.after = dies_once(verb)
    try:
        world.deploy(1, "r1")
        world.say(StopDeployment(deployment="0190-d1", generation=2))
    except Died:
        world.restart()
        if verb in ("make", "keep_secret"):
            assert world.states(1)[-1] == State.RUNNING and len(world.identity.given) == 1
            world.say(StopDeployment(deployment="0190-d1", generation=2))
    assert world.states(2) == [State.STOPPED]
    assert world.containers.alive() == [] and not [n for n in services.kept if "-d-" in n]
    assert world.identity.revoked == ["j1"]


def test_a_build_whose_process_died_is_built_by_the_next(world: World) -> None:
    world.containers.images.after = dies_once("push")
    with pytest.raises(Died):
        world.upload("r1", {"app.py": SERVES})
    world.restart()
    assert world.last(ImageBuilt).images["web"].startswith("registry:5000/memory-apps@sha256:")
    assert [m.state for m in world.heard if isinstance(m, BuildMoved)] == [200, 300, 400]


def sent(world: World, release: str) -> list[Line]:
    records = world.platform.records.consumer(None, [LINES]).poll(1000, 0)
    return [one for record in records if (one := Line.decoded(record.value)).source == f"build:{release}"]


def test_a_builds_lines_go_to_the_logger_while_it_builds(world: World) -> None:
    world.upload("r1", {"app.py": "def (:\n"})
    lines = sent(world, "r1")
    assert [line.position for line in lines] == sorted({line.position for line in lines}) and lines[-1].level == "error"
    assert {(line.kind, line.workspace, line.correlation, line.release) for line in lines} == {("build", "ada", "a" * 32, "r1")}
    kept = world.platform.blobs.get("builds", "r1.log").decode().splitlines()
    assert [line.text for line in lines] == [line.split(" ", 2)[2] for line in kept]


def test_lines_of_a_build_whose_process_died_stay_and_the_next_says_that_it_begins_again(world: World) -> None:
    world.containers.images.after = dies_once("push")
    with pytest.raises(Died):
        world.upload("r1", {"app.py": SERVES})
    first = sent(world, "r1")
    world.restart()
    lines = sent(world, "r1")
    assert first and lines[: len(first)] == first and len({line.position for line in lines}) == len(lines)
    assert lines[len(first)].text.startswith("Begun again: try 2") and lines[-1].text.startswith("Built in ")


def test_lines_of_a_build_wait_for_kafka(world: World) -> None:
    world.platform.records.log.away = "restarting"
    lines = BuildLines(world.backbone)
    build = Build(release="r9", app="a", asked=world.platform.clock.now())
    lines.begin("r9")
    lines.say(build, "one")
    lines.say(build, "WARNING: two")
    lines.end("r9")
    world.platform.records.log.away = ""
    lines.look()
    assert [(line.text, line.level) for line in sent(world, "r9")] == [("one", "info"), ("WARNING: two", "warning")]


def ask(world: World, path: str, workspace: str = "ada", events: int = 0) -> Any:
    token = token_for(world.backbone, subject=workspace, roles=("developer",), workspaces={workspace: "owner"})
    return world.door.events(path, events, token) if events else world.door.get(path, token)


def test_a_build_is_shown_with_its_log_to_its_own_workspace(world: World) -> None:
    world.upload("r1", {"app.py": "def (:\n"})
    shown = ask(world, "/builds/r1").check().json
    assert shown["state"] == "FAILED" and shown["reason"].startswith("app.py, line 1: SyntaxError")
    assert [s["state"] for s in shown["steps"]] == ["ACCEPTED", "FETCHING", "BUILDING", "FAILED"]
    log = ask(world, "/builds/r1/log")
    assert log.headers["content-type"].startswith("text/plain") and b"SyntaxError" in log.body
    assert ask(world, "/builds/r1", "bob").status == 404
    assert ask(world, "/builds/r1/log/events", "bob").status == 404
    assert ask(world, "/builds/none").status == 404


def test_the_live_log_gives_each_line_once_and_ends_with_the_state(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    lines = len(ask(world, "/builds/r1/log").body.splitlines())
    events = ask(world, "/builds/r1/log/events", events=lines + 5)
    assert [e.get("n") for e in events] == [*range(1, lines + 1), None]
    assert events[-1]["state"] == "BUILT"
    assert len(ask(world, f"/builds/r1/log/events?after={lines - 1}", events=9)) == 2
    world.restart()
    assert len(ask(world, "/builds/r1/log").body.splitlines()) == lines, "from the blob store"


def test_a_rollout_is_shown_with_its_instances(world: World) -> None:
    world.upload("r1", {"app.py": SERVES})
    world.deploy(1, "r1")
    shown = ask(world, "/rollouts/0190-d1").check().json
    assert shown["served"] == {"1": 2} and shown["generations"][0]["state"] == "RUNNING"
    assert [i["state"] for i in shown["generations"][0]["instances"]] == ["HEALTHY", "HEALTHY"]
    assert ask(world, "/rollouts/0190-d1", "bob").status == 404
