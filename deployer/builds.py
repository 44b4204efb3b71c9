"""Takes accepted releases to images: records, queue, resuming, results."""

from __future__ import annotations

from collections.abc import Mapping

from backbone.backbone import Backbone
from backbone.context import Action, acting, current
from backbone.logs import get_log
from contracts.errors import Unavailable
from contracts.lines import Level
from contracts.messages import ReleaseAccepted
from contracts.states import Build as State
from deployer.build import Build, accepted
from deployer.buildlog import BuildLogs
from deployer.crew import Crew
from deployer.lines import BuildLines
from deployer.making import Broken, Maker
from deployer.store import BuildStore

log = get_log()
TRIES = 5
"""A build that takes its process down so often is given up."""


class Builds:
    def __init__(self, backbone: Backbone, store: BuildStore, maker: Maker, logs: BuildLogs, lines: BuildLines) -> None:
        self._clock, self._outbox, self._store, self._maker, self._logs = backbone.clock, backbone.outbox, store, maker, logs
        self._lines = lines
        self.crew = Crew(int(backbone.settings.number("BERTH_BUILD_WORKERS", 2)), self._build)

    def accept(self, message: ReleaseAccepted) -> None:
        action = current()
        build = accepted(message, self._clock.now(), action.workspace, action.correlation)
        self._store.insert(build)
        self.crew.ask(message.release)

    def resume(self) -> None:
        """What a crash, or a backing service that was away, left unfinished."""
        for build in self._store.unfinished():
            self.crew.ask(build.release)

    def images(self, release: str) -> Mapping[str, str]:
        """By service; {} of a release not known here. Collected ones are built again: Unavailable until then."""
        build = self._store.get(release)
        if build is None or not (build.collected or build.again):
            return build.images if build else {}
        wanted = {"again": True, "tries": 0}
        self._store.change(release, lambda b: (b.model_copy(update=wanted), ()) if b.collected and not b.again else None)
        self.crew.ask(release)
        again = self._store.get(release)
        if again is None or again.open:
            raise Unavailable(f"The images of release {release} were put away and are being built again.")
        return again.images

    def _build(self, release: str) -> None:
        build = self._store.get(release)
        if build is None or not build.open:
            return
        with acting(Action(build.correlation, "", build.workspace)):
            tried = self._store.change(release, lambda b: (b.model_copy(update={"tries": b.tries + 1}), ()))
            if tried and tried.tries > TRIES:
                self._fail(release, f"It was begun {TRIES} times and never came to an end.", "Ask an operator for the log.")
                return
            try:
                self._run(build, tried.tries if tried else 1)
            except Unavailable as error:
                self._store.change(release, lambda b: (b.model_copy(update={"tries": max(0, b.tries - 1)}), ()))
                waits = f"Waits: {self._maker.scrub(error.detail)}"
                self._logs.add(release, "err", waits)
                self._lines.say(build, waits, "warning")
                log.warning("build_waits", release=release, reason=error.detail)

    def _run(self, build: Build, tries: int) -> None:
        release = build.release
        self._logs.begin(release)
        self._lines.begin(release)

        def say(stream: str, text: str, level: Level | None = None) -> None:
            scrubbed = self._maker.scrub(text)
            self._logs.add(release, stream, scrubbed)
            self._lines.say(build, scrubbed, level)

        if tries > 1:
            say("err", f"Begun again: try {tries}, the one before ended with its process.", "warning")

        def moved(state: State) -> None:
            log.info("build_moved", release=release, state=state.name)
            self._store.change(release, lambda b: b.moved(state, self._clock.now()))
            self._outbox.flush()

        try:
            made = self._maker.make(build, say, moved)
        except Broken as broken:
            say("err", broken.reason, "error")
            self._end(release)
            self._fail(release, broken.reason, broken.hint)
            return
        say("out", f"Built in {build.seconds(self._clock.now())} s.")
        self._end(release)
        done = self._store.change(release, lambda b: b.built(made.images, made.layers, self._clock.now()))
        log.info("build_done", release=release, seconds=done.seconds(self._clock.now()) if done else None, first=done is not None)
        self._finish()

    def _end(self, release: str) -> None:
        self._logs.end(release)
        self._lines.end(release)

    def _fail(self, release: str, reason: str, hint: str) -> None:
        self._store.change(release, lambda b: b.failed(reason, hint, self._clock.now()))
        log.info("build_failed", release=release, reason=reason)
        self._finish()

    def _finish(self) -> None:
        self._outbox.flush()
        self._logs.news()
