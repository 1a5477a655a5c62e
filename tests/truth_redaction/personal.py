"""Draws personal data and addresses of machines: valid by form and check digit, of nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.truth_redaction import checksums

if TYPE_CHECKING:
    from random import Random

_LOCAL = ("jane.doe", "bob", "ann_lee", "m.o-neil", "x1", "sales+eu", "Klaus.Weber", "info", "no-reply", "a.b.c")
_HOSTS = ("example.com", "mail.example.org", "example.co.uk", "sub-1.example.net", "firma.example.de", "EXAMPLE.COM")
# Issuer prefixes of the networks and their lengths.
_CARDS = (
    *(("4", 16), ("4", 13), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16)),
    *(("65", 16), ("3530", 16), ("36", 14), ("305", 14), ("62", 16), ("62", 19), ("6759", 16)),
)
_AREA_CODES = ("212", "415", "312", "617", "206", "303", "404")


def digits(draw: Random, count: int) -> str:
    """So many digits."""
    return "".join(draw.choices("0123456789", k=count))


def grouped(text: str, size: int, between: str = " ") -> str:
    """In groups, as printed."""
    return between.join(text[place : place + size] for place in range(0, len(text), size))


def email(draw: Random) -> str:
    """An address at a host name that nobody may register."""
    return f"{draw.choice(_LOCAL)}{draw.choice(('', digits(draw, 3)))}@{draw.choice(_HOSTS)}"


def payment_card(draw: Random) -> str:
    """In one piece, or as printed on it."""
    prefix, length = draw.choice(_CARDS)
    number = checksums.luhn(prefix + digits(draw, length - len(prefix) - 1))
    form = draw.choice(("plain", "plain", " ", "-"))
    if form == "plain" or length not in (15, 16):
        return number
    if length == 15:
        return form.join((number[:4], number[4:10], number[10:]))
    return grouped(number, 4, form)


def track(draw: Random) -> str:
    """The second track of a card's stripe (ISO/IEC 7813)."""
    prefix, length = draw.choice(tuple(card for card in _CARDS if card[1] == 16))
    number = checksums.luhn(prefix + digits(draw, length - len(prefix) - 1))
    return f";{number}=2912101{digits(draw, 10)}?"


def vin(draw: Random) -> str:
    """A vehicle's number with the check digit of North America, or one of Europe without."""
    if draw.random() < 0.3:
        return f"WVWZZZ1JZ{draw.choice('WXY')}W{digits(draw, 6)}"
    return checksums.vin(
        f"{draw.choice(('1HG', '5YJ', '2T1', 'JH4'))}CM826", f"{draw.choice('3567')}A{digits(draw, 6)}"
    )


def iban(draw: Random) -> str:
    """Of one of eight countries."""
    country = draw.choice(("DE", "AT", "GB", "NL", "FR", "ES", "CH", "SE"))
    account = {
        "DE": lambda: digits(draw, 18),
        "AT": lambda: digits(draw, 16),
        "GB": lambda: draw.choice(("NWBK", "BARC", "LOYD")) + digits(draw, 14),
        "NL": lambda: draw.choice(("ABNA", "INGB", "RABO")) + digits(draw, 10),
        "FR": lambda: _french_account(draw),
        "ES": lambda: _spanish_account(draw),
        "CH": lambda: digits(draw, 17),
        "SE": lambda: digits(draw, 20),
    }[country]()
    text = checksums.iban(country, account)
    return grouped(text, 4) if draw.random() < 0.3 else text


def _french_account(draw: Random) -> str:
    bank, branch, account = digits(draw, 5), digits(draw, 5), digits(draw, 11)
    return f"{bank}{branch}{account}{checksums.rib_key(bank, branch, account)}"


def _spanish_account(draw: Random) -> str:
    bank_branch, account = digits(draw, 8), digits(draw, 10)
    return f"{bank_branch}{checksums.ccc_keys(bank_branch, account)}{account}"


def us_ssn(draw: Random) -> str:
    """Area, group and serial number, none of them all zeros."""
    area = draw.choice([area for area in range(1, 900) if area != 666])
    return f"{area:03d}-{draw.randrange(1, 100):02d}-{draw.randrange(1, 10_000):04d}"


