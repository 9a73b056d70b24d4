"""The worker that most tests of the campaign ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.campaign import Worker


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """Of the package as it is."""
    with Worker() as one:
        yield one
