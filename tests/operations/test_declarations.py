"""What a program is known to declare, and when that is not enough to pause or stop anything."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from pulumi_drs_start.operations.declarations import DeclaredJobs
from pulumi_drs_start.reconcile.declared import Place

HERE, THERE = Place("https://drs.example.com", "1"), Place("https://drs.example.com", "2")


def test_jobs_are_declared_at_their_place_alone() -> None:
    declared = DeclaredJobs()
    declared.declare("one", HERE, ["a"])
    declared.declare("two", HERE, ["b"])
    declared.declare("three", THERE, ["c"])

    assert declared.at(HERE, "abc") == {"a", "b"}
    assert declared.at(THERE, "abc") == {"c"}


def test_what_a_resource_declares_last_counts() -> None:
    declared = DeclaredJobs()
    declared.declare("one", HERE, ["a", "b"])
    declared.declare("one", HERE, ["b"])

    assert declared.at(HERE, "abc") == {"b"}


def test_a_resource_whose_place_is_not_known_may_declare_anything() -> None:
    declared = DeclaredJobs()
    declared.declare("one", None, ())
    assert declared.why_unsure("gone") is not None

    declared.declare("one", HERE, ["a"])
    assert declared.why_unsure("gone") is None


def test_a_resource_that_is_deleted_before_its_replacement_is_made_is_not_the_end_of_the_program() -> None:
    declared = DeclaredJobs()
    declared.declare("one", HERE, ["a"])
    declared.is_replaced("one")
    assert declared.why_unsure("one") is not None
    assert declared.why_unsure("another") is None

    declared.is_made("one")
    assert declared.why_unsure("one") is None


def test_processes_that_share_a_folder_know_what_the_others_declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = DeclaredJobs(), DeclaredJobs()
    for process, one in ((1, ours), (os.getpid(), theirs)):
        monkeypatch.setattr("os.getpid", lambda process=process: process)
        one.share(tmp_path / "shared")
    theirs.declare("one", HERE, ["a"])
    theirs.declare("two", None, ())
    ours.declare("three", HERE, ["b"])

    assert ours.at(HERE, "abc") == {"a", "b"}
    assert ours.declares("one", HERE)
    assert ours.why_unsure("gone") == "it is not known where another resource has its jobs"
    assert "a" not in {
        word for file in (tmp_path / "shared").iterdir() for word in json.loads(file.read_text().split("\n")[0])[3]
    }


def test_what_a_process_that_was_killed_declared_is_forgotten(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    (tmp_path / str(gone.pid)).write_text('["declare", "one", null, []]\n')
    declared = DeclaredJobs()

    declared.share(tmp_path)

    assert declared.why_unsure("two") is None


def test_a_process_that_can_not_hear_the_others_is_not_sure(tmp_path: Path) -> None:
    (tmp_path / "shared").touch()
    declared = DeclaredJobs()
    declared.share(tmp_path / "shared")

    declared.declare("one", HERE, ["a"])

    assert declared.at(HERE, "ab") == {"a"}
    assert declared.why_unsure("gone") == "the other providers of the program can't be heard"


def test_what_another_process_is_just_writing_makes_nothing_sure(tmp_path: Path) -> None:
    declared = DeclaredJobs()
    declared.share(tmp_path)
    (tmp_path / "1").write_text('["declare", "one", ["https://drs')

    assert declared.at(HERE, "a") == frozenset()
    assert declared.why_unsure("gone") == "the other providers of the program can't be heard"
