"""Anomaly detectors: one .toml file each, with its series in SQL, its method, its lines and its cases."""
