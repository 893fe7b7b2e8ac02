"""Operations: what touches media and networks. No Dagster, no database."""
