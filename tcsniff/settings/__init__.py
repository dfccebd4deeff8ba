"""Brokers and profiles, the settings file, passwords, and the precedence of values.

`precedence` is the place to start: it finds the file (`config_file`), whose contents
(`model`) are checked by `file_schema`. `brokers` is pure.
"""
