"""A task graph as text for other programs, a module for each format, all with `export`."""