def uk_nino(draw: Random) -> str:
    """Two letters in use, six digits, a suffix; in one piece or in pairs."""
    first, second = draw.choice("ABCEGHJKLMPRSTWXYZ"), draw.choice("ABCEHJKLMPRSTWXYZ")
    if first + second in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}:
        first, second = "A", "B"
    text = f"{first}{second}{digits(draw, 6)}{draw.choice('ABCD')}"
    return grouped(text, 2) if draw.random() < 0.3 else text


def de_tax_id(draw: Random) -> str:
    """Eleven digits: of the first ten, one comes twice, so another one is missing."""
    ten = draw.sample("0123456789", 9)
    ten.insert(draw.randrange(1, 10), draw.choice(ten))
    while ten[0] == "0" or any(a == b == c for a, b, c in zip(ten, ten[1:], ten[2:], strict=False)):
        draw.shuffle(ten)
    return checksums.mod11_10("".join(ten))


def fr_nir(draw: Random) -> str:
    """Sex, year, month, department, commune, serial number, key."""
    body = (
        f"{draw.choice('12')}{digits(draw, 2)}{draw.randrange(1, 13):02d}{draw.randrange(1, 96):02d}"
        f"{draw.randrange(1, 600):03d}{draw.randrange(1, 1000):03d}"
    )
    if body[5:7] == "20":  # Corsica has letters
        body = f"{body[:5]}75{body[7:]}"
    return body + checksums.nir_key(body)


def es_id(draw: Random) -> str:
    """A citizen's card or a foreigner's."""
    if draw.random() < 0.3:
        first = draw.randrange(3)
        rest = digits(draw, 7)
        return f"{'XYZ'[first]}{rest}{checksums.dni_letter(int(f'{first}{rest}'))}"
    number = draw.randrange(1_000_000, 100_000_000)
    return f"{number:08d}{checksums.dni_letter(number)}"


def it_tax_code(draw: Random) -> str:
    """Surname, name, birth, town and check letter."""
    names = "".join(draw.choices("BCDFGLMNPRSTVZ", k=6))
    day = draw.randrange(1, 29) + draw.choice((0, 40))
    town = f"{draw.choice('ABCDEFGHIL')}{draw.randrange(1, 1000):03d}"
    return checksums.codice_fiscale(f"{names}{digits(draw, 2)}{draw.choice('ABCDEHLMPRST')}{day:02d}{town}")


def nl_bsn(draw: Random) -> str:
    """Nine digits that pass the eleven test."""
    while True:
        number = checksums.eleven_test(f"{draw.randrange(1, 10)}{digits(draw, 7)}")
        if number:
            return number


def in_aadhaar(draw: Random) -> str:
    """Twelve digits, in one piece or in fours."""
    text = checksums.verhoeff(f"{draw.randrange(2, 10)}{digits(draw, 10)}")
    return grouped(text, 4) if draw.random() < 0.5 else text


def in_pan(draw: Random) -> str:
    """The permanent account number of a person."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    head = "".join(draw.choices(letters, k=3))
    return f"{head}P{draw.choice(letters)}{draw.randrange(1, 10_000):04d}{draw.choice(letters)}"


def br_cpf(draw: Random) -> str:
    """A person's number, plain or with its points."""
    text = checksums.cpf(digits(draw, 9))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}" if draw.random() < 0.6 else text


def br_cnpj(draw: Random) -> str:
    """A company's number, plain or with its points."""
    text = checksums.cnpj(f"{digits(draw, 8)}0001")
    return f"{text[:2]}.{text[2:5]}.{text[5:8]}/{text[8:12]}-{text[12:]}" if draw.random() < 0.6 else text


def phone_e164(draw: Random) -> str:
    """With its plus sign, in one piece or spaced."""
    country, rest = draw.choice(
        (
            ("1", f"{draw.choice(_AREA_CODES)}{_exchange(draw)}{digits(draw, 4)}"),
            ("44", f"20 7946 0{digits(draw, 3)}"),
            ("49", f"30 {draw.randrange(2, 9)}{digits(draw, 7)}"),
            ("49", f"151 {draw.randrange(1, 9)}{digits(draw, 7)}"),
            ("33", f"6 1{digits(draw, 1)} {digits(draw, 2)} {digits(draw, 2)} {digits(draw, 2)}"),
            ("91", f"98{digits(draw, 3)} {digits(draw, 5)}"),
            ("31", f"6 1{digits(draw, 7)}"),
        )
    )
    text = f"+{country} {rest}"
    return text if draw.random() < 0.4 else text.replace(" ", "")


