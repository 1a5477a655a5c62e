"""Lets ``python -m logshed`` do what the command does."""

from __future__ import annotations

from logshed.cli import main

if __name__ == "__main__":
    main()
