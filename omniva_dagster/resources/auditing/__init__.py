"""The hourly audit: Paradox over the whole ledger, and what is recorded but has no place in it.

`reading` brings every packet into DuckDB, `lineage` looks at how they hang together, `documents`
at what they say, `run` records what was found and has Zenith decide on it.
"""
