"""The whole text."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from pulumi_drs_start.drs.text import forget

from . import jobs, programs, services
from .page import Page

FILE = Path(__file__).with_name("messages.txt")


def render() -> str:
    """Every message, under headings."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        for name in [name for name in os.environ if name.startswith(("OS_", "DRS_", "PULUMI_CONFIG"))]:
            patch.delenv(name)
        page = Page(patch, Path(folder))
        for part in (jobs, programs, services):
            part.render(page)
            forget()
        return page.text
