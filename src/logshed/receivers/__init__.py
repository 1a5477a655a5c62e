"""Receivers: one file per protocol by which logs are pushed; what a client sent in, lines for the spool out."""
