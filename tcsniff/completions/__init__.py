"""Completion scripts, one module a shell. Written ahead: Tab never starts Python."""
