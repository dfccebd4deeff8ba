"""The manual page, and what writes it and the other documents made from the commands."""
