"""Builds releases into images and makes Swarm match what should run.

Owns: builds (one a release), rollouts (one a deployment), images, Swarm's services and secrets of apps.
Hears: ReleaseAccepted, RunDeployment, StopDeployment, InstanceSeen, RouteSeen.
Says: BuildMoved, ImageBuilt, BuildFailed, RouteWanted, DeploymentSeen.
Serves: /builds/{release}, its log and its live log, /rollouts/{deployment}.
"""