def phone_national(draw: Random) -> str:
    """As people of a country write it."""
    area, exchange, line = draw.choice(_AREA_CODES), _exchange(draw), digits(draw, 4)
    return draw.choice(
        (
            f"({area}) {exchange}-{line}",
            f"{area}-{exchange}-{line}",
            f"{area}{exchange}{line}",
            f"020 7946 0{digits(draw, 3)}",
            f"030 {draw.randrange(2, 9)}{digits(draw, 7)}",
            f"06 1{digits(draw, 1)} {digits(draw, 2)} {digits(draw, 2)} {digits(draw, 2)}",
        )
    )


def _exchange(draw: Random) -> str:
    return draw.choice([str(number) for number in range(220, 1000) if number % 100 != 11 and number != 555])


def ipv4(draw: Random) -> str:
    """Of any network."""
    return f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"


def ipv6(draw: Random) -> str:
    """Shortened or in full (RFC 4291, 2.2)."""
    groups = [f"{draw.randrange(1, 65536):x}" for _ in range(4)]
    return draw.choice(
        (
            f"2001:db8::{groups[0]}:{groups[1]}",
            f"fe80::{':'.join(groups)}",
            f"2001:db8:{groups[0]}:{groups[1]}:0:0:{groups[2]}:{groups[3]}",
            f"2001:0db8:0000:{groups[0].zfill(4)}:0000:0000:{groups[1].zfill(4)}:{groups[2].zfill(4)}",
            f"::ffff:{ipv4(draw)}",
        )
    )


def mac(draw: Random) -> str:
    """With colons, dashes or in Cisco's three groups."""
    text = f"{draw.randrange(1, 64) * 4:02x}{draw.getrandbits(40):010x}"
    form = draw.choice((":", "-", "."))
    return grouped(text, 4, ".") if form == "." else grouped(text, 2, form)


def birth_date(draw: Random) -> str:
    """As ISO 8601 has it, or as people write it."""
    year, month, day = draw.randrange(1930, 2010), draw.randrange(1, 13), draw.randrange(1, 29)
    return draw.choice(
        (f"{year}-{month:02d}-{day:02d}", f"{day:02d}/{month:02d}/{year}", f"{day:02d}.{month:02d}.{year}")
    )


def passport(draw: Random) -> str:
    """A letter and eight digits, or nine digits."""
    return draw.choice((f"C{digits(draw, 8)}", digits(draw, 9)))


def driving_licence(draw: Random) -> str:
    """As California and as Great Britain have it."""
    return draw.choice((f"D{digits(draw, 7)}", f"MORGA{digits(draw, 6)}SM9IJ"))


def medical_record(draw: Random) -> str:
    """A number of a hospital."""
    return draw.choice((digits(draw, 8), f"MRN-{digits(draw, 7)}"))


def person_name(draw: Random) -> str:
    """One word, or two."""
    first, last = (
        draw.choice(("Jane", "Anne-Marie", "Zoltan", "Priya")),
        draw.choice(("Miller", "Weber", "Okafor", "Lindqvist")),
    )
    return draw.choice((first, last, f"{first} {last}"))


def postal_address(draw: Random) -> str:
    """Number, street and town."""
    return f"{draw.randrange(1, 200)} {draw.choice(('High Street', 'Mill Lane', 'Station Road'))}, Exampleton"


def coordinate(draw: Random) -> str:
    """Degrees with six decimals: to the metre."""
    return f"{draw.choice(('', '-'))}{draw.randrange(1, 90)}.{digits(draw, 6)}"


def number_or_code(draw: Random) -> str:
    """A number, a prefix and one, or hexadecimal digits: as applications name their records."""
    return draw.choice((digits(draw, 7), f"ORD-{digits(draw, 6)}", f"rec_{draw.getrandbits(48):012x}"))
