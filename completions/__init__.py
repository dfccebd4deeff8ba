"""The completion scripts, and the generator that writes them from the commands.

`python -m completions.generate` writes them; start reading at `generate`. The
scripts are complete, so that Tab never starts Python.
"""
