"""Views of a task group: the live picture, changes line by line, and reports at the end.

Start with `group_renderer`, which folds events into the group and hands it to a view.
"""
