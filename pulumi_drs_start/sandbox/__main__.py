"""Run a sandbox until interrupted: `python -m pulumi_drs_start.sandbox --seed-jobs 3`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import textwrap
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from .browsers import is_loopback
from .jobs import JobSpec, make_job, make_job_id
from .policy import Account, Policy
from .server import Sandbox, SandboxNotInstalledError

NAMES = ("crm-orders", "crm-customers", "billing", "shop-catalog", "warehouse", "sessions", "reporting", "hr-records")
ENGINES = ("mysql", "postgresql", "mongodb", "mysql-to-gaussdbv5")


def seed_jobs(count: int) -> list[dict[str, Any]]:
    """Jobs as they might be found in a project, the same ones every time."""
    return [
        make_job(
            make_job_id(f"seed-{index}"),
            name=NAMES[index % len(NAMES)] + (f"-{index // len(NAMES) + 1}" if index >= len(NAMES) else ""),
            engine_type=ENGINES[index % len(ENGINES)],
        )
        for index in range(count)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, start, print where, wait for a signal, stop."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not (options.allow_remote or is_loopback(options.host)):
        parser.error(f"--host {options.host} may be reachable from outside; add --allow-remote if that is meant")
    try:
        policy = _settings(options.policy) | {"speed": options.speed, "latency_ms": options.latency_ms}
        jobs = [JobSpec.model_validate(job).model_dump() for job in _jobs(options)]
        sandbox = Sandbox(host=options.host, port=options.port, allow_remote=options.allow_remote, **policy)
    except (OSError, ValueError, TypeError) as error:
        parser.error(_in_words(error))
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    try:
        sandbox.start()
    except SandboxNotInstalledError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        parser.error(f"cannot listen on {options.host}:{options.port}: {error}")
    if not is_loopback(options.host):
        said = "lets other machines in: the password is no secret, and control calls ask for none."
        print(f"Warning: {options.host} {said}", file=sys.stderr)
    sandbox.add_jobs(*jobs)
    _announce(sandbox, {job["id"]: job["name"] for job in jobs}, options.ready_file)
    done.wait()
    sandbox.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pulumi_drs_start.sandbox",
        description="A local DRS and IAM: jobs that move through their states, and faults on request.\n"
        "A browser shows them at the address that is printed, with buttons to pause jobs, let them fail, and more.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--allow-remote", action="store_true", help="permit a --host that is not loopback")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--jobs", type=Path, metavar="FILE", help='JSON: a list of jobs, or {"jobs": [...]}')
    parser.add_argument("--seed-jobs", type=int, default=0, metavar="N", help="begin with N made-up jobs, always the same")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every call")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than the clock time passes")
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="written as JSON once calls are answered")
    parser.add_argument(
        "--policy", action="append", default=[], metavar="NAME=VALUE", help="one of the policies below; may be repeated"
    )
    return parser


def _epilog() -> str:
    def names(model: type[BaseModel]) -> str:
        return textwrap.fill(", ".join(model.model_fields), 100, initial_indent="  ", subsequent_indent="  ")

    parts = ["policies, with their defaults (one that is empty stands for none):"]
    for name, field in Policy.model_fields.items():
        words = ", ".join(_words(field.annotation))
        parts.append(f"  {name}={_shown(field.default)}{f'  ({words})' if words else ''}\n      {field.description}")
    # Without the defaults: some are passwords, if made-up ones.
    parts += ["", "of the account, given in the same way:", names(Account)]
    parts += ["", "fields of a job in --jobs FILE, of which only the id is needed; docs/sandbox.md has a sample:", names(JobSpec)]
    return "\n".join(parts)


def _words(kind: object) -> tuple[str, ...]:
    """What a policy can be, where that is one of a few words."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def _shown(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _settings(pairs: Sequence[str]) -> dict[str, Any]:
    settings = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"--policy {pair}: NAME=VALUE expected")
        # Pydantic turns words into numbers and booleans; only None has no word of its own.
        settings[name.replace("-", "_")] = None if text == "" else text
    return settings


def _jobs(options: argparse.Namespace) -> list[dict[str, Any]]:
    jobs = seed_jobs(options.seed_jobs)
    if options.jobs is not None:
        content = json.loads(options.jobs.read_text(encoding="utf-8"))
        listed = content.get("jobs") if isinstance(content, dict) else content
        if not isinstance(listed, list):
            raise ValueError(f"{options.jobs}: a list of jobs expected")
        jobs += listed
    return jobs


def _in_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return str(error)


def _announce(sandbox: Sandbox, jobs: Mapping[str, str], ready_file: Path | None) -> None:
    print(f"DRS sandbox listening on {sandbox.url}")
    print(f"# Watch it in a browser: {sandbox.url}/")
    for name, value in sandbox.environment.items():
        print(f"export {name}={value}")
    for job_id, name in jobs.items():
        print(f"# job {job_id} {name}".rstrip())
    sys.stdout.flush()
    if ready_file is not None:
        content = {"url": sandbox.url, "environment": sandbox.environment, "jobs": list(jobs)}
        # Whoever waits for the file must never find half of it.
        half = ready_file.with_name(ready_file.name + ".part")
        half.write_text(json.dumps(content), encoding="utf-8")
        half.replace(ready_file)


if __name__ == "__main__":
    sys.exit(main())
