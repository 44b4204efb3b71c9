"""Says what should run.

Owns: apps, releases and deployments.
Hears: BuildMoved, ImageBuilt, BuildFailed, SensorsBound, SensorsShort, DeploymentSeen, RouteSeen.
Says: ReleaseAccepted, BindSensors, UnbindSensors, RunDeployment, StopDeployment.
Serves: /apps, /releases, /deployments.
"""
