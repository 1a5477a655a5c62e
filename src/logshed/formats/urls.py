"""Request lines and URLs, taken apart into method, path, query, domain and protocol version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.formats.columns import column_or_nothing, nothing, where

if TYPE_CHECKING:
    import polars as pl

_REQUEST = r"^([A-Za-z][A-Za-z_-]{0,31}) ([^\x00-\x1f]*?)(?: HTTP/([0-9](?:\.[0-9])?))?$"
_URL = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/:?#]*)(?::[0-9]*)?)?([^?]*)(?:\?(.*))?$"

_ORIGIN = r"^([A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^/:?#]*)(?::([0-9]+))?"


def split_requests(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace ``request_line``; what is no request stays in the attribute ``http.request.line``."""
    if "request_line" not in frame.columns:
        return frame
    line = frame["request_line"]
    method, url, version = line.str.extract_groups(_REQUEST).struct.unnest().get_columns()
    sound = method.is_not_null() & (version.is_not_null() | url.str.contains(r"^[/*]"))
    sound = sound.fill_null(value=False)
    found = {
        "http_request_method": where(sound, method),
        "url_original": where(sound, url),
        "network_protocol_version": where(sound, version),
        "@http.request.line": where(~sound, line),
    }
    return frame.drop("request_line").with_columns(_kept(frame, name, series) for name, series in found.items())


def split_urls(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace ``url_original`` by path, query and domain; a path that is a whole URL is split as well."""
    if "url_original" in frame.columns:
        domain, path, query = _take_apart(frame["url_original"])
        found = {"url_path": path, "url_query": query, "url_domain": domain}
        found |= _origin(frame["url_original"], domain)
        frame = frame.drop("url_original").with_columns(_kept(frame, name, series) for name, series in found.items())
    if "url_path" not in frame.columns:
        return frame
    odd = (~frame["url_path"].str.starts_with("/")).fill_null(value=False)
    if not odd.any():
        return frame
    rows = odd.arg_true()
    rows = rows.filter(frame["url_path"].gather(rows).str.contains(r"^[A-Za-z][A-Za-z0-9+.-]*://"))
    if rows.is_empty():
        return frame
    url = frame["url_path"].gather(rows)
    domain, path, _ = _take_apart(url)
    found = {name: nothing(frame.height, name).scatter(rows, part) for name, part in _origin(url, domain).items()}
    frame = frame.with_columns(_kept(frame, name, series) for name, series in found.items())
    paths = frame["url_path"].clone().scatter(rows, path)
    domains = column_or_nothing(frame, "url_domain")
    return frame.with_columns(paths, domains.scatter(rows, domains.gather(rows).fill_null(domain)))


def _take_apart(url: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Domain, path and query; only what is more than a plain path is looked at closely."""
    plain = url.str.starts_with("/") & ~url.str.contains("?", literal=True)
    rows = (~plain).fill_null(value=False).arg_true()
    domain, query = nothing(url.len(), "url_domain"), nothing(url.len(), "url_query")
    if rows.is_empty():
        return domain, url, query
    domains, paths, queries = url.gather(rows).str.extract_groups(_URL).struct.unnest().get_columns()
    return domain.scatter(rows, domains), url.clone().scatter(rows, paths), query.scatter(rows, queries)


def _origin(url: pl.Series, domain: pl.Series) -> dict[str, pl.Series]:
    """Scheme and port of the URLs that name a domain; nothing where none does."""
    rows = domain.is_not_null().arg_true()
    if rows.is_empty():
        return {}
    schemes, ports = url.gather(rows).str.extract_groups(_ORIGIN).struct.unnest().get_columns()
    found = {"@url.scheme": schemes, "@url.port": ports}
    return {name: nothing(url.len(), name).scatter(rows, part) for name, part in found.items() if part.count()}


def _kept(frame: pl.DataFrame, name: str, series: pl.Series) -> pl.Series:
    """The series under its name; what the frame already holds wins."""
    return (frame[name].fill_null(series) if name in frame.columns else series).alias(name)
