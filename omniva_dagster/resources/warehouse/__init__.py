"""The warehouse: every asset as Parquet that pandas, DuckDB and Polars open as a folder."""
