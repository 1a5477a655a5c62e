"""The look of a report's pages: one template, one style sheet, one script, one chart library, put into each page."""

from __future__ import annotations

from logshed.pages.render import embedded, page

__all__ = ["embedded", "page"]
