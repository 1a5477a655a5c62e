"""Stack traces inside a record: where one begins, the type of its exception and its message."""

from __future__ import annotations

import polars as pl

from logshed.formats.columns import column_or_nothing, nothing

_TYPE = r"(?P<type>(?:[A-Za-z_$][A-Za-z0-9_$]*[.:]{1,2})*[A-Za-z_$][A-Za-z0-9_$]*)"
_DOTTED = r"(?P<type>(?:[A-Za-z_$][A-Za-z0-9_$]*\.)+[A-Za-z_$][A-Za-z0-9_$]*)"
_ERROR = r"(?P<type>(?:[A-Za-z_$][A-Za-z0-9_$]*\.)*(?:[A-Za-z_$][A-Za-z0-9_$]*)?(?:Error|Exception))"
_RUBY = r"(?P<type>[A-Z][A-Za-z0-9_]*(?:::[A-Z][A-Za-z0-9_]*)*)"
_PHP = r"(?P<type>\\?[A-Za-z_][A-Za-z0-9_\\]*)"
_HEAD = r"(?s)^(?:(?P<body>.*?)\n)?"
_FRAME = r"\n[ \t]*(?:at |\.\.\. [0-9]+ |--- End of ).*)$"
_PATTERNS = (
    # Java, Kotlin, Scala, .NET: the type with its package, frames that begin with "at"
    _HEAD
    + r"(?P<stack>[ \t]*(?:Exception in thread \"[^\"\n]*\" |Unhandled [Ee]xception[.:]? )?"
    + _DOTTED
    + r"(?: \([^)\n]*\))?(?:: ?(?P<message>.*?))?"
    + _FRAME,
    # JavaScript: a type without a package, which ends in Error
    _HEAD + "(?P<stack>[ \\t]*(?:Uncaught )?" + _ERROR + r"(?: \[[A-Z0-9_]+\])?(?:: (?P<message>.*?))?\n[ \t]+at .*)$",
    # Python: the type comes last
    _HEAD + r"(?P<stack>Traceback \(most recent call last\):\n.*\n" + _TYPE + r"(?:: (?P<message>[^\n]*))?\s*)$",
    # Go: a panic and its goroutines, net/http's among them
    _HEAD + r"(?P<stack>(?P<type>panic|fatal error): (?P<message>[^\n]*)\n.*goroutine [0-9]+ \[.*)$",
    r"(?s)^(?P<body>http: (?P<type>panic) serving [^ \n]+: (?P<message>[^\n]*))\n(?P<stack>goroutine [0-9]+ \[.*)$",
    # Ruby and Rails: the message in brackets, or the type in brackets after it
    _HEAD + r"(?P<stack>[ \t]*" + _RUBY + r" \((?P<message>[^\n]*)\):?\n(?:[ \t]*\n)*[^\n]*\.rb:[0-9]+:in .*)$",
    _HEAD + r"(?P<stack>[^ \n]+:[0-9]+:in [^\n]*: (?P<message>[^\n]*) \(" + _RUBY + r"\)\n[ \t]+(?:[0-9]+: )?from .*)$",
    _HEAD + r"(?P<stack>[ \t]*" + _RUBY + r": (?P<message>[^\n]*)\n(?:[ \t]*[^ \n]+\.rb:[0-9]+:in ).*)$",
    # PHP: before version 7, since, and as Monolog writes it
    _HEAD + r"(?P<stack>[^\n]*exception '" + _PHP + r"' with message '(?P<message>.*?)' in [^\n]*\nStack trace:\n#.*)$",
    _HEAD + r"(?P<stack>[^\n]*(?:Uncaught )" + _PHP + r": (?P<message>.*?) in [^ \n]+:[0-9]+\nStack trace:\n#.*)$",
    r"(?s)^(?P<body>.*?) (?P<stack>\{\"exception\":\"\[object\] \("
    + _PHP
    + r"\(code: [^)]*\): (?P<message>.*?) at [^ \n]+:[0-9]+\)\n\[stacktrace\]\n#.*)$",
    # Dart
    _HEAD + r"(?P<stack>Unhandled exception:\n(?:(?P<type>[A-Z][A-Za-z]*(?:Error|Exception))(?: \([a-z]+\))?(?:: |\n))?"
    r"(?P<message>.*?)\n?#0 +.*)$",
    # Java again: the exception stands in the message's own line
    _HEAD + r"(?P<stack>Caused by: " + _DOTTED + r"(?:: ?(?P<message>.*?))?\n[ \t]+at .*)$",
)


_COLUMNS = {"exception_type": "type", "exception_message": "message", "exception_stacktrace": "stack"}


def split_traces(frame: pl.DataFrame) -> pl.DataFrame:
    """Move a stack trace out of ``body`` into ``exception_*``; rows of one line are left alone."""
    body = frame["body"]
    rows = body.str.contains("\n", literal=True).fill_null(value=False).arg_true()
    if rows.is_empty():
        return frame
    found = _find(body.gather(rows))
    kept = found["body"].fill_null(found["stack"].str.split("\n").list.first())
    kept = kept.zip_with(found["stack"].is_not_null(), body.gather(rows))
    changed = {"body": body.clone().scatter(rows, kept)}
    for name, source in _COLUMNS.items():
        before = column_or_nothing(frame, name)
        changed[name] = before.scatter(rows, before.gather(rows).fill_null(found[source]))
    return frame.with_columns([series.alias(name) for name, series in changed.items()])


def describe_traces(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill the exception's type and message from its stack trace where the log gives the trace alone."""
    stack = frame["exception_stacktrace"]
    given = frame["exception_type"] if "exception_type" in frame.columns else None
    wanted = stack.is_not_null() if given is None else stack.is_not_null() & given.is_null()
    wanted &= stack.str.contains("\n", literal=True)
    if not wanted.any():
        return frame
    rows = wanted.arg_true()
    found = _find(stack.gather(rows))
    changed = []
    for name, source in _COLUMNS.items():
        before = column_or_nothing(frame, name)
        changed.append(before.scatter(rows, before.gather(rows).fill_null(found[source])).alias(name))
    return frame.with_columns(changed)


def _find(text: pl.Series) -> pl.DataFrame:
    names = ("body", "stack", "type", "message")
    found = pl.DataFrame({name: nothing(text.len()) for name in names})
    for pattern in _PATTERNS:
        left = found["stack"].is_null()
        if not left.any():
            break
        more = text.str.extract_groups(pattern).struct.unnest()
        found = found.with_columns(more[name].zip_with(left, found[name]).alias(name) for name in names)
    return found
