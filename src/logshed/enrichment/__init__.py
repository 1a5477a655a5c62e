"""Adds to a record what its own fields imply; one file per thing that is added."""
