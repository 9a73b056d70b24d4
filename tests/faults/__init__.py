"""
The fault campaign: seeded schedules of faults, kills, drift and concurrency, and what must hold after each of them.

    python -m tests.faults                            hundreds of schedules and of scenarios, with a table of each
    python -m tests.faults --replay SEED              one of the schedules again
    python -m tests.faults --replay-scenario SEED     one of the scenarios again
    python -m tests.faults --exhaustive               a kill at every moment of small worlds, see `exhaustive`

`schedule` says what happens, `engine` makes it happen (each ``up`` a process of its own, so that a kill is a real one),
`program` is what runs in that process, before a front of the package: `hosting` hands resources to the hooks, `plugin` to the
plugin. `judge` says what is wrong afterwards. A schedule has one program; those of `scenarios` change.
"""
