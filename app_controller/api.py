"""The HTTP routes of apps, releases and deployments."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app_controller.model import Chosen
from app_controller.shown import AppShown, DeploymentShown, ReleaseShown, shown_deployment, shown_release
from app_controller.store import Store
from app_controller.wishes import Wishes
from backbone.backbone import Backbone
from backbone.http import Blueprint, caller, workspace_of
from contracts.errors import NotFound
from contracts.states import Build

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewDeployment(Body):
    """`instances` by service, `where` by need, `environment` for every service.

    `keep`: what was chosen for the deployment of this name before, and is not said here, stays.
    """

    release: str
    name: Name | None = None
    instances: dict[str, int] = {}
    where: dict[str, str] = {}
    environment: dict[str, str] = Field({}, max_length=100)
    keep: bool = False


class List(Body):
    workspace: str = ""
    app: str = ""
    name: str = ""


class AppPath(Body):
    app: str


class ReleasePath(Body):
    release: str


class DeploymentPath(Body):
    deployment: str


class Apps(BaseModel):
    items: list[AppShown]
    next: str = ""


class Releases(BaseModel):
    items: list[ReleaseShown]
    next: str = ""


class Deployments(BaseModel):
    items: list[DeploymentShown]
    next: str = ""


def api(backbone: Backbone, store: Store) -> OpenAPI:
    from backbone.http import api as make

    return make("apps", [_apps(store), _deployments(store, Wishes(backbone, store))], backbone)


def _apps(store: Store) -> Blueprint:
    routes = Blueprint("apps", __name__)

    @routes.get("/apps", responses={200: Apps})
    def list_apps(query: List) -> Any:
        spaces = [query.workspace] if query.workspace else caller().readable
        releases, deployments = store.releases(spaces), store.deployments(spaces)
        return Apps(items=[_shown_app(a, releases, deployments) for a in store.apps(spaces)])

    @routes.get("/apps/<app>/releases", responses={200: Releases})
    def list_releases(path: AppPath, query: List) -> Any:
        workspace = workspace_of(query.workspace)
        caller().need(workspace, "read", f"App {path.app}")
        found = store.releases([workspace], path.app)
        if not found:
            raise NotFound(f"No app {path.app} in workspace {workspace}.")
        return Releases(items=[shown_release(r) for r in found])

    @routes.get("/releases/<release>", responses={200: ReleaseShown})
    def get_release(path: ReleasePath) -> Any:
        release = store.release(path.release)
        caller().need(release["workspace"], "read", f"Release {path.release}")
        return shown_release(release)

    return routes


def _shown_app(app: dict[str, Any], releases: list[dict[str, Any]], deployments: list[Any]) -> AppShown:
    mine = [r for r in releases if (r["workspace"], r["app"]) == (app["workspace"], app["name"])]
    theirs = [d for d in deployments if (d.workspace, d.app) == (app["workspace"], app["name"])]
    return AppShown(
        workspace=app["workspace"],
        name=app["name"],
        created=app["created"],
        releases=len(mine),
        newest=shown_release(mine[0]) if mine else None,
        deployments=[shown_deployment(d) for d in theirs],
    )


def _deployments(store: Store, wishes: Wishes) -> Blueprint:
    routes = Blueprint("deployments", __name__)

    def mine(id: str, level: str) -> Any:
        d = store.deployment(id)
        caller().need(d.workspace, level, f"Deployment {id}")
        return d

    @routes.get("/deployments", responses={200: Deployments})
    def list_deployments(query: List) -> Any:
        spaces = [query.workspace] if query.workspace else caller().readable
        found = [d for d in store.deployments(spaces, query.app) if query.name in ("", d.name)]
        return Deployments(items=[shown_deployment(d) for d in found])

    @routes.post("/deployments", responses={201: DeploymentShown})
    def deploy(body: NewDeployment) -> Any:
        release = store.release(body.release)
        caller().need(release["workspace"], "write", f"Release {body.release}")
        if int(release["state"]) == Build.FAILED:
            raise wishes.not_built(release)
        said = Chosen(instances=body.instances, where=body.where, environment=body.environment)
        d, new = wishes.run(release, body.name or release["app"], caller().subject, said, body.keep)
        return shown_deployment(d), 201 if new else 200

    @routes.get("/deployments/<deployment>", responses={200: DeploymentShown})
    def get_deployment(path: DeploymentPath) -> Any:
        return shown_deployment(mine(path.deployment, "read"))

    @routes.post("/deployments/<deployment>/stop", responses={202: DeploymentShown})
    def stop(path: DeploymentPath) -> Any:
        return shown_deployment(wishes.end(mine(path.deployment, "write"), "stop")), 202

    @routes.delete("/deployments/<deployment>", responses={202: DeploymentShown})
    def destroy(path: DeploymentPath) -> Any:
        return shown_deployment(wishes.end(mine(path.deployment, "write"), "destroy")), 202

    return routes
