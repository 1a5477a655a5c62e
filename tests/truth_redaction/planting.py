"""Which values are planted, under which names, and the lines that hold them: the same ones for the same seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.truth_redaction import personal, secrets
from tests.truth_redaction.contexts import CONTEXTS, HERE, phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.truth_redaction.contexts import Context

SEED = 20_150_517
EACH = 40
"""Values of each class in each context: together more than 20,000."""
_NEUTRAL = ("v", "data", "field", "q", "ref")
_BARE = re.compile(r"[^\s\"'<>&,;()\[\]{}|\\=:%?!]+")
_NUMBER = re.compile(r"-?[1-9][0-9]*(?:\.[0-9]+)?")
_NO_SPACE = re.compile(r"[^\s\"'\\]+")


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of data.

    Attributes:
        name: As in the tables.
        draw: Makes a value.
        rules: An expression for the names of the rules that are there for it.
        keys: Names under which it stands.
        named: Whether only its name tells it; else it is planted under names that say nothing, too, and without any.
        sure: Whether a check sum or a prefix tells it, so that nothing of it may be missed.
        lead: What stands before the value and may go with it.
        tail: What stands after the value and must stay.
        to_the_end: Whether it is a header, which goes on to the end of its line.
        spaced: Whether its form says where it ends, so that it may hold blanks and brackets.
    """

    name: str
    draw: Callable[[Random], str]
    rules: str
    keys: tuple[str, ...] = ()
    named: bool = False
    sure: bool = False
    lead: str = ""
    tail: str = ""
    to_the_end: bool = False
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Planted:
    """One line with one value in it.

    Attributes:
        kind: The value's class.
        context: Where it stands.
        before: The line up to the value and its lead.
        lead: The lead as spelled here.
        spelled: The value as spelled here.
        after: The rest of the line.
        value: The value itself.
    """

    kind: str
    context: Context
    before: str
    lead: str
    spelled: str
    after: str
    value: str

    @property
    def line(self) -> str:
        """All of it."""
        return f"{self.before}{self.lead}{self.spelled}{self.after}"


_P, _S = personal, secrets
KINDS = (
    Kind("e-mail", _P.email, "email", ("email", "to", "user"), sure=True),
    Kind("payment card", _P.payment_card, "payment_card", ("card", "pan", "cardNumber"), sure=True),
    Kind("card's stripe", _P.track, "track_data", ("track2", "trackData"), sure=True, spaced=True),
    Kind("vehicle's number", _P.vin, "vin", ("vin", "vehicleIdentificationNumber"), named=True),
    Kind("IBAN", _P.iban, "iban", ("iban", "account"), sure=True),
    Kind("US SSN", _P.us_ssn, "us_ssn", ("ssn", "social_security_number"), named=True),
    Kind("UK NINO", _P.uk_nino, "uk_nino", ("nino", "national_insurance_number"), spaced=True, named=True),
    Kind(
        "DE tax id",
        _P.de_tax_id,
        "national_id_de",
        ("steuer_id", "steuerId", "steueridentifikationsnummer"),
        named=True,
    ),
    Kind("FR NIR", _P.fr_nir, "national_id_fr", ("nir", "numero_securite_sociale"), named=True),
    Kind("ES DNI, NIE", _P.es_id, "national_id_es", ("dni", "nie"), named=True),
    Kind("IT codice fiscale", _P.it_tax_code, "national_id_it", ("codice_fiscale", "codiceFiscale"), sure=True),
    Kind("NL BSN", _P.nl_bsn, "national_id_nl", ("bsn",), named=True),
    Kind("IN Aadhaar", _P.in_aadhaar, "national_id_in", ("aadhaar", "aadhaar_number"), spaced=True, named=True),
    Kind("IN PAN", _P.in_pan, "national_id_in", ("pan_number",), named=True),
    Kind("BR CPF", _P.br_cpf, "national_id_br", ("cpf",), named=True),
    Kind("BR CNPJ", _P.br_cnpj, "national_id_br", ("cnpj",), named=True),
    Kind("phone E.164", _P.phone_e164, "phone", ("phone", "mobile", "to"), sure=True),
    Kind(
        "phone national", _P.phone_national, "phone", ("phone", "mobile_number", "phoneNumber"), spaced=True, named=True
    ),
    Kind("IPv4", _P.ipv4, "ipv4|ip.*", ("client_ip", "addr", "remote"), sure=True),
    Kind("IPv6", _P.ipv6, "ipv6|ip.*", ("client_ip", "addr", "remote"), sure=True),
    Kind("MAC", _P.mac, "mac.*", ("mac", "hwaddr"), sure=True),
    Kind("JWT", _S.jwt, "jwt", ("jwt", "id_token"), sure=True),
    Kind("AWS key id", _S.aws_key_id, "aws_key_id|aws_access_key.*", ("accessKeyId", "X-Amz-Credential"), sure=True),
    Kind("AWS secret", _S.aws_secret, "secret|aws_secret.*", ("aws_secret_access_key", "secretAccessKey"), named=True),
    Kind("GitHub token", _S.github, "github.*", ("token",), sure=True),
    Kind("GitLab token", _S.gitlab, "gitlab.*", ("private_token",), sure=True),
    Kind("Slack token", _S.slack, "slack.*", ("slack_token",), sure=True),
    Kind("Stripe key", _S.stripe, "stripe.*", ("stripe_key",), sure=True),
    Kind("GCP API key", _S.gcp, "gcp.*|google.*", ("key",), sure=True),
    Kind("Azure storage key", _S.azure_storage, "secret|azure.*", ("AccountKey",), named=True),
    Kind("Azure client secret", _S.azure_client, "azure.*", ("client_secret",), sure=True),
    Kind("npm token", _S.npm, "npm.*", ("_authToken",), sure=True),
    Kind("PyPI token", _S.pypi, "pypi.*", ("token",), sure=True),
    Kind("OpenAI key", _S.openai, "openai.*", ("openai_key",), sure=True),
    Kind("Anthropic key", _S.anthropic, "anthropic.*", ("x-api-key",), sure=True),
    Kind("Twilio key", _S.twilio, "twilio.*", ("twilio_key",), sure=True),
    Kind("SendGrid key", _S.sendgrid, "sendgrid.*", ("sendgrid_key",), sure=True),
    Kind("bearer", _S.bearer, "bearer", ("hdr",), lead="Bearer "),
    Kind("basic", _S.basic, "basic_credentials|basic.*", ("hdr",), lead="Basic "),
    Kind("digest", _S.digest, "authorization|digest.*", ("Authorization",), named=True, to_the_end=True),
    Kind("cookie", _S.cookie, "cookie", ("Cookie", "Set-Cookie"), named=True, to_the_end=True),
    Kind(
        "password by name", _S.password, "password", ("password", "db_passwd", "userPassword", "passphrase"), named=True
    ),
    Kind("password, short name", _S.password, "password_short", ("pwd", "DB_PASS"), named=True),
    Kind(
        "password in a URL",
        _S.plain_password,
        "url_password",
        ("dsn", "url"),
        lead="postgres://app:",
        tail="@db.example.net:5432/shop",
    ),
    Kind("token by name", _S.token, "token", ("access_token", "refreshToken", "X-CSRF-Token"), named=True),
    Kind("secret by name", _S.token, "secret", ("client_secret", "api_key", "signingKey"), named=True),
    *(Kind(name, draw, rules, ("token",), sure=True) for name, (draw, rules) in _S.VENDORS.items()),
    Kind("private key", _S.private_key, "private_key", ("pem",), sure=True),
    Kind("session id", _S.session, "session", ("PHPSESSID", "JSESSIONID", "connect.sid"), named=True),
    Kind("birth date", _P.birth_date, "birth_date", ("date_of_birth", "dob", "birthDate"), named=True),
    Kind("passport", _P.passport, "passport", ("passport_number", "passportNo"), named=True),
    Kind(
        "driving licence", _P.driving_licence, "driver_licence", ("driver_license_number", "drivingLicence"), named=True
    ),
    Kind("medical record", _P.medical_record, "medical_record", ("mrn", "medical_record_number"), named=True),
    Kind("tax id by name", _P.de_tax_id, "tax_id", ("tax_id", "taxId"), named=True),
    Kind("person's name", _P.person_name, "person_name", ("first_name", "lastName", "full_name"), named=True),
    Kind("postal address", _P.postal_address, "postal_address", ("street_address", "shippingAddress"), named=True),
    Kind("coordinates by name", _P.coordinate, "coordinates", ("latitude", "longitude", "lat"), named=True),
    Kind("user id", _P.number_or_code, "user_id", ("user_id", "userId"), named=True),
    Kind("customer id", _P.number_or_code, "customer_id", ("customer_id", "customerId"), named=True),
    Kind("account id", _P.number_or_code, "account_id", ("account_id", "accountNumber"), named=True),
    Kind("order id", _P.number_or_code, "order_id", ("order_id", "orderId"), named=True),
    Kind("payment id", _P.number_or_code, "payment_id", ("payment_id", "transactionId"), named=True),
    Kind("device id", _P.number_or_code, "device_id", ("device_id", "deviceId"), named=True),
)


