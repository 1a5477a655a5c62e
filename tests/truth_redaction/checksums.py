"""Check digits, computed here and not by the product: what it is measured with must not share its mistakes."""

from __future__ import annotations

import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# Verhoeff, "Error Detecting Decimal Codes", 1969: products in the dihedral group of order 10, and a permutation.
_PRODUCT = [[(a + b) % 5 if a < 5 and b < 5 else 0 for b in range(10)] for a in range(10)]
for _a in range(10):
    for _b in range(10):
        if _a < 5 <= _b:
            _PRODUCT[_a][_b] = 5 + (_a + _b - 5) % 5
        elif _b < 5 <= _a:
            _PRODUCT[_a][_b] = 5 + (_a - 5 - _b) % 5
        elif _a >= 5 and _b >= 5:
            _PRODUCT[_a][_b] = (_a - _b) % 5
_STEP = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def luhn(body: str) -> str:
    """The digits and Luhn's check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return body + str(-total % 10)


def iban(country: str, account: str) -> str:
    """Country, two check digits, account (ISO 13616, with the modulus of ISO 7064 MOD 97-10)."""
    digits = "".join(str(int(letter, 36)) for letter in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def nir_key(body: str) -> str:
    """The two digits that France puts after the thirteen of a social security number."""
    return f"{97 - int(body) % 97:02d}"


def rib_key(bank: str, branch: str, account: str) -> str:
    """The two last digits of a French account number."""
    return f"{97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97:02d}"


def ccc_keys(bank_branch: str, account: str) -> str:
    """The two check digits inside a Spanish account number."""
    weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)

    def key(ten: str) -> str:
        rest = 11 - sum(weight * int(digit) for weight, digit in zip(weights, ten, strict=True)) % 11
        return str({10: 1, 11: 0}.get(rest, rest))

    return key(f"00{bank_branch}") + key(account)


def mod11_10(body: str) -> str:
    """The digits and the check digit of ISO 7064 MOD 11,10, as in German tax numbers."""
    product = 10
    for digit in body:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return body + str((11 - product) % 10)


def eleven_test(body: str) -> str | None:
    """Eight digits and the last one of a Dutch citizen service number; None where there is none."""
    rest = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), body, strict=True)) % 11
    return None if rest == 10 else body + str(rest)


def cpf(body: str) -> str:
    """Nine digits and the two check digits of a Brazilian person's number."""
    for _ in range(2):
        rest = sum(weight * int(digit) for weight, digit in zip(range(len(body) + 1, 1, -1), body, strict=True)) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return body


def cnpj(body: str) -> str:
    """Twelve digits and the two check digits of a Brazilian company's number."""
    for _ in range(2):
        total = sum(int(digit) * (2 + place % 8) for place, digit in enumerate(reversed(body)))
        body += str(0 if total % 11 < 2 else 11 - total % 11)
    return body


def verhoeff(body: str) -> str:
    """The digits and Verhoeff's check digit, as in Aadhaar numbers."""
    check = 0
    for place, digit in enumerate(reversed(body), start=1):
        value = int(digit)
        for _ in range(place % 8):
            value = _STEP[value]
        check = _PRODUCT[check][value]
    return body + str(next(digit for digit in range(10) if _PRODUCT[check][digit] == 0))


def dni_letter(number: int) -> str:
    """The letter of a Spanish identity card."""
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]


def codice_fiscale(body: str) -> str:
    """Fifteen characters and the check letter of an Italian tax code (decree of 23 December 1976)."""
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    total = 0
    for place, letter in enumerate(body):
        value = int(letter) if letter.isdigit() else ord(letter) - ord("A")
        total += odd[value] if place % 2 == 0 else value
    return body + chr(ord("A") + total % 26)


def crc62(body: str) -> str:
    """CRC-32 in six characters of base 62: the end of tokens of GitHub and npm."""
    number, text = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        text = BASE62[rest] + text
    return text.rjust(6, "0")


def isbn13(body: str) -> str:
    """Twelve digits and the check digit of an ISBN (ISO 2108)."""
    return body + str(-sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(body)) % 10)


def vin(head: str, tail: str) -> str:
    """A vehicle's number with its check digit between head and tail (49 CFR 565.15)."""
    letters = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 9, 8, 7, 6, 5, 4, 3, 2)
    values = (letters[sign] if sign in letters else int(sign) for sign in head + tail)
    rest = sum(value * weight for value, weight in zip(values, weights, strict=True)) % 11
    return f"{head}{'X' if rest == 10 else rest}{tail}"
