"""What an assistant may ask a lake: tools that read and never change anything, by the Model Context Protocol.

``tools`` are the questions, on any lake as it is seen by whoever asks; ``server`` speaks the protocol (extra ``mcp``).
"""

from __future__ import annotations