def plants(each: int = EACH, seed: int = SEED) -> Iterator[Planted]:
    """Every class in every context that can hold it."""
    for kind in KINDS:
        for context in CONTEXTS:
            draw = Random(f"{seed} {kind.name} {context.name}")  # noqa: S311 - the same lines every time
            for _ in range(each):
                value = _fitting(kind, context, draw)
                if value is not None:
                    yield _planted(kind, context, value, draw)


def _fitting(kind: Kind, context: Context, draw: Random) -> str | None:
    """A value that this place can hold, if the class has one."""
    for _ in range(40):
        value = kind.draw(draw)
        if _fits(kind, context, value):
            return value
    return None


def _fits(kind: Kind, context: Context, value: str) -> bool:
    if context.number:
        return _NUMBER.fullmatch(value) is not None and not kind.lead
    if not context.bare:
        return True
    if "\n" in value:
        return context.name in {"stack trace", "syslog prose", "JSON message"}
    if context.name == "logfmt bare":
        return _NO_SPACE.fullmatch(kind.lead + value) is not None and (not kind.named or _plain(value))
    if kind.to_the_end:
        return not context.keyed
    return _plain(_unspaced(value) if kind.spaced else value) if kind.named or kind.lead else True


def _plain(value: str) -> bool:
    """Nothing in it could end it."""
    return _BARE.fullmatch(value.rstrip("=").replace("+", "").replace("/", "")) is not None


def _unspaced(value: str) -> str:
    return value.replace(" ", "").replace("(", "").replace(")", "")


def _planted(kind: Kind, context: Context, value: str, draw: Random) -> Planted:
    key = draw.choice(kind.keys if kind.named else (*kind.keys, *_NEUTRAL))
    words = phrase(draw, key if kind.named else None)
    if kind.to_the_end:
        words = f"sent {key}: {HERE}"
    before, _, after = context.build(draw, key, words).partition(HERE)
    return Planted(
        kind.name,
        context,
        before,
        context.spell(kind.lead),
        context.spell(value),
        context.spell(kind.tail) + after,
        value,
    )
