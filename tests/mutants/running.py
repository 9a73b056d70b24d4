"""Runs the fast tests in processes of their own, with one file of the package changed on its way into the process."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from .mutations import Mutant

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pulumi_drs_start"
TESTS = ("tests/reconcile", "tests/schema", "tests/operations")
# What is loaded before is not rewritten for assertions, which only matters to plugins themselves.
_OPTIONS = ("-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
# Loaded once, before the processes part: this takes longer than most tests.
_LOADED_BEFORE = ("fastapi", "hypothesis.strategies", "keystoneauth1.session", "requests", "uvicorn")
# Processes that share what is loaded, so no threads may run before.
_FORK = multiprocessing.get_context("fork")


@dataclass(eq=False)
class Recorder:
    """A pytest plugin: which functions of the package each test runs, and how long it takes.

    Attributes:
        functions: by test, their files and first lines.
        seconds: by test.
    """

    functions: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _current: set[tuple[str, int]] = field(default_factory=set)

    def _note(self, frame: FrameType, _event: str, _argument: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(str(PACKAGE)):
            self._current.add((code.co_filename, code.co_firstlineno))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._current = self.functions[item.nodeid] = set()
        sys.settrace(self._note)
        threading.settrace(self._note)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that run the changed function, the quickest first; all of them where the change is in none."""
        place = (str(mutant.path), mutant.function)
        tests = [test for test, functions in self.functions.items() if mutant.function is None or place in functions]
        return sorted(tests, key=lambda test: self.seconds[test])


@dataclass(eq=False)
class _Chosen:
    """A pytest plugin: these tests, in this order."""

    tests: Sequence[str]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        found = {item.nodeid: item for item in items}
        items[:] = [found[test] for test in self.tests if test in found]


@dataclass
class _Changed(MetaPathFinder):
    """Loads one file of the package with a change."""

    mutant: Mutant

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> ModuleSpec | None:
        path, source = self.mutant.path, self.mutant.source
        if name != ".".join(path.relative_to(ROOT).with_suffix("").parts):
            return None

        class Loader(SourceFileLoader):
            def get_code(self, _name: str) -> CodeType:
                code: CodeType = compile(source, str(path), "exec")
                return code

        return spec_from_loader(name, Loader(name, str(path)))


def load() -> None:
    """Load what every process needs, and nothing of the package."""
    for name in _LOADED_BEFORE:
        importlib.import_module(name)


def record() -> Recorder | None:
    """Run all tests without a change; None if one fails."""
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_record, args=(sender,))
    process.start()
    sender.close()
    try:
        recorder: Recorder | None = receiver.recv()
    except EOFError:
        recorder = None
    process.join()
    return recorder


def outcome(mutant: Mutant, recorder: Recorder) -> str:
    """What came of the tests with a change: ``survived``, ``killed``, ``timed out`` or, where none runs it, ``not run``."""
    tests = recorder.tests_of(mutant)
    if not tests:
        return "not run"
    process = _FORK.Process(target=_run, args=([_Chosen(tests)], sorted({test.partition("::")[0] for test in tests}), mutant))
    process.start()
    # A change may make a loop endless.
    process.join(30 + 5 * sum(recorder.seconds[test] for test in tests))
    if process.is_alive():
        process.kill()
        process.join()
        return "timed out"
    return "killed" if process.exitcode else "survived"


def _record(sender: Connection) -> None:
    recorder = Recorder()
    _run([recorder], TESTS, then=lambda code: None if code else sender.send(recorder))


def _run(
    plugins: Collection[object], tests: Sequence[str], mutant: Mutant | None = None, then: Callable[[int], None] = lambda _: None
) -> None:
    """Run tests in this process and end it."""
    os.chdir(ROOT)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if mutant is not None:
        sys.meta_path.insert(0, _Changed(mutant))
        os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = int(pytest.main([*_OPTIONS, *tests], plugins=list(plugins)))
    then(code)
    os._exit(code)
