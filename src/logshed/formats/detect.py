"""Detection: which formats a sample of lines is in, told by which lines each format takes, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.formats import headers, jsonlines, registry
from logshed.formats.choice import Choice
from logshed.formats.columns import constant, nothing
from logshed.formats.envelopes import unwrap
from logshed.formats.items import unfold
from logshed.formats.kinds import extract
from logshed.formats.normalise import Context, finish
from logshed.formats.parse import program_records, without_colours
from logshed.formats.possible import Possible
from logshed.formats.regex import OK
from logshed.formats.starts import Starts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.formats.model import Format

_ENVELOPE_SHARE = 0.9
"""Share of lines that an envelope must take before it is taken off."""
_DEEPEST = 4
_UNMATCHED_SHOWN = 5
_PER_CENT = 100


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found, and why.

    Attributes:
        choice: The formats to read the source with.
        winner: The format that takes most lines, inside any envelope; None where none takes any.
        share: Its share of the lines, continuation lines counted as the record's they belong to.
        runner_up: The format that takes most lines among the others.
        runner_up_share: Its share.
        tie: Formats that are as specific as the winner and take the same lines.
        shares: Every format that takes a line, and its share.
        unmatched: At most five lines that no chosen format takes.
        why: One sentence for people.
    """

    choice: Choice
    winner: str | None
    share: float
    runner_up: str | None = None
    runner_up_share: float = 0.0
    tie: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    why: str = ""


def detect(
    lines: pl.Series, *, names: Sequence[str] | None = None, formats: Mapping[str, Format] | None = None
) -> Detection:
    """Find the formats of a sample of physical lines.

    Args:
        lines: A few hundred lines; empty ones do not count.
        names: The formats to try, all by default.
        formats: The formats by name, the registry's by default.

    Returns:
        The choice and its reasons; ``choice.formats`` is empty where no format takes any line.
    """
    table = registry.load() if formats is None else formats
    tried = [table[name] for name in sorted(table)] if names is None else [registry.find(name, table) for name in names]
    text = without_colours(lines.drop_nulls())
    text = text.filter(text.str.contains(r"\S"))
    if text.is_empty():
        return Detection(Choice(), None, 0.0, why="no line to tell a format from")
    return _detect(text, tried, Context(datetime.now(UTC)), ())


def _detect(text: pl.Series, tried: list[Format], context: Context, envelopes: tuple[str, ...]) -> Detection:
    documents = [form for form in tried if form.kind == "json" and not form.whole]
    claims = jsonlines.claims(documents, text) if documents else {}
    by_name = {form.name: form for form in documents}
    no_line = pl.Series(OK, [False]).new_from_index(0, text.len())
    possible = Possible([form for form in tried if form.name not in claims], text)
    for form in tried:
        if form.name not in claims:
            one = headers.found(form, text) or form if possible.may_begin(form) else form
            by_name[form.name] = one
            claims[form.name] = _claim(one, text, context) if one in possible else no_line
    distinct = {id(taken): taken for taken in claims.values()}  # most are the one that takes no line
    some = {place for place, taken in distinct.items() if taken.any()}
    order = sorted(
        (name for name, taken in claims.items() if id(taken) in some),
        key=lambda name: (-by_name[name].specificity, name),
    )
    order = [name for name in order if _share(claims[name]) >= by_name[name].min_share]
    plain = False
    for name in order:
        form = by_name[name]
        if _share(claims[name]) < _ENVELOPE_SHARE:
            continue
        if not form.envelope:
            plain = True
            continue
        if plain and form.kind == "items":  # a list inside a record that has a format of its own
            continue
        if len(envelopes) < _DEEPEST:
            found = _inside(text.filter(claims[name]), tried, context, (*envelopes, name), _share(claims[name]))
            if plain and found.winner == name:  # a more specific format takes the lines whole, and none what is inside
                continue
            return found
    chosen, owner = _chosen(text, order, claims, by_name)
    covered = _covered(text, owner, chosen, by_name)
    return _summary(text, chosen, owner, covered, order, claims, by_name, envelopes)


def _claim(form: Format, text: pl.Series, context: Context) -> pl.Series:
    """Which lines the format takes: a header's with those after it, a record's that only makes sense whole at once."""
    if form.has_header and form.header is not None:
        given = headers.Tracker([form], joined=False).apply(pl.DataFrame({"text": text}))["text"]
        return _taken(given, form, context) | headers.is_header(form, text)
    if not form.whole:
        return _taken(text, form, context)
    records = _records(text, form)
    taken = records.with_columns(_taken(records["text"], form, context).alias(OK)).drop("text")
    lines = pl.DataFrame({"record": _numbers(text, form)})
    return lines.join(taken, on="record", how="left", maintain_order="left")[OK]


def _taken(text: pl.Series, form: Format, context: Context) -> pl.Series:
    """Whether the format takes each text, times and all."""
    frame = extract(form, text)
    return finish(frame, form, context)[OK] if frame[OK].any() else frame[OK]


def _numbers(text: pl.Series, form: Format) -> pl.Series:
    """The number of the record that each line is in."""
    return pl.Series("record", np.cumsum(Starts([form]).of_text(text)))


def _records(text: pl.Series, form: Format) -> pl.DataFrame:
    lines = pl.DataFrame({"record": _numbers(text, form), "text": text})
    return lines.group_by("record", maintain_order=True).agg(pl.col("text").str.join("\n"))


def _share(taken: pl.Series) -> float:
    return float(taken.sum()) / max(taken.len(), 1)


