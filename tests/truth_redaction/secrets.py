"""Draws secrets: of the form and with the check sum that their issuers give them, opening no door."""

from __future__ import annotations

import base64
import json
import string
from typing import TYPE_CHECKING

from tests.truth_redaction.checksums import crc62
from tests.truth_redaction.personal import digits

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

ALNUM = string.ascii_letters + string.digits
URL_SAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_SIGNS = '!#@$%&+=,;*?~ü"\\'


def some(draw: Random, alphabet: str, count: int) -> str:
    """So many characters; the first and the last are letters or digits, so that a token ends where it ends."""
    middle = "".join(draw.choices(alphabet, k=count - 2))
    inside = [letter for letter in alphabet if letter.isalnum()]
    return draw.choice(inside) + middle + draw.choice(inside)


def jwt(draw: Random) -> str:
    """Header, claims, signature (RFC 7519)."""
    header = {"alg": draw.choice(("HS256", "RS256", "ES256")), "typ": "JWT"}
    claims = {"sub": digits(draw, 6), "iat": 1_700_000_000 + draw.randrange(10**7)}
    parts = [_url_safe(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, _url_safe(draw.randbytes(32))])


def _url_safe(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def aws_key_id(draw: Random) -> str:
    """Long-term or temporary."""
    return draw.choice(("AKIA", "ASIA")) + some(draw, string.ascii_uppercase + "234567", 16)


def aws_secret(draw: Random) -> str:
    """Forty characters, known by the name alone."""
    return some(draw, BASE64, 40)


def github(draw: Random) -> str:
    """Thirty characters and their check sum, or the fine-grained form."""
    if draw.random() < 0.2:
        return f"github_pat_{some(draw, ALNUM, 22)}_{some(draw, ALNUM, 59)}"
    body = some(draw, ALNUM, 30)
    return f"{draw.choice(('ghp', 'gho', 'ghs', 'ghu', 'ghr'))}_{body}{crc62(body)}"


def gitlab(draw: Random) -> str:
    """A personal access token."""
    return f"glpat-{some(draw, URL_SAFE, 20)}"


def slack(draw: Random) -> str:
    """Of a bot or a user."""
    kind = draw.choice(("xoxb", "xoxp"))
    numbers = [digits(draw, 12) for _ in range(2 if kind == "xoxb" else 3)]
    last = some(draw, ALNUM, 24) if kind == "xoxb" else some(draw, HEX, 32)
    return "-".join([kind, *("1" + number[1:] for number in numbers), last])


def stripe(draw: Random) -> str:
    """A secret or a restricted key, live or of the test mode."""
    return f"{draw.choice(('sk', 'rk'))}_{draw.choice(('live', 'test'))}_{some(draw, ALNUM, draw.choice((24, 99)))}"


def gcp(draw: Random) -> str:
    """An API key."""
    return f"AIza{some(draw, URL_SAFE, 35)}"


def azure_storage(draw: Random) -> str:
    """64 bytes in base64: the value of AccountKey."""
    return base64.b64encode(draw.randbytes(64)).decode()


def azure_client(draw: Random) -> str:
    """A client secret of Entra ID: its fourth to sixth characters are a digit, Q and a tilde."""
    return f"{some(draw, ALNUM, 3)}{draw.choice('78')}Q~{some(draw, URL_SAFE + '~.', 34)}"


def npm(draw: Random) -> str:
    """Thirty characters and their check sum."""
    body = some(draw, ALNUM, 30)
    return f"npm_{body}{crc62(body)}"


def pypi(draw: Random) -> str:
    """A macaroon that names its location."""
    restrictions = json.dumps({"version": 1, "permissions": "user"}).encode()
    identifier = bytes([len(restrictions)]) + restrictions
    packed = b"\x02\x01\x08pypi.org\x02" + identifier + b"\x00\x00\x06\x20" + draw.randbytes(32)
    return f"pypi-{_url_safe(packed)}"


def openai(draw: Random) -> str:
    """Of a project or the older form; the middle is OpenAI in base64."""
    if draw.random() < 0.5:
        return f"sk-{some(draw, ALNUM, 20)}T3BlbkFJ{some(draw, ALNUM, 20)}"
    return f"sk-proj-{some(draw, URL_SAFE, 74)}T3BlbkFJ{some(draw, URL_SAFE, 74)}"


def anthropic(draw: Random) -> str:
    """An API key."""
    return f"sk-ant-api03-{some(draw, URL_SAFE, 93)}AA"


def twilio(draw: Random) -> str:
    """The id of an API key."""
    return f"SK{some(draw, HEX, 32)}"


def sendgrid(draw: Random) -> str:
    """Three parts."""
    return f"SG.{some(draw, URL_SAFE, 22)}.{some(draw, URL_SAFE, 43)}"


def bearer(draw: Random) -> str:
    """Of no form in particular."""
    return some(draw, ALNUM + "-._", draw.randrange(20, 60)).replace("..", "_.")


def basic(draw: Random) -> str:
    """User and password (RFC 7617)."""
    return base64.b64encode(f"user{digits(draw, 2)}:{password(draw)}".encode()).decode()


def digest(draw: Random) -> str:
    """A whole header (RFC 7616)."""
    return (
        f'Digest username="u{digits(draw, 3)}", realm="shop", nonce="{some(draw, HEX, 32)}", uri="/a", '
        f'response="{some(draw, HEX, 32)}"'
    )


def cookie(draw: Random) -> str:
    """Two or three pairs (RFC 6265)."""
    return f"sid={some(draw, ALNUM, 26)}; theme=dark" + draw.choice(("", f"; cart={some(draw, HEX, 12)}"))


def password(draw: Random) -> str:
    """Words, digits, and in one of two some punctuation; quotes, backslashes and separators among it."""
    plain = some(draw, ALNUM, draw.randrange(8, 17))
    if draw.random() < 0.5:
        return plain
    return plain[:5] + draw.choice(_SIGNS) + plain[5:]


def plain_password(draw: Random) -> str:
    """Letters and digits."""
    return some(draw, ALNUM, draw.randrange(8, 17))


def token(draw: Random) -> str:
    """Letters and digits, a few signs of base64."""
    return some(draw, URL_SAFE, draw.randrange(16, 44))


def session(draw: Random) -> str:
    """Hexadecimal digits or letters."""
    return draw.choice((some(draw, HEX, 32), some(draw, string.ascii_lowercase + string.digits, 26)))


def private_key(draw: Random) -> str:
    """A block of PEM (RFC 7468) whose inside is noise."""
    kind = draw.choice(("", "RSA ", "EC ", "OPENSSH "))
    inside = base64.b64encode(draw.randbytes(96)).decode()
    lines = [inside[place : place + 64] for place in range(0, len(inside), 64)]
    return "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])


def _vendor(*parts: str | tuple[str, int]) -> Callable[[Random], str]:
    """Fixed texts, and so many characters of an alphabet."""
    return lambda draw: "".join(part if isinstance(part, str) else some(draw, *part) for part in parts)


def age(draw: Random) -> str:
    """An identity of age: 32 bytes in bech32 (BIP 173) with their check sum."""
    data = [draw.randrange(32) for _ in range(51)] + [draw.choice((0, 16))]
    prefix = "age-secret-key-"
    values = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix] + data
    check = _polymod([*values, 0, 0, 0, 0, 0, 0]) ^ 1
    data += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return f"{prefix}1{''.join(_BECH32[value] for value in data)}".upper()


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> place & 1 else 0
    return check


