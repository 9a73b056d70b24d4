"""
A stand-in for whatever makes DRS jobs in your program, so that this one runs without it.

It makes nothing: it hands out the id of a job that exists already, and as late as a real resource would: when it is created.
"""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class _DrsTaskProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        # A real one would ask DRS for a job here, and wait until it is configured.
        return CreateResult(props["existing_job"], props)


class DrsTask(Resource, module="example", name="DrsTask"):
    """A job; its `id` is known once the resource is created."""

    def __init__(self, name: str, *, existing_job: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(_DrsTaskProvider(), name, {"existing_job": existing_job}, opts)
