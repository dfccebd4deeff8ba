"""Where events go: to a table, to lines of text or JSON."""
