"""A report as one page for people: no script, nothing from elsewhere, readable on a screen and on paper."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PARAGRAPH = re.compile(r"\n(?=[A-Z][a-z]+:)")
FEW = 3
"""Columns that fit on a narrow screen."""
CLASSES = {
    "secret": "what opens a door",
    "personal": "data about a person",
    "identifier": "names of users, orders and accounts",
    "address": "addresses of machines",
    "trace": "stack traces",
}


def page(report: Mapping[str, Any]) -> str:
    """The page of a report."""
    body = "\n".join(
        (_head(report), _found(report), _by_file(report), _examples(report), _looked_for(report), _proof(report))
    )
    return Template(files("logshed.redaction").joinpath("page.html").read_text("utf-8")).substitute(body=body)


def _head(report: Mapping[str, Any]) -> str:
    policy = report["policy"]
    counts = report["found"]["rules"]
    written = sum(bool(file["output"]) for file in report["files"])
    tiles = [
        (f"{sum(counts.values()):,}", "values replaced"),
        (f"{report['lines']:,}", "lines read"),
        (f"{written:,}", "files written" if written != 1 else "file written"),
        (f"{len(counts):,} of {sum(rule['action'] != 'keep' for rule in report['rules']):,}", "rules found something"),
        (f"{report['seconds']:,.1f} s", "took"),
    ]
    drawn = "".join(f'<div class="tile"><b>{_text(value)}</b><span>{_text(name)}</span></div>' for value, name in tiles)
    problems = "".join(f'<p class="bad">{_text(problem)}</p>' for problem in report["problems"])
    return (
        f'<p class="soft">{_text(report["started"].replace("T", " ").replace("Z", " UTC"))} · policy '
        f"<b>{_text(policy['name'])}</b> · {_text(report['program'])}</p>"
        f'<p>{_text(policy["title"])}.</p><div class="tiles">{drawn}</div>{problems}'
    )


def _found(report: Mapping[str, Any]) -> str:
    rules = {rule["rule"]: rule for rule in report["rules"]}
    counts = report["found"]["rules"]
    if not counts:
        return "<h2>What was found</h2><p>Nothing that the policy replaces.</p>"
    most = max(counts.values())
    classes = _table(
        ("class", "holds", "values"),
        (
            [_text(name), _text(CLASSES.get(name, "")), _number(count)]
            for name, count in report["found"]["classes"].items()
        ),
        numbers=(2,),
    )
    rows = (
        [
            _name(name),
            _text(rules.get(name, {}).get("title", "")),
            _text(rules.get(name, {}).get("class", "")),
            _text(rules.get(name, {}).get("action", "")),
            f'<span class="bar" style="width:{100 * count / most:.1f}%"></span>',
            _number(count),
        ]
        for name, count in counts.items()
    )
    table = _table(("rule", "finds", "class", "action", "", "values"), rows, numbers=(5,), wide=4)
    return f"<h2>What was found</h2>{classes}<p>&nbsp;</p>{table}"


def _by_file(report: Mapping[str, Any]) -> str:
    rows = (
        [
            _code(file["path"]) + (f'<br><span class="bad">{_text(file["problem"])}</span>' if file["problem"] else ""),
            _code(file["output"]) if file["output"] else '<span class="bad">not written</span>',
            ", ".join(f"{_text(rule)}&nbsp;{count:,}" for rule, count in file["rules"].items()) or "nothing",
            _number(file["lines"]),
        ]
        for file in sorted(report["files"], key=lambda file: -sum(file["rules"].values()))
    )
    return "<h2>By file</h2>" + _table(("read", "written", "replaced", "lines"), rows, numbers=(3,))


def _examples(report: Mapping[str, Any]) -> str:
    rows = [
        [_name(rule), _code(one["value"]), _code(f"{one['file']}:{one['line']}")]
        for rule, some in report["examples"].items()
        for one in some
    ]
    if not rows:
        return ""
    note = '<p class="soft">Each star is a character; of values of eight or more characters the last two are left.</p>'
    return f"<h2>Examples, masked</h2>{note}" + _table(("rule", "value", "place"), rows)


def _looked_for(report: Mapping[str, Any]) -> str:
    rows = [
        [
            _name(rule["rule"]),
            _text(rule["title"]),
            _text(rule["class"]),
            _text(rule["action"]),
            _name(f"[{rule['tag']}]") if rule["action"] == "tag" else "",
            _text(rule["source"]),
            _number(rule["examples"]),
        ]
        for rule in report["rules"]
    ]
    kept = [rule["action"] == "keep" for rule in report["rules"]]
    covers = "".join(f"<p>{_text(line)}</p>" for line in _PARAGRAPH.split(report["policy"]["covers"]))
    note = (
        '<p class="soft">In the last column: how many true and false examples the rule is tested by. '
        "Rules in grey were not applied.</p>"
    )
    head = ("rule", "finds", "class", "action", "tag", "the check is from", "tests")
    return f"<h2>What was looked for</h2>{covers}{note}" + _table(head, rows, numbers=(6,), soft=kept)


def _proof(report: Mapping[str, Any]) -> str:
    policy, signature = report["policy"], report.get("signature")
    facts = [
        ("Program", _text(report["program"])),
        ("Policy", f"{_text(policy['name'])}, SHA-256 {_code(policy['sha256'])}"),
        *((f"extends {base['name']}", f"SHA-256 {_code(base['sha256'])}") for base in policy["extends"]),
        ("Key of pseudonyms", _code(report["key"]) if report["key"] else "none: the policy makes no pseudonyms"),
        (
            "Signature",
            f"{_text(signature['algorithm'])}, key {_code(signature['key'])}<br>{_code(signature['value'])}"
            if signature
            else "none",
        ),
    ]
    drawn = "".join(f"<dt>{_text(name)}</dt><dd>{value}</dd>" for name, value in facts)
    outputs = _table(
        ("output", "SHA-256"),
        ([_code(file["output"]), _code(file["sha256"])] for file in report["files"] if file["output"]),
    )
    rules = _table(("rule file", "SHA-256"), ([_name(rule["rule"]), _code(rule["sha256"])] for rule in report["rules"]))
    return f"<h2>How to check this</h2><dl>{drawn}</dl><p>&nbsp;</p>{outputs}<p>&nbsp;</p>{rules}"


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    wide: int | None = None,
    soft: Sequence[bool] = (),
) -> str:
    """A table of cells that are HTML already."""

    def cell(tag: str, place: int, value: str) -> str:
        kind = ' class="n"' if place in numbers else ' style="width:30%"' if place == wide else ""
        return f"<{tag}{kind}>{value}</{tag}>"

    top = "".join(cell("th", place, _text(name)) for place, name in enumerate(head))
    kept = ' class="kept"'
    body = "".join(
        f"<tr{kept if number < len(soft) and soft[number] else ''}>"
        + "".join(cell("td", place, value) for place, value in enumerate(row))
        + "</tr>"
        for number, row in enumerate(rows)
    )
    many = ' class="many"' if len(head) > FEW else ""
    return f'<div class="wide"><table{many}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(value: object) -> str:
    return escape(str(value))


def _code(value: object) -> str:
    return f"<code>{_text(value)}</code>"


def _name(value: object) -> str:
    return f'<code class="name">{_text(value)}</code>'


def _number(value: int) -> str:
    return f"{value:,}"
