"""How long a typed message takes to decode, against plain JSON.

Run it as ``python tests/benchmarks/decode.py``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from tcsniff import messages

DATA = Path(__file__).parents[1] / "data"

ROUNDS = 60
PASSES = 10  # over all samples, in a round


def nanoseconds(work: Callable[[], object]) -> int:
    """Time one piece of work."""
    start = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - start


def main() -> None:
    """Write the medians of rounds that alternate, so that both see the same machine."""
    for name in ("samples.jsonl", "samples-v19.jsonl"):
        lines = [orjson.loads(line) for line in (DATA / name).read_bytes().splitlines()]
        bodies = [(line["exchange"], orjson.dumps(line["payload"])) for line in lines]

        def typed(bodies: list[tuple[str, bytes]] = bodies) -> None:
            for _ in range(PASSES):
                for exchange, body in bodies:
                    messages.decode(exchange, body)

        def plain(bodies: list[tuple[str, bytes]] = bodies) -> None:
            for _ in range(PASSES):
                for _exchange, body in bodies:
                    orjson.loads(body)

        rounds = [(nanoseconds(typed), nanoseconds(plain)) for _ in range(ROUNDS)]
        each = PASSES * len(bodies)
        sys.stdout.write(
            f"{name}: typed {statistics.median(t for t, _ in rounds) / each:.0f} ns, "
            f"orjson.loads {statistics.median(p for _, p in rounds) / each:.0f} ns a message, "
            f"ratio {statistics.median(t / p for t, p in rounds):.2f}\n"
        )


if __name__ == "__main__":
    main()
