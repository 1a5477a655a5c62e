"""Texts made to slip a secret past the rules."""

from __future__ import annotations

import json

import polars as pl
import pytest

from logshed.redaction import Redactor, load_policy

REDACTOR = Redactor(load_policy("default"))


def _nested(record: object, depth: int) -> str:
    for _ in range(depth):
        record = {"log": json.dumps(record)}
    return json.dumps(record)


LEAKY = [
    r'{"pass\u0077ord":"S3CRET"}',
    r'{"\u0070\u0061\u0073\u0073\u0077\u006f\u0072\u0064":"S3CRET","a":1}',
    '{"password":["S3CRET","b"]}',
    '{"password":{"a":"}","b":"S3CRET"}}',
    '{"password":"S3CRET\\\\","a":"b"}',
    '{"password":"\\"S3CRET\\"","a":"b"}',
    '{"password"\n:\n"S3CRET"}',
    '{"password":\u00a0"S3CRET"}',
    '{"password":S3CRET}',
    '{"token":"S3CRET","token":"S3CRET"}',
    '{"password":"[S3CRET]"}',
    '{"password":"[PASSWORD]S3CRET"}',
    '{"a":{"password":{"b":"S3CRET',
    *(_nested({"password": 'S3"C\\RET', "x": 1}, depth).replace("S3", "S3CRET") for depth in range(7)),
    *(_nested({"password": ["S3CRET", {"a": "]}"}], "x": 1}, depth) for depth in range(7)),
    r'{"log":"{\"pass\\u0077ord\":\"S3CRET\"}\n"}',
    r'{"log":"\u007b\u0022password\u0022:\u0022S3CRET\u0022\u007d"}',
    r'{"q":"password\u003dS3CRET\u0026a\u003d1"}',
    r'{"u":"bob\u0040S3CRET.example.com"}',
    '{"headers":[["cookie","sid=S3CRET"]]}',
    '{"headers":[{"name":"Authorization","value":"Basic UzNDUkVUOng="},{"name":"Cookie","value":"S3CRET"}]}',
    '{"Authorization":["Bearer S3CRETabc"]}',
    "{'password': u'S3CRET'}",
    ':password=>"S3CRET"',
    "GET /?pass%77ord=S3CRET HTTP/1.1",
    "GET /?pass%2577ord=S3CRET HTTP/1.1",
    "GET /?next=%2Flogin%3Fpassword%3DS3CRET HTTP/1.1",
    "GET /?next=%252Flogin%253Fpassword%253DS3CRET HTTP/1.1",
    "GET /?j=%7B%22password%22%3A%22S3CRET%22%7D HTTP/1.1",
    "GET /?to=https%3A%2F%2Fbob%3AS3CRET%40host%2F HTTP/1.1",
    "password=null;password=S3CRET",
    "password=null password=S3CRET token=null",
    "password=[PASSWORD]S3CRET",
    "\ufdd0password=S3CRET\ufdd1 password=null",
    'password="S3CRET',
    "password='S3CRET",
    '<entry key="password">S3CRET</entry>',
    '<field name="password" value="S3CRET"/>',
    "ALTER USER bob IDENTIFIED BY 'S3CRET'",
    "https://bob:x@S3CRET@host/",
    f"AKIAIOSFODNN7EXAMPLE,S3CRET{'aB3/' * 8}xY",
    f'{{"keys":["AKIAIOSFODNN7EXAMPLE","S3CRET{"aB3/" * 8}xY"]}}',
    "Authorization: Digest\r\n username=m,\r\n response=S3CRET",
    "Authorization: [Bearer S3CRET]",
    "Authorization: OAuth realm=x, oauth_signature=S3CRET",
    "sudo: COMMAND=/usr/bin/mysql -u root -pS3CRET",
    '{"args":["mysqldump","-u","root","-pS3CRET"]}',
    r'{"log":"{\"cmd\":\"curl -u bob:S3CRET https://h/\"}"}',
    'type=EXECVE argc=4 a0="sshpass" a1="-p" a2="S3CRET" a3="ssh"',
    'the root password is "S3CRET"',
    r'{"log":"with password \"S3CRET\" accepted"}',
    "dial app:S3CRET@tcp(db:3306)/shop",
]


@pytest.mark.parametrize("text", LEAKY)
def test_the_secret_does_not_survive_and_json_stays_json(text: str) -> None:
    (clean,) = REDACTOR.redact(pl.Series([text])).text
    assert "S3CRET" not in clean
    assert "UzNDUkVUOng" not in clean
    if _is_json(text):
        assert _is_json(clean)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"password":12345678,"n":12345678}', '{"password":"[PASSWORD]","n":12345678}'),
        ('{"k":{"pwd":{"pwd":[{"pwd":1}]}},"b":1}', '{"k":{"pwd":"[PASSWORD]"},"b":1}'),
        (r'{"k":"\ufdd1%3Dbob@example.com"}', r'{"k":"\ufdd1%3D[EMAIL]"}'),
        ('{"k":": 4111111111111111,]"}', '{"k":": [CARD],]"}'),
        ('{"token":[],"secret":{ },"n":1}', '{"token":[],"secret":{ },"n":1}'),
        ('{"password":{"a":"}"},"b":"keep"}', '{"password":"[PASSWORD]","b":"keep"}'),
        ('{"url":"/?token=","user":"bob"}', '{"url":"/?token=","user":"bob"}'),
        ('{"msg":"bad token:", "user":"bob"}', '{"msg":"bad token:", "user":"bob"}'),
        ('"http://a/?token=" "Mozilla/5.0"', '"http://a/?token=" "Mozilla/5.0"'),
        (r'{"a":"x\u0041\u00e9","t":"\u003cb\u003e"}', r'{"a":"x\u0041\u00e9","t":"\u003cb\u003e"}'),
        ("GET /%41%7Ebob/?q=%E4%BD%A0 HTTP/1.1", "GET /%41%7Ebob/?q=%E4%BD%A0 HTTP/1.1"),
        ("user=bob password=abc&x=1 next=2", "user=bob password=[PASSWORD]&x=1 next=2"),
        ('{"token":null,"hasToken":true,"max_tokens":512}', '{"token":null,"hasToken":true,"max_tokens":512}'),
    ],
)
def test_what_stands_beside_a_secret_stays(text: str, clean: str) -> None:
    assert REDACTOR.redact(pl.Series([text])).text.to_list() == [clean]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
