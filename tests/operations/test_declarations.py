"""What a program is known to declare, and when that is not enough to pause or stop anything."""

from __future__ import annotations

from pulumi_drs_start.operations.declarations import DeclaredJobs
from pulumi_drs_start.reconcile.declared import Place

HERE, THERE = Place("https://drs.example.com", "1"), Place("https://drs.example.com", "2")


def test_jobs_are_declared_at_their_place_alone() -> None:
    declared = DeclaredJobs()
    declared.declare("one", HERE, ["a"])
    declared.declare("two", HERE, ["b"])
    declared.declare("three", THERE, ["c"])

    assert declared.at(HERE) == {"a", "b"}
    assert declared.at(THERE) == {"c"}


def test_what_a_resource_declares_last_counts() -> None:
    declared = DeclaredJobs()
    declared.declare("one", HERE, ["a", "b"])
    declared.declare("one", HERE, ["b"])

    assert declared.at(HERE) == {"b"}


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
