"""Log lines for the pipeline's tests."""

from __future__ import annotations


def access(number: int, *, agent: str = "curl/8.5.0") -> str:
    """One line of a combined access log; its path tells its number."""
    second = number % 60
    return (
        f"192.0.2.{number % 250 + 1} - - [01/Nov/2026:12:{number // 60 % 60:02d}:{second:02d} +0000] "
        f'"GET /item/{number} HTTP/1.1" 200 {1000 + number} "-" "{agent}"\n'
    )


def accesses(start: int, stop: int) -> str:
    """Lines ``start`` up to ``stop`` of a combined access log."""
    return "".join(access(number) for number in range(start, stop))


def java(number: int, *, frames: int = 0) -> str:
    """One record of a Java log, with a stack trace of so many frames."""
    time = f"2026-11-01 12:{number // 60 % 60:02d}:{number % 60:02d},123"
    head = f"{time} ERROR [main] com.example.Shop - order {number} failed\n"
    if not frames:
        return head
    trace = f"java.lang.IllegalStateException: no stock for {number}\n"
    return head + trace + "".join(f"\tat com.example.Shop.step{frame}(Shop.java:{frame})\n" for frame in range(frames))
