"""What Taskcluster publishes on Pulse: exchanges, routing keys, messages and records.

Pure. Start with `exchanges`, the catalog; then `deliveries` (a message as it was
received), `events` (the same decoded) and `records` (the same as a line of JSON).
"""
