"""What destinations share: the message, safe text, templates, HTTP."""
