"""Numbers that states and banks give to people: form, reserved values and check digits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

_SSN = re.compile(r"([0-9]{3})([0-9]{2})([0-9]{4})")
_SSN_FAKES = re.compile(r"078051120|219099999|98765432[0-9]")
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")
_RVNR = re.compile(r"[0-9]{2}([0-9]{2})([0-9]{2})[0-9]{2}[A-Z][0-9]{3}")
_RVNR_FACTORS = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
_BSN_LIKE_A_DATE = re.compile(r"(?:19|20)[0-9]{2}\.(?:0[1-9]|1[0-2])\.[0-9]{3}")


def iban(candidates: pl.Series) -> pl.Series:
    """Country, its length and structure, and remainder 1 modulo 97 (ISO 13616-1)."""
    from stdnum import iban as standard  # noqa: PLC0415 - heavy

    return _each(candidates, lambda plain: standard.is_valid(plain, check_country=False))


def us_ssn(candidates: pl.Series) -> pl.Series:
    """No area 000, 666 or 900 to 999, no group 00, no serial 0000, none of the numbers printed in advertisements."""
    return _each(candidates, _is_ssn)


def uk_nino(candidates: pl.Series) -> pl.Series:
    """Two letters that may begin a number, six digits, A to D (HMRC, NIM39110)."""
    return _each(candidates, lambda plain: _NINO.fullmatch(plain) is not None)


def national_id_de(candidates: pl.Series) -> pl.Series:
    """Steuer-ID (ISO 7064 MOD 11,10; one digit two or three times) or Rentenversicherungsnummer (VKVV, section 2)."""
    from stdnum.de import idnr  # noqa: PLC0415 - heavy

    return _each(candidates, lambda plain: idnr.is_valid(plain) or _is_rvnr(plain))


def national_id_fr(candidates: pl.Series) -> pl.Series:
    """NIR: key of 97 minus the rest modulo 97, Corsica's 2A and 2B counted as the INSEE says."""
    from stdnum.fr import nir  # noqa: PLC0415 - heavy

    return _each(candidates, nir.is_valid)


def national_id_es(candidates: pl.Series) -> pl.Series:
    """DNI or NIE: the letter is that of the number modulo 23."""
    from stdnum.es import dni, nie  # noqa: PLC0415 - heavy

    return _each(candidates, lambda plain: dni.is_valid(plain) or nie.is_valid(plain))


def national_id_it(candidates: pl.Series) -> pl.Series:
    """Codice fiscale: date of birth and check letter; digits may be letters where two people would share one."""
    from stdnum.it import codicefiscale  # noqa: PLC0415 - heavy

    return _each(candidates, codicefiscale.is_valid)


def national_id_nl(candidates: pl.Series) -> pl.Series:
    """BSN: weighted sum divisible by eleven; a date such as 2024.01.123 is none."""
    from stdnum.nl import bsn  # noqa: PLC0415 - heavy

    date = candidates.str.contains(f"^(?:{_BSN_LIKE_A_DATE.pattern})$")
    return _each(candidates, bsn.is_valid) & ~date


def national_id_in(candidates: pl.Series) -> pl.Series:
    """Aadhaar (Verhoeff's check digit) or PAN (the fourth letter is a kind of holder)."""
    from stdnum.in_ import aadhaar, pan  # noqa: PLC0415 - heavy

    return _each(candidates, lambda plain: aadhaar.is_valid(plain) or pan.is_valid(plain))


def national_id_br(candidates: pl.Series) -> pl.Series:
    """CPF or CNPJ: two check digits modulo eleven."""
    from stdnum.br import cnpj, cpf  # noqa: PLC0415 - heavy

    return _each(candidates, lambda plain: len(set(plain)) > 1 and (cpf.is_valid(plain) or cnpj.is_valid(plain)))


def _each(candidates: pl.Series, is_valid: Callable[[str], bool]) -> pl.Series:
    """One judgement per candidate, without separators and in capitals."""
    plain = candidates.str.replace_all(r"%(?:25)*2[0Ff]|[^0-9A-Za-z]", "").str.to_uppercase()
    return pl.Series([is_valid(value) for value in plain], dtype=pl.Boolean)


def _is_ssn(plain: str) -> bool:
    match = _SSN.fullmatch(plain)
    if match is None or _SSN_FAKES.fullmatch(plain):
        return False
    area, group, serial = match.groups()
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


def _is_rvnr(plain: str) -> bool:
    match = _RVNR.fullmatch(plain)
    if match is None or not (1 <= int(match[1]) <= 81 and 1 <= int(match[2]) <= 12):  # noqa: PLR2004 - days go to 31 + 50
        return False
    digits = f"{plain[:8]}{ord(plain[8]) - ord('A') + 1:02d}{plain[9:11]}"
    products = [int(digit) * factor for digit, factor in zip(digits, _RVNR_FACTORS, strict=True)]
    return sum(product // 10 + product % 10 for product in products) % 10 == int(plain[11])
