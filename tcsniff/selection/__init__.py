"""What a user asks for: flags and expressions, turned into bindings and filters.

Pure. Start with `select`: flags become a `Selection`, whose bindings the broker
matches; `filters` and `expressions` check the content of events on arrival.
"""
