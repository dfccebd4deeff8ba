"""Views of named tasks: the live picture, changes line by line, and a page at the end.

Start with `task_picture`, which draws the rows of `taskgraph.task_rows`.
"""
