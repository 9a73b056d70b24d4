"""
Every message that people read, in one file: `messages.txt`, to be read from top to bottom after each change of words.

`make messages` writes it. The messages are made by the package itself, from made-up jobs, programs and answers: `jobs` has those
about jobs, `programs` those about inputs and settings, `services` those about logins and DRS. A test compares the file, and looks
for texts in the code that are not in it.
"""
