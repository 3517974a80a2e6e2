"""The interop gate: our own suite against the embedded broker and against mosquitto, the reference.
Fails when a rule is missed that is not known to be, and when a known miss holds all of a sudden, so that the list
below stays true. Usage: gate.py PROGRAM, the program being the example `broker`."""

import sys

import suite
from brokers import Embedded, Mosquitto, folder

KNOWN = {
    # mqtt5 adds x-mqtt-client-id (and x-mqtt-sender after a login) to what it passes on.
    "embedded": {"user_properties_arrive_unchanged"},
    "mosquitto": set(),
}


def check(broker):
    """Runs the suite; returns what differs from what is known."""
    print(f"{broker.name}:")
    missed = set(suite.run(broker))
    for name in sorted(missed - KNOWN[broker.name]):
        print(f"{broker.name} misses {name}")
    for name in sorted(KNOWN[broker.name] - missed):
        print(f"{broker.name} is known to miss {name}, but it holds: strike it from the list")
    return missed ^ KNOWN[broker.name]


if __name__ == "__main__":
    surprises = False
    for start in (lambda state: Embedded(sys.argv[1], state), Mosquitto):
        with folder() as state:
            broker = start(state)
            try:
                surprises |= bool(check(broker))
            finally:
                broker.kill()
    sys.exit(1 if surprises else 0)
