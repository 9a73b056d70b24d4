"""
Words for values, and texts that others wrote made fit to be shown.
"""

from __future__ import annotations


def format_seconds(seconds: float) -> str:
    """``90`` -> ``90s``, ``3600`` -> ``60m``, ``7200`` -> ``2h``; what a user would type."""
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{seconds / 3600:g}h"
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s"
