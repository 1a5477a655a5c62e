"""Log formats: one TOML file each, and the machinery that detects, joins, unwraps and parses by columns.

A format is data: ``apache_combined.toml`` beside this file, or a file of the user's own. See ``model.py`` for its keys.
"""
