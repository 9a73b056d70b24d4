"""
Changes the package in one small place at a time and runs the fast tests: a change that none of them notices is not tested.

`make mutants` tries a sample of the changes of `reconcile/` and prints those that survived. `mutations` says what is changed,
`running` runs the tests. No file is written: the changed source is handed to the process that imports it.
"""
