"""The settings of the web application: what is unsafe is refused before it listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from logshed.errors import SettingsError
from logshed.settings import Settings


def load(folder: Path, text: str) -> Settings:
    (folder / "logshed.toml").write_text(text)
    return Settings.load(folder, environ={})


def test_without_settings_it_is_for_this_machine_and_its_accounts_lie_beside_the_tokens(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert (settings.web.address.is_local, settings.web.secure, settings.web.oidc) == (True, False, None)
    assert (settings.web.idle, settings.web.session) == (8 * 3600, 7 * 86_400)
    assert settings.accounts == tmp_path / "logshed-accounts.db"
    assert load(tmp_path, 'tokens = "/srv/t.db"').accounts == Path("/srv/logshed-accounts.db")


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        '[web]\naccounts = "a.db"\ncertificate = "c.pem"\nkey = "k.pem"\nidle = "1h"\n'
        '[web.oidc]\nissuer = "https://id.example.org"\nclient_id = "logs"\nclient_secret = "file:secret"\n'
        'scopes = ["groups"]\nroles = { ops = "analyst" }\ncollections = { ops = ["shop-*"] }\n',
    )
    web = settings.web
    assert (settings.accounts, web.certificate, web.key) == tuple(tmp_path / one for one in ("a.db", "c.pem", "k.pem"))
    assert (web.idle, web.secure) == (3600, True)
    assert web.oidc is not None
    assert web.oidc.client_secret is not None
    assert web.oidc.client_secret.get_secret_value() == f"file:{tmp_path / 'secret'}"
    assert (web.oidc.scopes, web.oidc.roles, web.oidc.collections) == (
        ("openid", "groups"),
        {"ops": "analyst"},
        {"ops": ("shop-*",)},
    )


@pytest.mark.parametrize(
    "text",
    [
        'listen = "0.0.0.0:8600"\ncertificate = "c"\nkey = "k"',
        'listen = "0.0.0.0:8600"\nproxies = "10.0.0.7"\npublic_url = "https://logs.example.org/"',
        'proxies = ["10.0.0.0/8", "::1"]',
        'passwords = false\n[web.oidc]\nissuer = "http://127.0.0.1:9/x"\nclient_id = "a"',
    ],
)
def test_what_is_safe_is_taken(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"[web]\n{text}\n").web.address.port == 8600


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('listen = "0.0.0.0:8600"', "others than this machine reach it"),
        ('listen = "0.0.0.0:8600"\nproxies = "10.0.0.7"', "others than this machine reach it"),
        ('listen = "0.0.0.0:8600"\npublic_url = "https://logs.example.org"', "others than this machine reach it"),
        ('certificate = "a"', "a certificate needs its key"),
        ('proxies = "*"', "does not appear to be an IPv4 or IPv6 network"),
        ('public_url = "logs.example.org"', "is no address of its own"),
        ('public_url = "https://example.org/logs"', "is no address of its own"),
        ("passwords = false", "nobody could sign in"),
        ('[web.oidc]\nissuer = "http://id.example.org"\nclient_id = "a"', "could sign in as anybody; write https://"),
        ('[web.oidc]\nissuer = "id"\nclient_id = "a"', "is no address; write it as"),
        (
            '[web.oidc]\nissuer = "https://a"\nclient_id = "a"\nclient_secret = "s3cret"',
            "a secret stands in the file itself",
        ),
        ("idle = 5", "web.idle"),
    ],
)
def test_what_is_unsafe_or_wrong_is_refused_and_no_secret_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as raised:
        load(tmp_path, f"[web]\n{text}\n")
    assert "s3cret" not in str(raised.value)
