"""Roles and verbs allow what their file says, and nothing covers what it does not."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.access import VERBS, Grant, covered
from logshed.access.roles import abilities, abilities_of, grant_of, greatest, role, roles
from logshed.errors import UsageError

GLOBS = st.text("ab*?[]!-", min_size=1, max_size=5)


def test_every_role_has_abilities_that_there_are_and_the_administrator_has_all() -> None:
    for one in roles().values():
        assert one.abilities <= abilities().keys()
        assert one.title
        assert one.text
    assert role("admin").abilities == abilities().keys()
    assert [one.name for one in roles().values() if one.everywhere] == ["admin"]
    assert "administer" not in frozenset().union(*(one.abilities for one in roles().values() if one.name != "admin"))


def test_a_later_role_in_the_file_may_at_least_read_and_an_unknown_one_is_refused() -> None:
    assert all("read" in one.abilities for one in roles().values())
    assert greatest(["viewer", "analyst", "nobody"]) == "analyst"
    assert greatest(["nobody"]) is None
    with pytest.raises(UsageError, match="cannot give the role 'root': there is none; the roles are viewer"):
        role("root")


def test_what_a_role_may_do_to_collections_is_what_its_abilities_say() -> None:
    owner = grant_of("owner", ("shop",), "user:1")
    assert [verb for verb in VERBS if owner.allows(verb, "shop")] == ["read", "write", "admin"]
    assert not owner.allows("read", "blog")
    viewer = grant_of("viewer", ("*",), "user:1")
    assert [verb for verb in VERBS if viewer.allows(verb, "shop")] == ["read"]
    assert grant_of("admin", (), "user:1").unlimited


@pytest.mark.parametrize(
    ("verbs", "scope", "expected"),
    [
        (["read"], "*", {"read", "sql"}),
        (["write"], "*", {"write"}),
        (["admin"], "shop", {"triage", "manage"}),
        (["admin"], "*", {"triage", "manage", "administer", "rules", "collect"}),
        (["read", "write"], "shop", {"read", "sql", "write"}),
    ],
)
def test_a_token_may_do_what_its_verbs_say(verbs: list[str], scope: str, expected: set[str]) -> None:
    assert abilities_of(Grant("", (scope,), frozenset(verbs))) == expected


@given(GLOBS, st.lists(GLOBS, min_size=1, max_size=3), st.lists(st.text("ab[]*?-!", max_size=5), max_size=30))
def test_what_is_covered_holds_no_collection_that_the_others_do_not(
    scope: str, others: list[str], names: list[str]
) -> None:
    if covered(scope, others):
        for name in (*names, scope):
            if fnmatchcase(name, scope):
                assert any(fnmatchcase(name, one) for one in others)


def test_a_name_or_a_narrower_prefix_is_covered() -> None:
    assert covered("shop", ["sh*"])
    assert covered("shop-a*", ["shop-*"])
    assert covered("shop-[ab]*", ["shop-*"])
    assert covered("a?b", ["a?b"])
    assert covered("anything*", ["*"])
    assert not covered("*", ["shop-*"])
    assert not covered("sh*", ["shop-*"])
    assert not covered("[ab]", ["*b*"])
    assert not covered("shop-*", ["shop-?"])
