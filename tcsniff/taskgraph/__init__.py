"""Tasks and task groups: their state, dependencies, critical path and forecast.

Pure. Start with `tracker` (tasks as known from events), `definitions` (what they depend
on) and `graph` (both together); `group` keeps one group up to date. `blocking`,
`critical_path`, `forecast` and `summary` answer questions about a graph.
"""
