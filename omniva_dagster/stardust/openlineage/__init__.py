"""What the ledger knows of Dagster's runs, as OpenLineage events (specification 2-0-2)."""
