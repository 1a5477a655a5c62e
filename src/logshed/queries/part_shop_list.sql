/*
description = """
The steps of each kind of shop; after is the place of the step that must have come before, 0 for the first.
"""
*/
{{steps}}
