"""
Scenarios: programs that change between commands, while commands are disturbed and others act on the same jobs.

`scenario` says what happens, as plain data; `make` makes one from a seed, of `edits` and sometimes of `openings`, and `smaller`
takes parts away. `stack` makes it happen with a model of Pulumi's engine, `command` is what runs in the process of each command,
and `console` is somebody else who acts on the jobs. `history` is what was seen of it, `judge` says what is wrong with that, and
`rare` which rare states were reached. `exposing` has scenarios in which each oracle notices a broken build. `real` makes it
happen with the real engine instead, to show that the model is right.
"""
