"""Kills clients and brokers under load and counts what is lost of what the broker had acknowledged.
Usage: kill.py PROGRAM, the program being the example `broker`; prints a line for each run and `N passed, N failed`."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from brokers import Embedded, Mosquitto, folder
from client import PATIENCE, Client

RATE = 500  # Messages a second: what an unoptimized build on a busy machine passes on with room to spare.
SLOW_RATE = 250  # The same while others fall behind.
SLOW = 5  # One message in so many is for the sessions that fall behind: each is a file to the embedded broker.
GOAL = 0.25  # Seconds an acknowledged message that waits for a client may need to reach the disk.
LIMIT = 2  # The same where other programs keep the processors busy: the broker hands each file over five times.


class Load(threading.Thread):
    """Publishes numbers with QoS 1 at the rate, below `load/`, and notes when each is acknowledged."""

    def __init__(self, port, count, rate):
        super().__init__(daemon=True)
        self.count, self.rate = count, rate
        self.numbers, self.times, self.failed = {}, {}, False
        self.client = Client(port, "load", on_publish=self._on_publish)
        self.start()

    def _on_publish(self, _client, _userdata, mid, code, _properties):
        self.times[mid] = time.monotonic()
        self.failed |= code.is_failure

    def run(self):
        began = time.monotonic()
        for number in range(self.count):
            wait = began + number / self.rate - time.monotonic()
            if wait > 0.005:
                time.sleep(wait)
            if self.client.closed.is_set():
                break
            topic = "load/fast" if number % SLOW else "load/slow"
            self.numbers[self.client.paho.publish(topic, str(number), 1).mid] = number

    def acknowledged(self):
        """When each number was acknowledged."""
        return {self.numbers[mid]: at for mid, at in self.times.items() if mid in self.numbers}

    def finish(self):
        """Waits until everything is published and acknowledged, or the connection is lost."""
        self.join(60)
        until = time.monotonic() + PATIENCE
        while len(self.times) < len(self.numbers) and not self.client.closed.is_set() and time.monotonic() < until:
            time.sleep(0.02)
        self.client.leave()
        assert not self.failed, "the broker refused messages"
        return self.acknowledged()


def client_killed(broker, folder, kills=8, count=4000):
    """A subscriber that acknowledges late is killed again and again: it gets everything."""
    received = Path(folder, "received")
    command = [sys.executable, Path(__file__).with_name("subscriber.py"), str(broker.port), "victim", "load/#", received]
    with Client(broker.port, "victim", clean=False, expiry=600) as session:
        session.subscribe("load/#")
    fate = random.Random(7)
    load = Load(broker.port, count, RATE)
    until = time.monotonic() + count / RATE
    for n in range(kills + 1):
        victim = subprocess.Popen(command)
        if n < kills:
            time.sleep(fate.uniform(0.4, 1.6) * (until - time.monotonic()) / (kills - n))
            victim.kill()
            victim.wait()
    acknowledged = set(load.finish())
    deadline = time.monotonic() + 20
    while not acknowledged <= (seen := numbers(received)).keys() and time.monotonic() < deadline:
        time.sleep(0.1)
    victim.kill()
    victim.wait()
    lost, twice = len(acknowledged - seen.keys()), sum(seen.values()) - len(seen)
    return lost == 0 and len(acknowledged) == count, f"{count} messages, {kills} kills, {lost} lost, {twice} duplicates"


def numbers(path):
    """How often each number was received. A line may be torn by the kill."""
    counted = {}
    for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else []:
        counted[int(line)] = counted.get(int(line), 0) + 1
    return counted


def broker_ended(broker, folder, end):
    """Ends the broker under load and starts it again. Returns what `end` returned, when it was called, when each number
    was acknowledged, and which acknowledged numbers each subscriber lost."""
    received = Path(folder, "received")
    command = [sys.executable, Path(__file__).with_name("subscriber.py"), str(broker.port), "ingest", "load/#", received]
    with Client(broker.port, "ingest", clean=False, expiry=600) as session:
        session.subscribe("load/#")
    with Client(broker.port, "away", clean=False, expiry=600) as session:
        session.subscribe("load/slow")
    # This one is connected and acknowledges nothing: the broker holds its share in flight.
    stalled = Client(broker.port, "stalled", clean=False, expiry=600, manual_ack=True)
    stalled.subscribe("load/slow")
    with Client(broker.port, "devices") as devices:
        for n in range(20):
            devices.publish(f"state/{n}", str(n), 1, True)
    ingest = subprocess.Popen(command)
    load = Load(broker.port, 100 * SLOW_RATE, SLOW_RATE)
    time.sleep(2 * LIMIT)
    at = time.monotonic()
    result = end()
    acknowledged = load.finish()
    stalled.leave()
    ingest.wait(PATIENCE)
    broker.start()
    with Client(broker.port, "reader") as reader:
        reader.subscribe("state/#")
        retained = {int(reader.message().payload) for _ in range(20)}
        assert retained == set(range(20)), retained
    lost = {"ingest": acknowledged.keys() - rest(broker, "ingest", "load/fast") - numbers(received).keys()}
    for name in ("away", "stalled"):
        lost[name] = {n for n in acknowledged if n % SLOW == 0} - rest(broker, name, "load/slow")
    return result, at, acknowledged, lost


def rest(broker, name, topic):
    """What still waits for a session."""
    with Client(broker.port, name, clean=False, expiry=600) as session, Client(broker.port, "end") as publisher:
        assert session.session_present, f"the session of {name} is gone"
        publisher.publish(topic, b"end")
        return {int(message.payload) for message in session.until(b"end")}


def broker_terminated(broker, folder):
    """SIGTERM under load: it ends within five seconds and keeps everything."""
    seconds, _, acknowledged, lost = broker_ended(broker, folder, broker.terminate)
    gone = ", ".join(f"{name} {len(numbers)}" for name, numbers in lost.items())
    text = f"ended in {seconds:.2f} s, {len(acknowledged)} acknowledged, lost by {gone}, retained 20 of 20"
    return seconds <= 5 and not any(lost.values()), text


def broker_killed(broker, folder):
    """SIGKILL under load: what was acknowledged longer ago than the limit is kept."""
    _, at, acknowledged, lost = broker_ended(broker, folder, broker.kill)
    ages = {name: [(at - acknowledged[n]) * 1000 for n in numbers] for name, numbers in lost.items()}
    worst = max((age for own in ages.values() for age in own), default=0)
    gone = ", ".join(f"{name} {len(own)}" for name, own in ages.items())
    text = f"{len(acknowledged)} acknowledged, lost by {gone}, of the last {worst:.0f} ms (goal {GOAL * 1000:.0f}, limit {LIMIT * 1000})"
    return worst <= LIMIT * 1000, f"{text}, retained 20 of 20"


if __name__ == "__main__":
    embedded = lambda state: Embedded(sys.argv[1], state)
    runs = [(client_killed, embedded), (client_killed, Mosquitto), (broker_terminated, embedded), (broker_killed, embedded)]
    failed = 0
    for run, start in runs:
        with folder() as state:
            broker = start(state)
            try:
                good, text = run(broker, state)
            except Exception as error:  # The other runs are worth their lines.
                good, text = False, f"{type(error).__name__} {error}"
            finally:
                broker.kill()
        failed += not good
        print(f"  {'ok  ' if good else 'miss'}  {run.__name__} {broker.name}: {text}", flush=True)
    print(f"{len(runs) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