def _inside(
    text: pl.Series, tried: list[Format], context: Context, envelopes: tuple[str, ...], share: float
) -> Detection:
    """Look inside an envelope; its payload alone is a message where nothing more is found."""
    envelope = next(form for form in tried if form.name == envelopes[-1])
    inner_tried = [form for form in tried if form is not envelope]
    payload, inner_tried = _payload(text, envelope, inner_tried, context)
    payload = payload.filter(payload.str.contains(r"\S"))
    if not payload.is_empty():
        found = _detect(payload, inner_tried, context, envelopes)
        if found.winner is not None:
            return found
    if len(envelopes) == 1 and envelope.envelope and not envelope.envelope.partial:
        inside = "no format takes their messages"
        if payload.is_empty() and len(inner_tried) < len(tried) - 1:  # the programs' formats have taken all
            inside = "the formats of their programs take their messages"
        why = f"{envelope.name} takes {_percent(share)} of the sampled lines and {inside}"
        return Detection(Choice((), envelopes), envelope.name, share, shares={envelope.name: share}, why=why)
    path = "/".join(envelopes)
    why = f"{_percent(share)} of the sampled lines are {path}, whose messages are in no format of their own"
    return Detection(Choice(envelopes), envelopes[-1], share, shares={envelopes[-1]: share}, why=why)


def _payload(
    text: pl.Series, envelope: Format, tried: list[Format], context: Context
) -> tuple[pl.Series, list[Format]]:
    """What is in the envelopes, without the messages of programs that have a format of their own; what to try on it."""
    if envelope.items:
        records = _records(text, envelope)["text"] if envelope.whole else text
        return unfold(envelope, records)[1].explode().drop_nulls(), tried
    unwrapped = unwrap(text, envelope)
    payload = unwrapped.payload
    if "service_name" not in unwrapped.fields.columns:
        return payload.drop_nulls(), tried
    outer = finish(unwrapped.fields, envelope, context)
    taken = program_records(payload, outer, {form.name: form for form in tried}, context)
    left = payload if taken is None else payload.filter(~taken[OK])
    return left.drop_nulls(), [form for form in tried if not form.programs]


def _chosen(
    text: pl.Series, order: list[str], claims: Mapping[str, pl.Series], by_name: Mapping[str, Format]
) -> tuple[list[str], pl.Series]:
    """Candidates, the most specific first, each with lines that none before it takes; and who takes each line."""
    chosen: list[str] = []
    owner = nothing(next(iter(claims.values())).len())
    for name in order:
        form = by_name[name]
        # a trace alone is a format; a trace below its own record's first line is not
        loose = form.more is not None or form.whole
        free = _covered(text, owner, chosen, by_name) if loose else owner
        new = claims[name] & free.is_null()
        if not new.any() or _share(new) < by_name[name].min_share:
            continue
        chosen.append(name)
        owner = owner.zip_with(~new, constant(name, owner.len()))
    return chosen, owner


def _covered(text: pl.Series, owner: pl.Series, chosen: list[str], by_name: Mapping[str, Format]) -> pl.Series:
    """Who takes each line, lines that go on with a record of several lines included."""
    multiline = [name for name in chosen if by_name[name].multiline]
    if not multiline:
        return owner
    last = owner.fill_null(strategy="forward")
    goes_on = owner.is_null() & last.is_in(multiline)
    for name in multiline:
        goes_on &= ~pl.Series(Starts([by_name[name]]).of_text(text))
    return owner.zip_with(~goes_on, last)


def _summary(
    text: pl.Series,
    chosen: list[str],
    owner: pl.Series,
    covered: pl.Series,
    order: list[str],
    claims: Mapping[str, pl.Series],
    by_name: Mapping[str, Format],
    envelopes: tuple[str, ...],
) -> Detection:
    unmatched = tuple(text.filter(covered.is_null()).unique(maintain_order=True).head(_UNMATCHED_SHOWN).to_list())
    if not chosen:
        return Detection(
            Choice(envelopes), None, 0.0, unmatched=unmatched, why="no format takes any of the sampled lines"
        )
    records = max(text.len() - int((covered.is_not_null() & owner.is_null()).sum()), 1)
    shares = {name: float(claims[name].sum()) / records for name in order}
    winner = max(chosen, key=lambda name: (int((owner == name).sum()), -chosen.index(name)))
    others = [name for name in order if name != winner]
    runner_up = max(others, key=lambda name: (shares[name], -others.index(name)), default=None)
    tie = tuple(
        name
        for name in others
        if by_name[name].specificity == by_name[winner].specificity and (claims[name] == claims[winner]).all()
    )
    choice = Choice(envelopes, tuple(by_name[name].spelling for name in chosen))
    return Detection(
        choice=choice,
        winner=winner,
        share=shares[winner],
        runner_up=runner_up,
        runner_up_share=shares[runner_up] if runner_up else 0.0,
        tie=tie,
        shares=shares,
        unmatched=unmatched,
        why=_why(winner, shares, runner_up, tie, envelopes, chosen),
    )


def _why(
    winner: str,
    shares: Mapping[str, float],
    runner_up: str | None,
    tie: tuple[str, ...],
    envelopes: tuple[str, ...],
    chosen: list[str],
) -> str:
    inside = f" inside {'/'.join(envelopes)}" if envelopes else ""
    text = f"{winner} takes {_percent(shares[winner])} of the sampled lines{inside}"
    if tie:
        return f"{text}; {' and '.join(tie)} would take the same lines, and the first by name was chosen"
    if len(chosen) > 1:
        more = [f"{name} {_percent(shares[name])}" for name in chosen if name != winner]
        return f"{text}, other lines are {', '.join(more)}"
    if runner_up:
        return f"{text}; {runner_up} would take {_percent(shares[runner_up])} and is less specific"
    return f"{text} and no other format takes any"


def _percent(share: float) -> str:
    return f"{share * _PER_CENT:.3g} %"
