"""Lets ``python -m tcsniff.manual`` write the documents."""

from tcsniff.manual.documents import main

main(prog_name="python -m tcsniff.manual")
