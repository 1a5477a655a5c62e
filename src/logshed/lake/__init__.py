"""Iceberg tables, the ledger and the commit: the only user of PyIceberg."""
