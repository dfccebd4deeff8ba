"""The manual pages, and the generator that writes them from commands and texts.

`python -m man.generate` writes them; start reading at `generate`. Not shipped
with the package, which holds the texts: tcsniff/commands/topics and examples.
"""
