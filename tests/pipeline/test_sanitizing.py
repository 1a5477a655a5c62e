"""Files come out with the same lines in the same form, and nothing of what was planted in them."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logshed
from logshed.errors import LogshedError, UsageError
from logshed.pipeline import whole as whole_text
from logshed.pipeline.whole import decoded, encoded
from logshed.sanitizing import sanitize_files, scan
from logshed.settings import Settings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

PLANTED = "Zq7x9Kw2mPq"
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "\n".join(["MIIEowIBAAKCAQEA7" + PLANTED * 3] * 20)
    + "\n-----END RSA PRIVATE KEY-----\n"
)
SETTINGS = Settings(lake=Path("nowhere"))


def _clean(folder: Path, data: bytes, name: str = "a.log", policy: str = "default") -> bytes:
    given_file, out = folder / name, folder / f"out.{name}"
    given_file.write_bytes(data)
    done = sanitize_files([given_file], out, policy=policy, settings=SETTINGS, force=True)
    assert not done.problems
    assert out.read_bytes().count(b"\n") == data.count(b"\n")
    return out.read_bytes()


@pytest.mark.truth
def test_real_files_keep_their_lines_and_their_form(shared: Path, tmp_path: Path) -> None:
    source = shared / "truth" / "files"
    done = sanitize_files([source], tmp_path / "out", settings=SETTINGS)
    assert not done.problems
    for file in (path for path in source.rglob("*") if path.is_file()):
        before, after = file.read_bytes(), (tmp_path / "out" / file.relative_to(source)).read_bytes()
        assert before.count(b"\n") == after.count(b"\n"), file
        if "encodings" in str(file):
            assert before == after, file
        if file.suffix == ".jsonl" or "json" in file.name:
            for line in after.splitlines() if file.suffix != ".json" else [after]:
                json.loads(line)
    assert done.rules["email"] == 198
    assert not scan([tmp_path / "out"], settings=SETTINGS).finds


@pytest.mark.truth
def test_values_planted_in_real_files_are_in_no_output(shared: Path, tmp_path: Path) -> None:
    files = shared / "truth" / "files"
    access = (files / "apache_logs" / "apache_logs").read_bytes().splitlines(keepends=True)
    access[10::500] = [line.replace(b" HTTP/", f"?token={PLANTED} HTTP/".encode()) for line in access[10::500]]
    trail = (files / "cloudtrail" / "attack_run.jsonl").read_bytes().splitlines()
    events = [{**json.loads(line), "password": [PLANTED, {"a": PLANTED}]} for line in trail]
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "access.log").write_bytes(b"".join(access))
    (folder / "deep" / "trail.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, events)).encode()))
    (folder / "trail.json").write_text(json.dumps({"Records": events}, indent=2))
    done = sanitize_files([folder], tmp_path / "out", settings=SETTINGS, report=tmp_path / "r.json")
    assert not done.problems
    packed = gzip.decompress((tmp_path / "out" / "deep" / "trail.jsonl.gz").read_bytes())
    pretty = (tmp_path / "out" / "trail.json").read_bytes()
    for data in (
        packed, pretty, (tmp_path / "out" / "access.log").read_bytes(),
        (tmp_path / "r.json").read_bytes(), (tmp_path / "r.html").read_bytes(),
    ):  # fmt: skip
        assert PLANTED.encode() not in data
    assert [json.loads(line)["password"] for line in packed.splitlines()] == ["[PASSWORD]"] * len(events)
    assert [event["password"] for event in json.loads(pretty)["Records"]] == ["[PASSWORD]"] * len(events)


def test_a_private_key_is_one_record_and_leaves_as_many_lines(tmp_path: Path) -> None:
    text = f"one\n{KEY}two bob@example.com\n".encode()
    assert _clean(tmp_path, text).split(b"\n") == [b"one", b"[PRIVATE_KEY]", *[b""] * 21, b"two [EMAIL]", b""]


@pytest.mark.parametrize("size", [64, 200, 1000, 4096])
def test_nothing_depends_on_where_frames_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    document = json.dumps({"users": [{"password": {"a": [PLANTED]}, "card": 4111111111111111}] * 9}, indent=1)
    text = f"one\n{KEY}{document}\nbob@example.com\r\n{KEY}{document}".encode()
    wanted = _clean(tmp_path, text)
    assert PLANTED.encode() not in wanted
    monkeypatch.setattr(whole_text.Whole.__init__, "__kwdefaults__", {"frame_bytes": size})
    assert _clean(tmp_path, text) == wanted


@pytest.mark.parametrize("ends", [b"", b"\n", b"\r\n", b"\n\n\n"])
def test_line_ends_and_stray_bytes_stay(tmp_path: Path, ends: bytes) -> None:
    text = b"\xef\xbb\xbfa\r\n\xff\x00\xfe \\x41 \xf4\x8f\xbe\x80 \xed\xa0\x80\r\r\n\nlast" + ends
    assert _clean(tmp_path, text) == text
    marked = text.replace(b"last", b'{"password":"\xffq\\"' + PLANTED.encode() + b'\xfe"}')
    assert _clean(tmp_path, marked) == text.replace(b"last", b'{"password":"[PASSWORD]"}')


@given(st.binary(max_size=60) | st.text(st.characters(min_codepoint=0x10FF00), max_size=8).map(str.encode))
def test_any_bytes_survive_being_text(data: bytes) -> None:
    text = decoded(data)
    assert encoded(text) == data


@pytest.mark.parametrize("indent", [1, 2, 4, "\t"])
def test_json_over_many_lines_stays_parseable(tmp_path: Path, indent: int | str) -> None:
    document = {
        "password": [PLANTED, PLANTED],
        "secrets": {"client_secret": {"deep": {"er": [[PLANTED]]}}, "n": 1},
        "cards": [4111111111111111, 4012888888881881],
        "card": 4111111111111111,
        "pairs": [{"name": "password", "value": PLANTED}],
        "token": 12345678,
        "text": "bob@example.com {",
        "list": [[], {}, [1, [2]], {"a": None}],
    }
    text = "INFO it is {\n" + json.dumps(document, indent=indent) + "\nINFO [main] done\n"
    clean = _clean(tmp_path, text.encode()).decode()
    assert PLANTED not in clean
    first, _, rest = clean.partition("\n")
    found = json.loads(rest.removesuffix("INFO [main] done\n"))
    assert first == "INFO it is {"
    assert found["password"] == "[PASSWORD]"  # noqa: S105 - a tag
    assert found["secrets"] == {"client_secret": "[SECRET]", "n": 1}
    assert (found["cards"], found["card"]) == (["[CARD]", "[CARD]"], "[CARD]")
    assert found["pairs"][0]["value"] == "[PASSWORD]"
    assert found["list"] == document["list"]


def test_a_long_array_under_a_sensitive_name_is_hidden_to_its_end(tmp_path: Path) -> None:
    document = {"a": 1, "passwords": [f"{PLANTED}{number}" for number in range(120_000)], "b": "bob@example.com"}
    clean = _clean(tmp_path, json.dumps([document, document], indent=1).encode())
    assert PLANTED.encode() not in clean
    assert json.loads(clean) == [{"a": 1, "passwords": "[PASSWORD]", "b": "[EMAIL]"}] * 2


@given(value=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just(PLANTED) | st.just(4111111111111111),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "note"]), inner, max_size=3),
    max_leaves=12,
))  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_any_json_under_a_sensitive_name_is_hidden(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    folder = tmp_path_factory.mktemp("json")
    clean = _clean(folder, json.dumps({"x": {"password": value, "y": 1}}, indent=2).encode())
    found = json.loads(clean)
    assert PLANTED.encode() not in clean
    assert found["x"]["y"] == 1


@pytest.mark.parametrize(
    ("suffix", "pack", "unpack"),
    [
        ("gz", gzip.compress, gzip.decompress),
        ("bz2", bz2.compress, bz2.decompress),
        ("xz", lzma.compress, lzma.decompress),
        ("zst", zstd.compress, zstd.decompress),
    ],
)
def test_compression_stays(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "in").mkdir()
    text = f"password={PLANTED}\n".encode() * 1000
    (tmp_path / "in" / f"a.log.{suffix}").write_bytes(pack(text))
    (tmp_path / "in" / "rotated.1").write_bytes(pack(text))
    assert not sanitize_files([tmp_path / "in"], tmp_path / "out", settings=SETTINGS).problems
    for name in (f"a.log.{suffix}", "rotated.1"):
        assert unpack((tmp_path / "out" / name).read_bytes()) == b"password=[PASSWORD]\n" * 1000
    sanitize_files([tmp_path / "in" / "rotated.1"], tmp_path / f"b.{suffix}", settings=SETTINGS)
    assert unpack((tmp_path / f"b.{suffix}").read_bytes()) == b"password=[PASSWORD]\n" * 1000


def test_frames_of_a_stack_trace_are_known_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('title = "no traces"\n[classes]\ntrace = "tag"\n')
    text = b"java.lang.X: no\n\tat com.acme.Shop.run(Shop.java:12)\n at rest\nend\n"
    clean = _clean(tmp_path, text, policy=str(tmp_path / "p.toml"))
    assert clean == b"java.lang.X: no\n\t[STACK_TRACE]\n [STACK_TRACE]\nend\n"


@pytest.mark.soak
@pytest.mark.slow
def test_a_line_of_a_hundred_megabytes_is_redacted_in_bounded_memory(tmp_path: Path) -> None:
    piece = f"user=ada mail=bob@example.com url=/x?password={PLANTED}&y=1 some more words that stay, ".encode()
    with (tmp_path / "a.log").open("wb") as file:
        file.write(b"before\n")
        for _ in range(100):
            file.write(piece * (1_000_000 // len(piece)))
        file.write(b"\nafter ada@example.org\n")
    before = psutil.Process().memory_info().rss
    most = 0

    def note(_: object) -> None:
        nonlocal most
        most = max(most, psutil.Process().memory_info().rss)

    done = sanitize_files([tmp_path / "a.log"], tmp_path / "b.log", settings=SETTINGS, progress=note)
    assert not done.problems
    assert most - before < 600e6
    before_line, long, after, end = (tmp_path / "b.log").read_bytes().split(b"\n")
    assert (before_line, after, end) == (b"before", b"after [EMAIL]", b"")
    clean = piece.replace(b"bob@example.com", b"[EMAIL]").replace(PLANTED.encode(), b"[PASSWORD]")
    assert long == clean * (1_000_000 // len(piece)) * 100
    assert done.lines == 3


def test_a_value_too_long_to_be_cut_hides_the_rest_of_its_line_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"a":1,"password":"' + PLANTED * 2_000_000 + '"}\nafter\n')
    done = sanitize_files([tmp_path / "a.log"], tmp_path / "b.log", settings=SETTINGS)
    assert "cannot keep all of line 1" in done.problems[0]
    clean = (tmp_path / "b.log").read_text()
    assert PLANTED not in clean
    assert clean.splitlines() == ['{"a":1,"password":"[PASSWORD][REDACTED]', "after"]


def test_inputs_and_outputs_that_are_there_are_not_replaced(tmp_path: Path) -> None:
    log, other, link = tmp_path / "a.log", tmp_path / "b.log", tmp_path / "c.log"
    log.write_text("bob@example.com\n")
    other.write_text("mine\n")
    os.link(log, link)
    for out, force in ((log, True), (link, True), (other, False), (tmp_path, True)):
        with pytest.raises(UsageError, match="cannot write"):
            sanitize_files([log], out, force=force, settings=SETTINGS)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.log").write_text("another\n")
    with pytest.raises(UsageError, match="goes there"):
        sanitize_files([log, tmp_path / "sub" / "a.log"], tmp_path / "out", settings=SETTINGS)
    assert log.read_text() == "bob@example.com\n"
    sanitize_files([log], other, force=True, settings=SETTINGS)
    assert other.read_text() == "[EMAIL]\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "b.log", "c.log", "sub"]


def test_permissions_stay(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    (tmp_path / "a.log").chmod(0o640)
    sanitize_files([tmp_path / "a.log"], tmp_path / "b.log", settings=SETTINGS)
    assert (tmp_path / "b.log").stat().st_mode & 0o777 == 0o640


def test_a_record_is_redacted_as_its_json_is() -> None:
    record = {
        "msg": "mail bob@example.com", "n": 1, "f": 0.1, "none": None, "flag": True, "big": 2**80,
        "user": {"Password": {"a": [1, "x"]}, "ids": ["a", {"api_key": 12}]},
        "card": 4111111111111111, "odd": "\ud800 é \n", "inner": json.dumps({"token": PLANTED}),
    }  # fmt: skip
    before = json.dumps(record)
    clean = logshed.sanitize(record, policy="default", settings=SETTINGS)
    assert json.dumps(record) == before
    assert clean == {
        **record,
        "msg": "mail [EMAIL]",
        "user": {"Password": "[PASSWORD]", "ids": ["a", {"api_key": "[SECRET]"}]},
        "card": "[CARD]",
        "inner": json.dumps({"token": "[TOKEN]"}),
    }
    assert logshed.sanitize(record, policy="none", settings=SETTINGS) == record
    assert logshed.sanitize({}, settings=SETTINGS) == {}
    with pytest.raises(LogshedError, match="cannot sanitize the record"):
        logshed.sanitize({"a": object()}, settings=SETTINGS)


def test_an_example_of_a_stack_trace_names_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('title = "no traces"\n[classes]\ntrace = "tag"\n')
    (tmp_path / "a.log").write_text("java.lang.X: no\n\tat com.acme.Shop.run(Shop.java:12)\n")
    own = SETTINGS.model_copy(update={"policy": str(tmp_path / "p.toml")})
    sanitize_files([tmp_path / "a.log"], tmp_path / "b.log", settings=own, report=tmp_path / "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    assert [one["line"] for one in report["examples"]["stack_trace"]] == [2]
    assert [one["line"] for one in scan([tmp_path / "a.log"], settings=own).finds[0].examples] == [2]
