"""
Which jobs the resources of the program declare, as far as this process knows. Deleting one resource never pauses or stops a job
that another one declares.

Pulumi deletes what is gone from a program after it has checked every other resource. Some commands do not check them all: these
pause and stop nothing that another resource could declare. A front with a process for each provider lets these processes tell
each other through files.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..reconcile.declared import Place


@dataclass(slots=True)
class DeclaredJobs:
    """The jobs that the resources of a program declare, and where. May be shared by threads; ids are kept as digests."""

    _jobs: dict[str, tuple[Place | None, frozenset[str]]] = field(default_factory=dict)
    _replaced: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _file: Path | None = None
    _is_alone: bool = False

    def share(self, folder: Path) -> None:
        """Tell the processes that share this folder what is declared here, and hear what is declared there."""
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            for file in filter(_is_left_behind, folder.iterdir()):
                file.unlink()
            self._file = folder / str(os.getpid())
            self._file.touch(mode=0o600)
            self._is_alone = hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()
        except OSError:
            self._is_alone = True
        atexit.register(self._leave)

    def declare(self, urn: str, place: Place | None, job_ids: Iterable[str]) -> None:
        """Note what a resource declares. A place of None is not known yet, and so are its jobs."""
        self._note("declare", urn, place and [place.endpoint, place.project_id], [_digest(job_id) for job_id in job_ids])

    def is_replaced(self, urn: str) -> None:
        """Note that a resource is to be replaced. If it is deleted before that is made, the program has not come to its end."""
        self._note("is_replaced", urn)

    def is_made(self, urn: str) -> None:
        """Note that the new one was made, or that there was no need to."""
        self._note("is_made", urn)

    def at(self, place: Place, job_ids: Iterable[str]) -> frozenset[str]:
        """Those of these jobs that any resource declares at this place."""
        declared = [digests for one in self._everybody() for where, digests in one._jobs.values() if where == place]
        digests = frozenset().union(*declared)
        return frozenset(job_id for job_id in job_ids if _digest(job_id) in digests)

    def declares(self, urn: str, place: Place) -> bool:
        """Whether the program has this very resource, at this place. Without a name it can't be told from others."""
        return bool(urn) and any(urn in one._jobs and one._jobs[urn][0] == place for one in self._everybody())

    def why_unsure(self, urn: str) -> str | None:
        """Why more may be declared than is known here; None if all is known."""
        everybody = self._everybody()
        if any(urn in one._replaced for one in everybody):
            return "the resource is deleted before its replacement is created"
        declared = [where for one in everybody for where, _ in one._jobs.values()]
        if None in declared or (declared and not urn):
            return "it is not known where another resource has its jobs"
        return "the other providers of the program can't be heard" if self._is_alone else None

    def _note(self, *event: Any) -> None:
        with self._lock:
            self._happened(*event)
            if self._file is not None and not self._is_alone:
                try:
                    with self._file.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(event) + "\n")
                except OSError:
                    self._is_alone = True

    def _happened(self, what: str, urn: str, place: Any = None, digests: Iterable[str] = ()) -> None:
        if what == "declare":
            self._jobs[urn] = (Place(*place) if place else None, frozenset(digests))
        elif what == "is_replaced":
            self._replaced.add(urn)
        else:
            self._replaced.discard(urn)

    def _everybody(self) -> list[DeclaredJobs]:
        """What this process knows, and what the others know."""
        with self._lock:
            known = [DeclaredJobs(dict(self._jobs), set(self._replaced))]
        try:
            for file in self._file.parent.iterdir() if self._file and not self._is_alone else ():
                if file != self._file:
                    other = DeclaredJobs()
                    for line in file.read_text("utf-8").splitlines():
                        other._happened(*json.loads(line))
                    known.append(other)
        except (OSError, ValueError):
            # One that is gone, or at writing: what it declares is not known.
            self._is_alone = True
        return known

    def _leave(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()
                self._file.parent.rmdir()


def _is_left_behind(file: Path) -> bool:
    """Whether a file is of a process that was killed: an earlier command may have had the same name for its folder."""
    if os.name != "posix":
        return False
    try:
        os.kill(int(file.name), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _digest(job_id: str) -> str:
    # Ids may be secret, and files may be left behind.
    return hashlib.blake2b(job_id.encode(), digest_size=16).hexdigest()
