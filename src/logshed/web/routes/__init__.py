"""The HTTP API, one file per area: each has a ``router``, and the folder is walked."""
