"""The pages, one file per area: each has a ``router`` and its ``PAGES``, and the folder is walked."""
