"""`python -m tests.messages`: writes the file of all messages anew."""

from .rendering import FILE, render

FILE.write_text(render(), encoding="utf-8")
print(f"wrote {FILE}")
