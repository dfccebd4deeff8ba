"""The output of `runs`: rows as JSON, CSV and TSV lines, or as columns.

Start with `runs_renderer`; the rows come from `tcsniff.stats.run_ledger`.
"""