def discord(draw: Random) -> str:
    """The bot's id in base 64, a time and a code."""
    number = base64.b64encode(str(10**17 + draw.randrange(8 * 10**17)).encode()).decode().rstrip("=")
    return f"{number}.{some(draw, URL_SAFE, 6)}.{some(draw, URL_SAFE, 38)}"


VENDORS: dict[str, tuple[Callable[[Random], str], str]] = {
    "Shopify token": (_vendor("shpat_", (HEX, 32)), "shopify.*"),
    "Vault token": (_vendor("hvs.", (URL_SAFE, 95)), "vault.*"),
    "Databricks token": (_vendor("dapi", (HEX, 32)), "databricks.*"),
    "DigitalOcean token": (_vendor("dop_v1_", (HEX, 64)), "digitalocean.*"),
    "Telegram bot token": (_vendor(("123456789", 9), ":AA", (URL_SAFE, 33)), "telegram.*"),
    "Discord bot token": (discord, "discord.*"),
    "Docker Hub token": (_vendor("dckr_pat_", (URL_SAFE, 27)), "dockerhub.*"),
    "Terraform token": (_vendor((ALNUM, 14), ".atlasv1.", (ALNUM, 67)), "terraform.*"),
    "New Relic key": (_vendor("NRAK-", (string.ascii_uppercase + string.digits, 27)), "newrelic.*"),
    "Grafana token": (_vendor("glsa_", (ALNUM, 32), "_", (HEX, 8)), "grafana.*"),
    "Figma token": (_vendor("figd_", (URL_SAFE, 40)), "figma.*"),
    "Notion token": (_vendor("ntn_", (string.digits, 11), (ALNUM, 35)), "notion.*"),
    "Linear key": (_vendor("lin_api_", (ALNUM, 40)), "linear.*"),
    "Heroku key": (_vendor("HRKU-AA", (URL_SAFE, 58)), "heroku.*"),
    "Mailchimp key": (_vendor((HEX, 32), "-us12"), "mailchimp.*"),
    "Mailgun key": (_vendor("key-", (HEX, 32)), "mailgun.*"),
    "Square token": (_vendor("sq0atp-", (URL_SAFE, 22)), "square.*"),
    "age key": (age, "age_key"),
    "Hugging Face token": (_vendor("hf_", (string.ascii_letters, 34)), "huggingface.*|vendor_token"),
    "Postman key": (_vendor("PMAK-", (HEX, 24), "-", (HEX, 34)), "postman.*|vendor_token"),
    "CircleCI token": (_vendor("CCIPAT_", (ALNUM, 22), "_", (HEX, 40)), "circleci.*|service_token"),
    "SonarQube token": (_vendor("squ_", (HEX, 40)), "sonar.*|service_token"),
    "NVIDIA key": (_vendor("nvapi-", (URL_SAFE, 64)), "nvidia.*|service_token"),
    "Razorpay key": (_vendor("rzp_live_", (ALNUM, 14)), "razorpay.*|service_token"),
    "Alibaba key id": (_vendor("LTAI", (ALNUM, 20)), "alibaba.*|service_token"),
    "hash of a password": (_vendor("$2b$12$", (ALNUM + "./", 53)), "password_hash"),
    "RubyGems key": (_vendor("rubygems_", (HEX, 48)), "rubygems.*|vendor_token"),
}
"""Tokens of a prefix and a length, after their issuers' documentation, and the rules that are there for them."""
