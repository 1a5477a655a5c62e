"""The verbs of a lake in Python, a module for each group; ``logshed.api.Lake`` has them all."""
