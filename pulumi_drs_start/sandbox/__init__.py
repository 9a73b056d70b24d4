"""
A local DRS and IAM to try programs and clients against: `python -m pulumi_drs_start.sandbox`, or in a test

    with Sandbox() as sandbox:
        sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"))
        sandbox.inject(faults.drop_after("batch-starting"))
        sandbox.set_delay("a", seconds=340, falls=5)

It imports nothing of the client, so that the two can disagree.
"""

from . import faults
from .admin import SandboxAdmin
from .delay import Delay
from .errors import CODES
from .faults import Fault
from .jobs import SECRET, JobSpec, make_job, make_job_id
from .policy import Account, Policy
from .server import Sandbox, SandboxNotInstalledError

__all__ = [
    "CODES",
    "SECRET",
    "Account",
    "Delay",
    "Fault",
    "JobSpec",
    "Policy",
    "Sandbox",
    "SandboxAdmin",
    "SandboxNotInstalledError",
    "faults",
    "make_job",
    "make_job_id",
]
