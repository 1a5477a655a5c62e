"""The validators that a rule's file may name; each judges a column of distinct candidates at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.redaction.checks import addresses, cards, national_ids, phones, secrets, tokens, vehicles

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

CHECKS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "payment_card": cards.payment_card,
    "track_data": cards.track_data,
    "vin": vehicles.vin,
    "encoded_json": tokens.encoded_json,
    "jwt_header": tokens.jwt_header,
    "basic_credentials": tokens.basic_credentials,
    "phone_number": phones.phone_number,
    "iban": national_ids.iban,
    "us_ssn": national_ids.us_ssn,
    "uk_nino": national_ids.uk_nino,
    "national_id_de": national_ids.national_id_de,
    "national_id_fr": national_ids.national_id_fr,
    "national_id_es": national_ids.national_id_es,
    "national_id_it": national_ids.national_id_it,
    "national_id_nl": national_ids.national_id_nl,
    "national_id_in": national_ids.national_id_in,
    "national_id_br": national_ids.national_id_br,
    "ipv6": addresses.ipv6,
    "mac_or_netfilter": addresses.mac_or_netfilter,
    "crc32_token": secrets.crc32_token,
    "discord_token": secrets.discord_token,
    "mixed_token": secrets.mixed_token,
    "spoken_password": secrets.spoken_password,
    "high_entropy": secrets.high_entropy,
}
