"""What a shop's file says."""

from __future__ import annotations

from typing import Annotated

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _pattern(text: str) -> str:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        raise ValueError(f"{text!r} is no RE2 pattern ({error})") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]+$")]
Status = Annotated[int, Field(ge=100, le=599)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Said):
    """What makes a record a step or a use of a feature; a request matches by all of its keys, an event by its name.

    Attributes:
        name: The step or feature.
        paths: RE2 patterns, of which one is found in the path.
        queries: RE2 patterns, of which one is found in the query.
        methods: Methods of which one is the request's.
        statuses: Statuses of which one is the answer's; none are all below 400.
        events: Names of events, in small letters.
    """

    name: Name
    paths: tuple[Pattern, ...] = ()
    queries: tuple[Pattern, ...] = ()
    methods: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    events: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Match:
        if not (self.paths or self.queries or self.events):
            raise ValueError(f"{self.name} has no paths, no queries and no events")
        if any(event != event.lower() for event in self.events):
            raise ValueError(f"the events of {self.name} are not in small letters")
        return self


class Step(Match):
    """A step to an order.

    Attributes:
        place: Its place among the steps, from 1.
        optional: Whether later steps count without it.
    """

    place: int = Field(ge=1, le=6)
    optional: bool = False


class Where(_Said):
    """Where a value stands; the first that is there counts.

    Attributes:
        attributes: Names of attributes.
        parameters: Names of query parameters.
        path: An RE2 pattern of the path whose first group is the value.
    """

    attributes: tuple[Key, ...] = ()
    parameters: tuple[Key, ...] = ()
    path: Pattern | None = None

    @model_validator(mode="after")
    def _has_a_group(self) -> Where:
        if self.path is not None and re2.compile(self.path).groups != 1:
            raise ValueError(f"the pattern {self.path!r} has not exactly one group")
        return self


class Search(_Said):
    """Where searches stand.

    Attributes:
        terms: Where the term stands.
        hits: Where the number of results stands.
    """

    terms: Where = Where()
    hits: Where = Where()


class Sample(_Said):
    """A line of the sample log.

    Attributes:
        line: The line.
        step: The step that it is; None where it is none.
        feature: The feature that it uses.
        value: The order's value.
        order: The order's id.
    """

    line: str
    step: Name | None = None
    feature: Name | None = None
    value: float | None = None
    order: str | None = None


class Shop(_Said):
    """A kind of shop.

    Attributes:
        name: The file's stem.
        title: A few words.
        references: Where its paths and names are documented.
        rank: Its place among the shops that ``any`` tries; None is asked for by name only.
        event_attributes: Attributes with an event's name, beside the column event_name.
        value: Where an order's value stands.
        order: Where an order's id stands.
        search: Where searches stand.
        step: Rules of steps; the first that matches counts.
        feature: Rules of features; the first that matches counts.
        sample: A sample log.
        funnel: Sessions of the sample log that reached each step, counted by hand.
    """

    name: Name
    title: str = Field(min_length=1)
    references: tuple[str, ...] = ()
    rank: int | None = None
    event_attributes: tuple[Key, ...] = ()
    value: Where = Where()
    order: Where = Where()
    search: Search = Search()
    step: tuple[Step, ...] = Field(min_length=1)
    feature: tuple[Match, ...] = ()
    sample: tuple[Sample, ...] = Field(min_length=1)
    funnel: dict[Name, int] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> Shop:
        places = {(one.name, one.place, one.optional) for one in self.step}
        names, numbers = ({one[key] for one in places} for key in (0, 1))
        if not len(places) == len(names) == len(numbers):
            raise ValueError("two steps have one place, or a step has two places or is optional in one rule only")
        if set(self.funnel) != names:
            raise ValueError("funnel does not name just the steps")
        if unknown := {one.step for one in self.sample} - names - {None}:
            raise ValueError(f"a sample is the step {min(map(str, unknown))}, which is none")
        if unseen := names - {one.step for one in self.sample}:
            raise ValueError(f"no sample is the step {min(unseen)}")
        features = {one.name for one in self.feature}
        if {one.feature for one in self.sample} - {None} != features:
            raise ValueError("the features of the samples are not just the features")
        return self

    @property
    def places(self) -> dict[str, tuple[int, bool]]:
        """The place of each step, and whether it is optional, in order."""
        return dict(sorted(((one.name, (one.place, one.optional)) for one in self.step), key=lambda one: one[1]))
