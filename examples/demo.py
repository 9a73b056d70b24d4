"""
Watch the real `pulumi` start a batch of jobs on a local DRS sandbox: `make demo`, and in a browser at the address it prints.
With `--keep`, as `make demo KEEP=1` has it, the sandbox stays open afterwards, until Ctrl-C.

It runs `examples/quickstart` and checks everything it claims: the exit status is 0 only if all checks passed. Whatever it
makes (state, Pulumi's home, a copy of the project) is in one temporary folder, and neither that nor a process outlives it,
however it ends. A user's login, stacks and plugins are not touched.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo_processes import Interrupted, Interruptions, Processes

if TYPE_CHECKING:
    from rich.console import Console

    from pulumi_drs_start.sandbox import SandboxAdmin

ROOT = Path(__file__).resolve().parent.parent
# Not resolved: the interpreter of a virtual environment is a link out of it.
BIN = Path(sys.executable).parent

# More than one default page of DRS (5 rows). The names say what moves where.
TO_START = (
    "crm-orders",
    "crm-customers",
    "billing-ledger",
    "billing-invoices",
    "shop-catalog",
    "shop-baskets",
    "warehouse-stock",
    "hr-records",
    "web-sessions",
    "sensor-archive",
)
RUNNING_ALREADY = {"reporting-mart": "INCRE_TRANSFER_STARTED", "audit-trail": "FULL_TRANSFER_STARTED"}
FOUND_UNSTARTED = "warehouse-stock"

# The sandbox answers within a second or two; the rest is room for a busy machine.
SANDBOX_START_SECONDS = 60
# A build of the engine that is interrupted removes gigabytes first.
ENGINE_GRACE_SECONDS = 120
EXIT_INTERRUPTED = 130
TABLE_WIDTH = 116


class DemoError(Exception):
    """Something did not do what the demo claims."""


class Demo:
    """The steps, in order; each prints what it does and checks what it says."""

    def __init__(self, folder: Path, processes: Processes, console: Console) -> None:
        self.folder = folder
        self.processes = processes
        self.console = console
        self.project = folder / "quickstart"
        self.env: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.login: dict[str, str] = {}
        self.sandbox: SandboxAdmin

    def run(self) -> None:
        engine = self.find_engine()
        self.start_sandbox(engine)
        self.start_jobs()
        self.start_again()
        self.repair()
        self.destroy()

    def find_engine(self) -> Path:
        self.heading("Find pulumi")
        finding = self.processes.start(
            [sys.executable, ROOT / ".ci" / "engine.py"], grace_seconds=ENGINE_GRACE_SECONDS, cwd=ROOT, stdout=subprocess.PIPE
        )
        output, _ = finding.communicate()
        if finding.returncode:
            raise DemoError("there is no pulumi to run, and it could not be built; the reason is above")
        folder = Path(output.strip())
        version = subprocess.run([folder / "pulumi", "version"], env=self.environment(folder), capture_output=True, text=True)  # noqa: S603
        self.say(f"pulumi {version.stdout.strip()} in {folder}")
        return folder

    def start_sandbox(self, engine: Path) -> None:
        from pulumi_drs_start.sandbox import SandboxAdmin, make_job, make_job_id

        count = len(TO_START) + len(RUNNING_ALREADY)
        self.heading(f"Start a local DRS with {count} jobs, {len(RUNNING_ALREADY)} of them running already")
        self.ids = {name: make_job_id(name) for name in (*TO_START, *RUNNING_ALREADY)}
        self.names = {job_id: name for name, job_id in self.ids.items()}
        # Jobs start at different speeds, so that there is something to see.
        jobs = [make_job(self.ids[name], name=name, start_seconds=0.4 + 0.2 * (i % 6)) for i, name in enumerate(TO_START)]
        jobs += [make_job(self.ids[name], name=name, status=status) for name, status in RUNNING_ALREADY.items()]
        jobs_file, ready_file, log_file = (self.folder / name for name in ("jobs.json", "ready.json", "sandbox.log"))
        jobs_file.write_text(json.dumps(jobs), encoding="utf-8")
        files: list[str | Path] = ["--jobs", jobs_file, "--ready-file", ready_file]
        command = [sys.executable, "-m", "pulumi_drs_start.sandbox", "--port", "0", *files]
        with log_file.open("w") as log:
            sandbox = self.processes.start(
                command, grace_seconds=2, cwd=self.folder, env=self.environment(), stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + SANDBOX_START_SECONDS
        while not ready_file.exists():
            if sandbox.poll() is not None or time.monotonic() > deadline:
                raise DemoError(f"the sandbox did not start:\n{log_file.read_text().strip()}")
            time.sleep(0.02)
        ready = json.loads(ready_file.read_text(encoding="utf-8"))
        self.sandbox = SandboxAdmin(ready["url"])
        self.env = self.environment(engine, ready["environment"])
        self.login = ready["environment"]
        self.say(f"listening on {ready['url']}\nwatch it in a browser: {ready['url']}/")
        self.show_sandbox()

    def start_jobs(self) -> None:
        self.heading("Start all jobs with `pulumi up`")
        shutil.copytree(
            ROOT / "examples" / "quickstart", self.project, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__")
        )
        self.pulumi("stack", "init", "demo")
        self.pulumi("config", "set", "jobs", json.dumps(list(self.names)), shown="config set jobs '[…]'")
        self.pulumi("up", "--yes")
        self.show_stack("What the stack knows of them now")
        rows = self.stack_rows()
        starts = {name: self.starts(name) for name in self.ids}
        self.check(all(starts[name] == 1 for name in TO_START), f"each of the {len(TO_START)} jobs was started once")
        self.check(
            not any(self.sandbox.job(self.ids[name])["start_requests"] for name in RUNNING_ALREADY),
            f"the {len(RUNNING_ALREADY)} running jobs were left alone",
        )
        self.check(all(row["phase"] == "running" for row in rows.values()), f"all {len(rows)} jobs run")

    def start_again(self) -> None:
        self.heading("Run it again: nothing happens")
        before = self.start_calls()
        output = self.pulumi("up", "--yes")
        self.pulumi("preview", "--expect-no-changes")
        self.check(self.start_calls() == before, f"no start was sent: {before} before, {before} after")
        self.check(
            re.search(r"\b2 unchanged", output) is not None, "pulumi found nothing to change, and says so by its exit status"
        )

    def repair(self) -> None:
        job_id = self.ids[FOUND_UNSTARTED]
        self.heading(f"Job {FOUND_UNSTARTED} is found unstarted: preview names it, up repairs it")
        self.sandbox.set_status(job_id, "CONFIGURATION", then=[])
        self.say(f"set back to CONFIGURATION: {FOUND_UNSTARTED}, {job_id}")
        before = self.start_calls()
        others = {name: self.starts(name) for name in self.ids if name != FOUND_UNSTARTED}
        output = self.pulumi("preview")
        named = [name for name in self.ids if f"{name} (" in output]
        self.check(named == [FOUND_UNSTARTED], "preview names this job and no other")
        self.check(self.start_calls() == before, "preview starts nothing")
        self.pulumi("up", "--yes")
        self.show_stack("After the repair")
        calls = self.sandbox.calls("batch-starting")
        self.check(len(calls) == before + 1, f"one call to start jobs was made: {before} before, {len(calls)} after")
        self.check(calls[-1]["jobs"] == [job_id], "and it named only this job")
        self.check(all(self.starts(name) == count for name, count in others.items()), "no other job was started again")
        self.check(self.stack_rows()[job_id]["phase"] == "running", f"{FOUND_UNSTARTED} runs")

    def destroy(self) -> None:
        self.heading("Destroy the stack: the jobs go on")
        self.pulumi("destroy", "--yes")
        left = json.loads(self.pulumi("stack", "export", show=False))["deployment"].get("resources")
        self.check(not left, "the stack is empty")
        self.show_sandbox()
        changes = [call for call in self.sandbox.calls() if re.search("pause|stop|DELETE|batch-jobs", call["operation"])]
        self.check(not changes, "DRS was not asked to pause, stop or delete a job")
        phases = {row["phase"] for row in self.sandbox_rows().values()}
        self.check(phases == {"running"}, f"all {len(self.ids)} jobs are still running")

    def keep(self) -> None:
        """Leave the sandbox open, until somebody ends the demo."""
        self.heading("The sandbox stays open: press Ctrl-C to end it")
        self.sandbox.reset(keep_jobs=True)
        self.say(f"The jobs are as they were at the beginning. Watch and move them: {self.sandbox.url}/")
        self.say("To use it from another terminal:")
        for name, value in self.login.items():
            self.say(f"export {name}={shlex.quote(value)}")
        while True:
            signal.pause()

    # -- helpers ---------------------------------------------------------------------------------------------------

    def environment(self, engine: Path | None = None, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the caller's environment without what would lead to the caller's own clouds and stacks."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "DRS_", "PULUMI_"))}
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        # The python of the older language host is the `python3` of PATH.
        path = os.pathsep.join(map(str, [BIN, *([engine] if engine else []), env.get("PATH", os.defpath)]))
        own_addresses = {
            name: ",".join(filter(None, [env.get(name), "127.0.0.1,localhost"])) for name in ("NO_PROXY", "no_proxy")
        }
        return {
            **env,
            **own_addresses,
            "PATH": path,
            "VIRTUAL_ENV": str(BIN.parent),
            "TMPDIR": str(temporary),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": self.folder.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Language hosts overlook pulumi-plugin.json in an editable install, and then seek a plugin to download.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **(more or {}),
        }

    def pulumi(self, *arguments: str, shown: str = "", show: bool = True) -> str:
        """Run pulumi to its end, its output shown as it comes; return the output without colours."""
        if show:
            self.console.print(f"$ pulumi {shown or shlex.join(arguments)}", style="bold", markup=False, highlight=False)
        colour = "always" if show and self.console.is_terminal and not self.console.no_color else "never"
        flags = ["--non-interactive", "--color", colour]
        if arguments[0] in ("up", "preview", "destroy"):
            flags.append("--suppress-progress")
        process = self.processes.start(
            ["pulumi", *arguments, *flags],
            cwd=self.project,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line)
            if show:
                sys.stdout.write(line)
                sys.stdout.flush()
        if process.wait():
            output = "" if show else "\n" + "".join(lines)
            raise DemoError(f"`pulumi {arguments[0]}` ended with exit status {process.returncode}{output}")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", "".join(lines))

    def stack_rows(self) -> dict[str, dict[str, Any]]:
        """Return the output `job_statuses`, as it is in the state."""
        exported = json.loads(self.pulumi("stack", "export", show=False))
        for resource in exported["deployment"]["resources"]:
            if resource["type"].endswith(":JobBatchStart"):
                rows: dict[str, dict[str, Any]] = resource["outputs"]["job_statuses"]
                return rows
        raise DemoError("the stack has no JobBatchStart")

    def sandbox_rows(self) -> dict[str, dict[str, Any]]:
        """Return how the jobs stand in the sandbox, whatever Pulumi says."""
        from pulumi_drs_start.reconcile.phase import phase_of

        jobs = self.sandbox.jobs()
        return {job_id: {"status": job["status"], "phase": phase_of(job["status"]).value} for job_id, job in jobs.items()}

    def starts(self, name: str) -> int:
        """How often DRS has started a job."""
        return int(self.sandbox.job(self.ids[name])["starts"])

    def start_calls(self) -> int:
        """How many calls to start jobs DRS has received."""
        return len(self.sandbox.calls("batch-starting"))

    def show_stack(self, title: str) -> None:
        self.show(title, self.stack_rows())

    def show_sandbox(self) -> None:
        self.show("The jobs in DRS", self.sandbox_rows())

    def show(self, title: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        from rich.table import Table

        columns = ("name", "id", "status", "phase", "outcome")
        cells = [{"outcome": "-", **rows[job_id], "name": name, "id": job_id} for job_id, name in self.names.items()]
        colours = {"running": "green", "startable": "yellow", "starting": "cyan"}
        widths = {column: max(len(column), *(len(row[column]) for row in cells)) for column in columns}
        # In a narrow terminal only the ids give way.
        too_wide = sum(widths.values()) + 2 * len(widths) - self.console.width
        widths["id"] = max(8, widths["id"] - max(0, too_wide))
        table = Table(title=title, title_justify="left", title_style="italic", box=None, padding=(0, 2, 0, 0))
        for column, width in widths.items():
            table.add_column(column, no_wrap=True, overflow="ellipsis", width=width)
        for row in cells:
            style = colours.get(row["phase"], "red")
            table.add_row(*(f"[{style}]{row[column]}[/]" if column == "phase" else row[column] for column in columns))
        self.console.print()
        self.console.print(table)

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.rule(text, align="left", characters="=")

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def check(self, is_true: bool, claim: str) -> None:
        """Say what is so, after seeing that it is."""
        if not is_true:
            raise DemoError(f"this should be so, and is not: {claim}")
        self.console.print(f"[green]checked[/]: {claim}", highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo, remove everything, return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave the sandbox open afterwards, until Ctrl-C")
    keeps_sandbox = parser.parse_args().keep
    interruptions = Interruptions()
    processes = Processes(interruptions)
    folders: list[Path] = []
    status = 1
    try:
        try:
            run(interruptions, processes, folders, keeps_sandbox=keeps_sandbox)
            status = 0
        finally:
            interruptions.ignore()
    except BaseException as error:
        # An interruption may reach us as another exception: whatever was going on may have wrapped it.
        if interruptions.was_interrupted or isinstance(error, KeyboardInterrupt):
            print("\ndemo: interrupted, cleaning up", file=sys.stderr)
            status = EXIT_INTERRUPTED
        elif isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read along is gone
        elif isinstance(error, DemoError):
            print(f"demo: {error}", file=sys.stderr)
        else:
            raise
    finally:
        processes.end()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    return status


def run(interruptions: Interruptions, processes: Processes, folders: list[Path], *, keeps_sandbox: bool) -> None:
    """Run the demo in a folder of its own."""
    started = time.monotonic()
    # Here and not above: this takes a moment, in which the demo can be interrupted as well.
    from rich.console import Console

    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="replace")  # for terminals that can't draw a table's lines
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=TABLE_WIDTH)
    with interruptions.held():
        folders.append(Path(tempfile.mkdtemp(prefix="pulumi-drs-demo-")))
    demo = Demo(folders[-1], processes, console)
    demo.run()
    console.print(f"\n[bold]All checks passed in {time.monotonic() - started:.0f} s.[/]")
    if keeps_sandbox:
        try:
            demo.keep()
        except Interrupted:
            console.print("\nThe sandbox is closed.")


if __name__ == "__main__":
    sys.exit(main())
