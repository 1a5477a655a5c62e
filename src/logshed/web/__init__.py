"""The web application: pages and an HTTP API over a lake, for a team; each sees its own collections."""
