"""What a door for HTTP bears of those who push logs."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a door bears.

    Attributes:
        request_bytes: Of a body, as it is sent.
        inflated_bytes: Of a body once it is unpacked.
        ratio: Times that a body may grow when it is unpacked, beyond the first 4 MiB.
        header_bytes: Of a request's first line and its headers.
        headers: Of a request.
        connections: At once; more are closed.
        of_one: Connections of one address at once.
        header_seconds: For the headers of a request, and for making a connection, TLS included.
        body_seconds: For a body, and a second more for each ``slowest_bytes``.
        slowest_bytes: A second, which a body has to come with beyond its first time.
        answer_seconds: For a client to take an answer.
        idle_seconds: Between an answer and the next request.
        held_bytes: Of bodies in memory, as sent and unpacked, of all requests; further ones wait.
        held_of_one: Likewise of one token, or of one address where there are no tokens.
        wait_seconds: That a request waits for room before it is told to come again.
        decoders: Threads that decode what is large.
        retry_seconds: After which a client is asked to come again.
    """

    request_bytes: int = 16 * _MIB
    inflated_bytes: int = 64 * _MIB
    ratio: int = 256
    header_bytes: int = 16 * 1024
    headers: int = 100
    connections: int = 1_000
    of_one: int = 256
    header_seconds: float = 10
    body_seconds: float = 30
    slowest_bytes: int = 4_096
    answer_seconds: float = 30
    idle_seconds: float = 75
    held_bytes: int = 256 * _MIB
    held_of_one: int = 64 * _MIB
    wait_seconds: float = 5
    decoders: int = 2
    retry_seconds: float = 2
