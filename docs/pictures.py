"""
Draw the terminal pictures of the documentation from what the real `pulumi` prints: `make pictures`.

A dozen jobs are started on a local DRS sandbox; then one of them is found unstarted, and previewed. The colours and the words
are pulumi's own: nothing is edited. `tests/docs/test_pictures.py` compares the pictures with a run of its own.
"""

from __future__ import annotations

import inspect
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PROJECT = ROOT / "examples" / "quickstart"

RUNNING = ("audit-trail", "reporting-mart")
TO_START = (
    *("billing-invoices", "billing-ledger", "crm-customers", "crm-orders", "hr-records"),
    *("sensor-archive", "shop-baskets", "shop-catalog", "warehouse-stock", "web-sessions"),
)
SLOW = ("crm-orders", "sensor-archive")
FOUND_UNSTARTED = "warehouse-stock"

# For those who don't see the picture.
DESCRIPTIONS = {
    "up": "pulumi up starts ten of twelve jobs and waits until all run; the other two ran already.",
    "drift": "pulumi preview finds one of twelve jobs unstarted, names it, and would start it.",
}

# Browsers draw with a monospaced font of their own: the pictures load nothing.
FONTS = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
WIDTH = 108
# Readable beside a light page and beside a dark one.
THEME = TerminalTheme(
    (22, 27, 34),
    (201, 209, 217),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
    [
        *((110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65)),
        *((121, 192, 255), (210, 168, 255), (86, 212, 221), (240, 246, 252)),
    ],
)


class Terminal:
    """Runs pulumi in a folder of its own, and keeps what it prints, with the colours."""

    def __init__(self, folder: Path, engine: str, sandbox: Sandbox) -> None:
        self.folder = folder / PROJECT.name
        shutil.copytree(PROJECT, self.folder, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__", ".venv"))
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "DRS_", "PULUMI_", "PYTHON"))}
        self.environment = {
            **ours,
            **sandbox.environment,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), engine, os.environ.get("PATH", os.defpath)]),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": folder.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "pictures",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def run(self, *arguments: str) -> str:
        """What a pulumi command that succeeds prints, with its colours."""
        command = ["pulumi", *arguments, "--non-interactive", "--color=always"]
        ended = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)  # noqa: S603
        if ended.returncode:
            sys.exit(f"pulumi {arguments[0]} failed:\n{ended.stdout}{ended.stderr}")
        return ended.stdout


def record(engine: str) -> dict[str, tuple[str, str]]:
    """What pulumi prints, by the name of the picture: the command as typed, and its output with colours."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(full_seconds=3600) as sandbox:
        # Two jobs are slow to start, so that the row has time to name them.
        seconds = {name: 4 if name in SLOW else 1 for name in TO_START}
        sandbox.add_jobs(*(make_job(make_job_id(name), name=name, start_seconds=seconds[name]) for name in TO_START))
        sandbox.add_jobs(*(make_job(make_job_id(name), name=name, status="INCRE_TRANSFER_STARTED") for name in RUNNING))
        terminal = Terminal(Path(folder), engine, sandbox)
        terminal.run("stack", "init", "dev")
        ids = [f"jobs[{index}]={make_job_id(name)}" for index, name in enumerate((*TO_START, *RUNNING))]
        terminal.run("config", "set-all", "--path", *(part for one in ids for part in ("--plaintext", one)))
        up = terminal.run("up", "--yes", "--skip-preview", "--suppress-progress")
        sandbox.set_status(make_job_id(FOUND_UNSTARTED), "CONFIGURATION", then=[])
        drift = terminal.run("preview", "--suppress-progress")
    return {"up": ("pulumi up --yes --skip-preview", up), "drift": ("pulumi preview", drift)}


def draw(command: str, output: str, name: str) -> str:
    """The picture of a terminal, as SVG."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor", force_terminal=True, legacy_windows=False
    )
    console.print(Text.assemble(("$ ", "bright_black"), (command, "bold")))
    console.print(Text.from_ansi(re.sub(r"\n{3,}", "\n\n", output.strip())))
    code_format = inspect.signature(console.export_svg).parameters["code_format"].default
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}\s*", "", code_format, flags=re.DOTALL)
    code_format = without_fonts.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    label = f'role="img" aria-labelledby="{name}-title" '
    code_format = code_format.replace("<svg ", f"<svg {label}", 1)
    code_format = code_format.replace(">\n", f'>\n    <title id="{name}-title">{DESCRIPTIONS[name]}</title>\n', 1)
    svg = console.export_svg(title=command, theme=THEME, code_format=code_format, unique_id=f"terminal-{name}")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Write the pictures into a folder, or beside this file."""
    folder = Path(arguments[0]) if arguments else DOCS
    finding = subprocess.run([sys.executable, ROOT / ".ci" / "engine.py"], stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    for name, (command, output) in record(finding.stdout.strip()).items():
        path = folder / f"{name}.svg"
        path.write_text(draw(command, output, name), encoding="utf-8")
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
