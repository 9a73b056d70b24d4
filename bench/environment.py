"""Where it all runs: a sandbox in a process of its own, and Pulumi projects in a temporary folder with a home of their own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from pulumi_drs_start.sandbox import Account, SandboxAdmin, make_job, make_job_id

from .watching import Usage, watch

ROOT = Path(__file__).resolve().parent.parent
LATENCY_SECONDS = 0.1
START_SECONDS = 1.0
SANDBOX_START_SECONDS = 60


class BenchError(Exception):
    """A command did not do what it should, so that its figures would mean nothing."""


@dataclass(slots=True)
class Environment:
    """The sandbox, the folder in which commands are run, and their environment variables."""

    folder: Path
    sandbox: SandboxAdmin
    variables: dict[str, str]
    _projects: int = 0

    def seed(self, count: int) -> list[str]:
        """Forget everything and add so many jobs that can be started."""
        self.sandbox.reset()
        job_ids = [make_job_id(f"bench-{number}") for number in range(count)]
        self.sandbox.add_jobs(*(make_job(job_id) for job_id in job_ids))
        (self.folder / "jobs.json").write_text(json.dumps(job_ids))
        return job_ids

    def drift(self, job_ids: list[str]) -> None:
        """One per cent of the jobs, at least one, are found unstarted."""
        for job_id in job_ids[:: max(1, min(100, len(job_ids)))]:
            self.sandbox.set_status(job_id, "CONFIGURATION", then=[])

    def new_project(self, program: str, job_ids: list[str]) -> Path:
        """A project with an empty stack. The jobs are for a program in YAML, which can't read their file."""
        self._projects += 1
        project = self.folder / f"{program}-{self._projects}"
        project.mkdir()
        source = ROOT / "bench" / "programs" / program
        if (template := source / "Pulumi.yaml").exists():
            given = {"PLUGIN": Path(sys.executable).parent, "JOBS": job_ids}
            (project / "Pulumi.yaml").write_text(Template(template.read_text()).substitute(given))
        else:
            shutil.copy(source / "__main__.py", project)
            (project / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        self.run(project, "pulumi", "stack", "init", "dev", "--non-interactive")
        return project

    def run(self, folder: Path, *command: str) -> Usage:
        """Run a command to its end and measure it, with the calls it made."""
        self.sandbox.clear_calls()
        usage = watch(command, folder, self.variables)
        if usage.exit_code:
            raise BenchError(f"{' '.join(command)} ended with {usage.exit_code}:\n{usage.output[-4000:]}")
        for call in self.sandbox.calls():
            usage.calls[call["operation"]] += 1
        return usage

    def state_bytes(self) -> int:
        """The size of the stack's state."""
        return (self.folder / ".pulumi" / "stacks" / "bench" / "dev.json").stat().st_size

    def remove(self, project: Path) -> None:
        """Forget a project and its stack; its jobs are the sandbox's."""
        shutil.rmtree(project)
        shutil.rmtree(self.folder / ".pulumi")


@contextlib.contextmanager
def environment() -> Iterator[Environment]:
    """Make it, and leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell has its background jobs ignore interrupts, and their children too: the engine would wait 5 s for its plugins to go.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    finding = subprocess.run([sys.executable, ROOT / ".ci" / "engine.py"], check=True, stdout=subprocess.PIPE, text=True)
    with tempfile.TemporaryDirectory(prefix="pulumi-drs-bench-") as name:
        folder = Path(name)
        sandbox, ready = _start_sandbox(folder)
        try:
            account = Account()
            ours = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "OS_", "DRS_", "PYTHON"))}
            variables = {
                **ours,
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), finding.stdout.strip(), os.environ["PATH"]]),
                "PYTHONPATH": str(ROOT),
                "NO_PROXY": "127.0.0.1",
                "PULUMI_HOME": str(folder / "home"),
                "PULUMI_BACKEND_URL": folder.as_uri(),
                "PULUMI_CONFIG_PASSPHRASE": "bench",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "BENCH_JOBS": str(folder / "jobs.json"),
                "BENCH_LATENCY_SECONDS": str(LATENCY_SECONDS),
                "BENCH_START_SECONDS": str(START_SECONDS),
                "BENCH_ACCESS_KEY": account.access_key,
                "BENCH_SECRET_KEY": account.secret_key,
                **ready["environment"],
            }
            yield Environment(folder, SandboxAdmin(ready["url"]), variables)
        finally:
            sandbox.terminate()
            sandbox.wait()


def _start_sandbox(folder: Path) -> tuple[subprocess.Popen[bytes], dict]:
    ready_file = folder / "ready.json"
    # Jobs stay in their first running status: nothing moves while a preview or a refresh is measured.
    policy = ["--policy", f"start_seconds={START_SECONDS}", "--policy", "full_seconds=1e6"]
    command = [sys.executable, "-m", "pulumi_drs_start.sandbox", "--ready-file", ready_file, *policy]
    command += ["--latency-ms", str(LATENCY_SECONDS * 1000)]
    sandbox = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + SANDBOX_START_SECONDS
    while not ready_file.exists():
        if sandbox.poll() is not None or time.monotonic() > deadline:
            sandbox.kill()
            raise BenchError("the sandbox did not start")
        time.sleep(0.02)
    return sandbox, json.loads(ready_file.read_text())
