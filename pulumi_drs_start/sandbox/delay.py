"""How far a copy is behind its source: a number that shrinks, stands still, grows or flaps, and how DRS keeps silent about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Silence = Literal["minus_one", "empty", "text", "null", "absent", "no_row", "failed_row"]
# What stands in a row instead of the number.
WORDS: dict[str, str | None] = {"minus_one": "-1", "empty": "", "text": "NA", "null": None}
Seconds = Annotated[float, Field(ge=0, le=1e10)]


class Delay(BaseModel):
    """
    The delay of a job in its incremental phase, never below 0. It changes once a sandbox second.

    It counts from the beginning of the phase (after a pause that is a new one), or from the moment it is set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: Seconds = Field(0.0, description="how far behind at first")
    falls: float = Field(0.0, ge=-1e10, le=1e10, description="seconds that it loses each second: 0 stalls, less grows")
    flaps: Seconds = Field(0.0, description="seconds that are added during every other period, the second one first")
    flap_every: float = Field(60.0, ge=1, le=1e10, description="length of such a period in seconds")
    silent: Silence | None = Field(
        None,
        description="no number is told: -1, an empty text, NA, null, no such key, no row of the job, or a row with an error",
    )

    def after(self, elapsed: float) -> float:
        """Seconds behind, so many seconds after the beginning."""
        is_up = elapsed // self.flap_every % 2 == 1
        return self.without_flaps(elapsed) + (self.flaps if is_up else 0.0)

    def without_flaps(self, elapsed: float) -> float:
        return max(0.0, self.seconds - self.falls * (elapsed // 1))

    def changed(self, changes: Delay, seconds: float) -> Delay:
        """The fields that were given, and the rest as it was; it goes on from `seconds` if that is not given."""
        return self.model_copy(update={"seconds": seconds, **changes.model_dump(exclude_unset=True)})


def told(name: str, number: int, silence: str | None) -> dict[str, Any]:
    """The field of a row that tells the number: as a string, and in silence something else or nothing."""
    if silence is None:
        return {name: str(number)}
    return {name: WORDS[silence]} if silence in WORDS else {}
