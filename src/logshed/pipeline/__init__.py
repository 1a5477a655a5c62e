"""The verbs: one file each, put together from the layers below."""
