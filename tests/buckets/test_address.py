from __future__ import annotations

import pytest

from logshed.buckets import Address
from logshed.errors import UsageError


@pytest.mark.parametrize(
    ("text", "parts", "told"),
    [
        ("s3://b/k/x.log", ("s3", "b", "k/x.log"), "s3://b/k/x.log"),
        ("S3://b", ("s3", "b", ""), "s3://b/"),
        ("gs://b//odd %41#?.log", ("gs", "b", "/odd %41#?.log"), "gs://b//odd %41#?.log"),
        ("az://c/k", ("az", "c", "k"), "az://c/k"),
        ("abfss://c@a.dfs.core.windows.net/k/x", ("abfss", "c@a.dfs.core.windows.net", "k/x"), None),
        ("abfss://a.dfs.core.windows.net/c/k/x", ("abfss", "c@a.dfs.core.windows.net", "k/x"), None),
        ("dbfs:/a/b", ("dbfs", "", "a/b"), "dbfs:/a/b"),
        ("dbfs://a/b", ("dbfs", "", "a/b"), "dbfs:/a/b"),
    ],
)
def test_an_address_comes_apart_and_its_name_leads_back_to_it(
    text: str, parts: tuple[str, str, str], told: str | None
) -> None:
    address = Address.parse(text)
    assert (address.scheme, address.bucket, address.key) == parts
    assert str(address) == (told or "abfss://a.dfs.core.windows.net/c/k/x")
    assert Address.parse(str(address)) == address


def test_the_name_of_an_anonymous_address_is_the_one_that_it_has_for_all() -> None:
    for text in ("s3://anonymous@b/k", "abfss://anonymous@a.dfs.core.windows.net/c/k"):
        address = Address.parse(text)
        assert address.anonymous
        assert address.locator == text
        assert str(address) == text.replace("anonymous@", "")


@pytest.mark.parametrize("text", ["s3://", "s3://user:pw@b/k", "https://h/k", "ftp://h/k", "/var/log"])
def test_what_is_no_address_is_refused_without_telling_what_may_be_a_secret(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read") as caught:
        Address.parse(text)
    assert "pw" not in str(caught.value)
