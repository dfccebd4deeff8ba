"""The wiring of a command's source, selection and view.

Imported when a command runs, not for its help. Start with `event_run` for events
and `group_run` for task groups.
"""
