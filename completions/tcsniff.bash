# to be written by make docs
