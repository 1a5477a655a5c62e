"""The validators of personal data and addresses, against numbers that authorities, registries and standards publish."""

from __future__ import annotations

import polars as pl
import pytest

from logshed.redaction.checks import CHECKS

VALID = {
    # ITU, Twilio's documentation, Ofcom's numbers for drama, the Bundesnetzagentur's area codes
    "phone_number": ["+14155552671", "(415) 555-2671", "415-555-2671", "%2B442079460958", "+49 (0)30 1234567",
                     "030/1234567", "07700 900123", "+44 1632 960001", "01 42 68 53 00", "0049 30 1234567"],
    # the IBAN Registry's examples
    "iban": ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606", "NO9386011117947",
             "MT84MALT011000012345MTLCAST001S", "CH93%200076%202011%206238%205295%207"],
    "us_ssn": ["123-45-6789", "123456789", "899 99 9999"],
    "uk_nino": ["AB123456C", "ab 12 34 56 c"],
    # the Bundeszentralamt für Steuern's and the Deutsche Rentenversicherung's examples
    "national_id_de": ["86095742719", "47 036 892 816", "65 170839 J 003"],
    "national_id_fr": ["295109912611193", "1 85 05 78 006 084 91", "253072B07300470"],
    "national_id_es": ["12345678Z", "54362315-K", "X1234567L"],
    "national_id_it": ["RCCMNL83S18D969H", "MRTMTT91D08F205J"],
    "national_id_nl": ["111222333", "1112.22.333", "123456782"],
    "national_id_in": ["234123412346", "2341 2341 2346", "ACUPA7085R"],
    "national_id_br": ["390.533.447-05", "16.727.230/0001-97", "16.727.230%2F0001-97", "12.ABC.345/01DE-35"],
    "mac_or_netfilter": ["00:16:3e:5e:6c:00", "00-16-3E-5E-6C-0A", "0016.3e5e.6c0a", "01:02:03:04:05:06"],
    # RFC 4291, 2.2, and RFC 3849
    "ipv6": ["::1", "2001:db8::8:800:200c:417a", "FF01::101", "::ffff:129.144.52.38", "fe80::1", "2001%3Adb8%3A%3A1",
             "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789"],
}  # fmt: skip
INVALID = {
    "phone_number": ["+1415555267", "+999123456789", "1111111111", "12345", "+1 (000) 000-0000", "030/12", "+", ""],
    "iban": ["DE89370400440532013001", "DE8937040044053201300", "XX89370400440532013000", "GB82WEST1234569876543A", ""],
    "us_ssn": ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "078-05-1120", "219-09-9999",
               "987-65-4321", "12-345-678", ""],
    "uk_nino": ["QQ123456C", "BG123456A", "ZZ123456A", "DA123456A", "AO123456A", "AB123456E", "AB12345C", ""],
    "national_id_de": ["86095742718", "12345678901", "65170839J004", "65991339J003", ""],
    "national_id_fr": ["295109912611194", "29510991261119", ""],
    "national_id_es": ["12345678A", "X1234567A", "1234567Z", ""],
    "national_id_it": ["RCCMNL83S18D969I", "RCCMNL83S99D969H", ""],
    "national_id_nl": ["111222334", "000000000", "2024.01.123", ""],
    "national_id_in": ["234123412347", "034123412346", "ABCDE1234F", "ACUPA0000R", ""],
    "national_id_br": ["390.533.447-06", "111.111.111-11", "16.727.230/0001-98", ""],
    "mac_or_netfilter": ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "24-01-02-10-05-03"],
    "ipv6": ["::", "12::34", "dead::beef", "2026:06:35:59", "00:11:22:33:44:55:66:77", "0::", "1:2:3:4:5:6:7:8",
             "2001:db8:::1", ""],
}  # fmt: skip


@pytest.mark.parametrize("check", VALID)
def test_published_numbers_are_valid(check: str) -> None:
    judged = CHECKS[check](pl.Series(VALID[check]))
    assert dict(zip(VALID[check], judged, strict=True)) == dict.fromkeys(VALID[check], True)


@pytest.mark.parametrize("check", INVALID)
def test_numbers_that_nobody_gives_out_are_invalid(check: str) -> None:
    judged = CHECKS[check](pl.Series(INVALID[check]))
    assert dict(zip(INVALID[check], judged, strict=True)) == dict.fromkeys(INVALID[check], False)


@pytest.mark.parametrize("check", VALID)
def test_no_candidates_at_all_are_judged_to_none(check: str) -> None:
    assert CHECKS[check](pl.Series([], dtype=pl.String)).to_list() == []
