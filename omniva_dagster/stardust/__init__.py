"""Stardust, the ledger: packets in Parquet under a signed Merkle log (module interfaces, 4.3)."""
