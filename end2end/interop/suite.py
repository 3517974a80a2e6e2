"""Our own MQTT suite: what Signalbox and the devices around it rely on, against any broker that takes us without a
password. Usage: suite.py HOST PORT [WEBSOCKET_PORT]; prints a line for each rule and `N passed, N failed`."""

import socket
import struct
import sys
import threading
import time
import traceback

from paho.mqtt.subscribeoptions import SubscribeOptions

from client import PATIENCE, Client

RULES = []


def rule(test):
    """Adds a rule to the suite, under the name of its function."""
    RULES.append((test.__name__, test))
    return test


def in_both_versions(test):
    """Adds a rule twice, for MQTT 3.1.1 and 5."""
    for version, suffix in ((4, "311"), (5, "5")):
        RULES.append((f"{test.__name__}_{suffix}", lambda broker, name, version=version: test(broker, name, version)))
    return test


def round_trip(broker, name, version, qos):
    with Client(broker.port, f"{name}-s", version) as subscriber, Client(broker.port, f"{name}-p", version) as publisher:
        subscriber.subscribe(f"{name}/#", 2)
        for n in range(20):
            publisher.publish(f"{name}/Küche °C//{n}", str(n), qos)
        for n in range(20):
            message = subscriber.message()
            assert (message.topic, message.payload, message.qos) == (f"{name}/Küche °C//{n}", str(n).encode(), qos), message.topic


@in_both_versions
def qos_0_round_trip(broker, name, version):
    round_trip(broker, name, version, 0)


@in_both_versions
def qos_1_round_trip(broker, name, version):
    round_trip(broker, name, version, 1)


@in_both_versions
def qos_2_round_trip(broker, name, version):
    round_trip(broker, name, version, 2)


@in_both_versions
def quality_is_the_lower_of_both(broker, name, version):
    with Client(broker.port, name, version) as client:
        for subscribed in (0, 1, 2):
            client.subscribe(f"{name}/x", subscribed)
            for published in (0, 1, 2):
                client.publish(f"{name}/x", b"x", published)
                assert client.message().qos == min(subscribed, published)


@in_both_versions
def wildcards_match_whole_levels(broker, name, version):
    with Client(broker.port, name, version) as client:
        client.subscribe(f"{name}/+/temperature")
        client.subscribe(f"{name}/devices/#")
        topics = ["a/temperature", "/temperature", "a/b/temperature", "temperature", "devices", "devices/a/status", "devicesx/a"]
        for topic in topics:
            client.publish(f"{name}/{topic}")
        client.publish(f"{name}/devices/end", b"end")
        assert [m.topic for m in client.until(b"end")] == [
            f"{name}/a/temperature", f"{name}//temperature", f"{name}/devices", f"{name}/devices/a/status",
        ]


@rule
def wildcards_do_not_match_dollar_topics(broker, name):
    with Client(broker.port, name) as client:
        client.subscribe("#")
        client.subscribe("+/x")
        client.publish(f"$other/{name}")
        client.publish("$other/x")
        client.publish(f"{name}/end", b"end")
        assert not [m.topic for m in client.until(b"end") if m.topic.startswith("$")]


@rule
def unsubscribed_topics_are_silent(broker, name):
    with Client(broker.port, name) as client:
        client.subscribe(f"{name}/a")
        client.subscribe(f"{name}/b")
        client.unsubscribe(f"{name}/a")
        client.publish(f"{name}/a")
        client.publish(f"{name}/b", b"end")
        assert not client.until(b"end")


@in_both_versions
def retained_is_replayed_and_cleared(broker, name, version):
    with Client(broker.port, f"{name}-p", version) as publisher:
        publisher.publish(f"{name}/a", b"old", 1, True)
        publisher.publish(f"{name}/a", b"new", 1, True)
        publisher.publish(f"{name}/b", b"gone", 1, True)
        publisher.publish(f"{name}/b", b"", 1, True)
        with Client(broker.port, f"{name}-s", version) as subscriber:
            subscriber.subscribe(f"{name}/#")
            publisher.publish(f"{name}/end", b"end")
            assert [(m.topic, m.payload, m.retain) for m in subscriber.until(b"end")] == [(f"{name}/a", b"new", True)]
            publisher.publish(f"{name}/a", b"live", 1, True)
            assert subscriber.message().retain is False
        publisher.publish(f"{name}/a", b"", 1, True)


@rule
def retain_options_of_mqtt_5_hold(broker, name):
    with Client(broker.port, name) as client:
        client.publish(f"{name}/x", b"kept", 1, True)
        options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        client.subscribe(f"{name}/x", options=options)
        client.publish(f"{name}/x", b"end", 1, True)
        message = client.message()
        assert (message.payload, message.retain) == (b"end", True)
        client.subscribe(f"{name}/x", options=SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE))
        assert client.message().payload == b"end"
        client.publish(f"{name}/x", b"", 1, True)


@rule
def no_local_spares_the_sender(broker, name):
    with Client(broker.port, f"{name}-a") as one, Client(broker.port, f"{name}-b") as other:
        one.subscribe(f"{name}/x", options=SubscribeOptions(qos=1, noLocal=True))
        one.publish(f"{name}/x", b"own")
        other.publish(f"{name}/x", b"end")
        assert not one.until(b"end")


@rule
def subscription_identifiers_are_returned(broker, name):
    with Client(broker.port, name) as client:
        client.subscribe(f"{name}/x", SubscriptionIdentifier=7)
        client.publish(f"{name}/x")
        assert client.message().properties.SubscriptionIdentifier == [7]


@rule
def a_thousand_retained_messages_come_at_once(broker, name):
    with Client(broker.port, f"{name}-p") as publisher:
        for n in range(1000):
            publisher.paho.publish(f"{name}/{n}", b"x", 1, True)
        for _ in range(1000):
            publisher.acknowledged.get(timeout=PATIENCE)
        for qos in (0, 1):
            with Client(broker.port, f"{name}-s") as subscriber:
                subscriber.subscribe(f"{name}/#", qos)
                assert len({subscriber.message().topic for _ in range(1000)}) == 1000


@in_both_versions
def will_is_published_when_the_connection_breaks(broker, name, version):
    with Client(broker.port, f"{name}-s", version) as subscriber:
        subscriber.subscribe(f"{name}/+/status")
        Client(broker.port, f"{name}-a", version, will=(f"{name}/polite/status", b"offline", 1, True)).leave()
        Client(broker.port, f"{name}-b", version, will=(f"{name}/broken/status", b"offline", 1, True)).drop()
        message = subscriber.message()
        assert (message.topic, message.payload) == (f"{name}/broken/status", b"offline")
        with Client(broker.port, f"{name}-l", version) as late:
            late.subscribe(f"{name}/+/status")
            assert late.message().retain
        subscriber.publish(f"{name}/broken/status", b"", 1, True)


@in_both_versions
def five_hundred_missed_messages_come_in_order(broker, name, version):
    with Client(broker.port, f"{name}-s", version, clean=False, expiry=600) as subscriber:
        assert not subscriber.session_present
        subscriber.subscribe(f"{name}/#")
    with Client(broker.port, f"{name}-p", version) as publisher:
        for n in range(500):
            publisher.paho.publish(f"{name}/x", str(n), 1)
        for _ in range(500):
            publisher.acknowledged.get(timeout=PATIENCE)
    with Client(broker.port, f"{name}-s", version, clean=False, expiry=600) as subscriber:
        assert subscriber.session_present
        assert [int(subscriber.message().payload) for _ in range(500)] == list(range(500))
    with Client(broker.port, f"{name}-s", version) as fresh:
        assert not fresh.session_present


@rule
def unacknowledged_messages_come_again_as_duplicates(broker, name):
    with Client(broker.port, f"{name}-p") as publisher:
        first = Client(broker.port, f"{name}-s", clean=False, expiry=600, manual_ack=True)
        first.subscribe(f"{name}/x")
        publisher.publish(f"{name}/x", b"once more")
        first.message()
        first.drop()
        with Client(broker.port, f"{name}-s", clean=False, expiry=600) as second:
            message = second.message()
            assert (message.payload, message.dup) == (b"once more", True)


@rule
def shared_subscriptions_split_the_messages(broker, name):
    with Client(broker.port, f"{name}-a") as one, Client(broker.port, f"{name}-b") as other, Client(broker.port, f"{name}-p") as publisher:
        for member in (one, other):
            member.subscribe(f"$share/group/{name}/#")
        for n in range(100):
            publisher.publish(f"{name}/x", str(n))
        # The plain subscription of a member sees the end only after everything shared.
        for member in (one, other):
            member.subscribe(f"{name}-end")
        publisher.publish(f"{name}-end", b"end")
        shares = [[int(m.payload) for m in member.until(b"end")] for member in (one, other)]
        assert sorted(shares[0] + shares[1]) == list(range(100)) and all(shares), [len(share) for share in shares]


@in_both_versions
def a_second_connection_takes_the_session_over(broker, name, version):
    first = Client(broker.port, name, version, clean=False, expiry=600)
    first.subscribe(f"{name}/x")
    with Client(broker.port, name, version, clean=False, expiry=600) as second:
        assert second.session_present and first.closed.wait(PATIENCE)
        second.publish(f"{name}/x", b"mine")
        assert second.message().payload == b"mine"


@rule
def a_wildcard_in_a_publish_is_not_passed_on(broker, name):
    with Client(broker.port, name) as subscriber:
        subscriber.subscribe(f"{name}/#")
        topic = f"{name}/+/b".encode()
        with raw(broker.port, f"{name}-raw") as bad:
            bad.sendall(packet(0x30, string(topic) + b"\x00bad"))
            while bad.recv(100):
                pass  # A DISCONNECT with a reason may come before the end.
        subscriber.publish(f"{name}/end", b"end")
        assert not subscriber.until(b"end")


@rule
def properties_pass(broker, name):
    with Client(broker.port, name) as client:
        client.subscribe(f"{name}/x")
        client.publish(
            f"{name}/x", ContentType="text/plain", ResponseTopic="answer/here", CorrelationData=b"\x00\x01", PayloadFormatIndicator=1,
        )
        got = client.message().properties
        assert (got.ContentType, got.ResponseTopic, got.CorrelationData, got.PayloadFormatIndicator) == (
            "text/plain", "answer/here", b"\x00\x01", 1,
        )


@rule
def user_properties_arrive_in_order(broker, name):
    sent = [("b", "1"), ("a", "2"), ("b", "3")]
    with Client(broker.port, name) as client:
        client.subscribe(f"{name}/x")
        client.publish(f"{name}/x", UserProperty=sent)
        got = client.message().properties.UserProperty
        assert [pair for pair in got if not pair[0].startswith("x-mqtt-")] == sent, got


@rule
def user_properties_arrive_unchanged(broker, name):
    with Client(broker.port, name) as client:
        client.subscribe(f"{name}/x")
        client.publish(f"{name}/x", UserProperty=[("a", "1")])
        got = client.message().properties.UserProperty
        assert got == [("a", "1")], got


@rule
def expired_messages_are_not_delivered(broker, name):
    with Client(broker.port, f"{name}-s", clean=False, expiry=600) as subscriber:
        subscriber.subscribe(f"{name}/x")
    with Client(broker.port, f"{name}-p") as publisher:
        publisher.publish(f"{name}/x", b"short", MessageExpiryInterval=1)
        publisher.publish(f"{name}/x", b"long", MessageExpiryInterval=100)
    time.sleep(2.1)  # The expiry is a number of whole seconds.
    with Client(broker.port, f"{name}-s", clean=False, expiry=0) as subscriber:
        message = subscriber.message()
        assert message.payload == b"long" and 90 < message.properties.MessageExpiryInterval < 100


@rule
def expired_sessions_are_forgotten(broker, name):
    with Client(broker.port, name, clean=False, expiry=1) as client:
        client.subscribe(f"{name}/x")
    time.sleep(2.1)  # The expiry is a number of whole seconds.
    with Client(broker.port, name, clean=False, expiry=1) as client:
        assert not client.session_present


@rule
def the_receive_maximum_of_a_client_is_kept(broker, name):
    with Client(broker.port, f"{name}-s", connect={"ReceiveMaximum": 2}, manual_ack=True) as slow, Client(broker.port, f"{name}-p") as publisher:
        slow.subscribe(f"{name}/x", 1)
        slow.subscribe(f"{name}/end", 0)
        for n in range(5):
            publisher.publish(f"{name}/x", str(n))
        # QoS 0 does not count: once the end is there, everything allowed before it is there too.
        publisher.publish(f"{name}/end", b"end", 0)
        held = slow.until(b"end")
        assert len(held) == 2, len(held)
        for n in range(5):
            message = held.pop(0) if held else slow.message()
            assert message.payload == str(n).encode()
            slow.ack(message)


@rule
def the_maximum_packet_size_of_a_client_is_kept(broker, name):
    with Client(broker.port, f"{name}-s", connect={"MaximumPacketSize": 1000}) as small, Client(broker.port, f"{name}-p") as publisher:
        small.subscribe(f"{name}/x")
        publisher.publish(f"{name}/x", bytes(2000))
        publisher.publish(f"{name}/x", b"end")
        assert not small.until(b"end") and not small.closed.is_set()


@in_both_versions
def a_payload_of_a_mebibyte_passes(broker, name, version):
    with Client(broker.port, name, version) as client:
        client.subscribe(f"{name}/x")
        client.publish(f"{name}/x", bytes(1 << 20))
        assert len(client.message().payload) == 1 << 20


@rule
def topic_aliases_of_a_client_are_resolved(broker, name):
    with Client(broker.port, name) as client:
        assert client.connack.TopicAliasMaximum >= 1
        client.subscribe(f"{name}/x")
        with raw(broker.port, f"{name}-raw") as device:
            alias = b"\x03\x23\x00\x01"
            device.sendall(packet(0x30, string(f"{name}/x".encode()) + alias + b"1") + packet(0x30, string(b"") + alias + b"2"))
            assert [(m.topic, m.payload) for m in (client.message(), client.message())] == [(f"{name}/x", b"1"), (f"{name}/x", b"2")]


@rule
def a_silent_client_is_closed_after_its_keep_alive(broker, name):
    with raw(broker.port, name, keep_alive=1) as silent:
        began = time.monotonic()
        while silent.recv(100):
            pass
        assert 1 <= time.monotonic() - began < 20


@rule
def fifty_clients_at_once_lose_nothing(broker, name):
    with Client(broker.port, f"{name}-s") as subscriber:
        subscriber.subscribe(f"{name}/#", 1)

        def device(n):
            with Client(broker.port, f"{name}-{n}", 4 + n % 2) as client:
                for i in range(20):
                    client.publish(f"{name}/{n}", str(i))

        threads = [threading.Thread(target=device, args=(n,)) for n in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({(m.topic, m.payload) for m in (subscriber.message() for _ in range(1000))}) == 1000


@in_both_versions
def websocket_clients_are_clients(broker, name, version):
    with Client(broker.websocket_port, f"{name}-ws", version, transport="websockets") as browser, Client(broker.port, f"{name}-p") as device:
        browser.subscribe(f"{name}/#")
        device.publish(f"{name}/x", bytes(100_000))
        assert len(browser.message().payload) == 100_000
        browser.publish(f"{name}/y", b"back", 2)
        assert browser.message().payload == b"back"


def raw(port, name, keep_alive=30):
    """A plain MQTT 5 connection, for what paho refuses to send; its CONNACK is read."""
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.sendall(packet(0x10, string(b"MQTT") + bytes([5, 2]) + struct.pack(">H", keep_alive) + b"\x00" + string(name.encode())))
    header = connection.recv(2, socket.MSG_WAITALL)
    assert header[0] == 0x20, header
    connection.recv(header[1], socket.MSG_WAITALL)
    return connection


def packet(kind, body):
    """A packet of less than 128 bytes."""
    assert len(body) < 128
    return bytes([kind, len(body)]) + body


def string(text):
    """A string as MQTT writes it."""
    return struct.pack(">H", len(text)) + text


def run(broker):
    """Runs every rule, a line for each; returns the names of those that do not hold."""
    missed = []
    for name, test in RULES:
        if not getattr(broker, "websocket_port", None) and name.startswith("websocket"):
            continue
        began = time.monotonic()
        try:
            test(broker, name)
            print(f"  ok    {name} {time.monotonic() - began:.1f} s", flush=True)
        except Exception as error:  # Whatever it is, the rule does not hold.
            missed.append(name)
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"  miss  {name}: {type(error).__name__} {error} ({where.line})", flush=True)
    print(f"{len(RULES) - len(missed)} passed, {len(missed)} failed", flush=True)
    return missed


class Given:
    """A broker that somebody else started."""

    def __init__(self, port, websocket_port=None):
        self.port, self.websocket_port = int(port), websocket_port and int(websocket_port)


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("127.0.0.1", "localhost"):
        raise SystemExit(f"{__doc__}\nThe broker must be on this machine.")
    sys.exit(1 if run(Given(*sys.argv[2:])) else 0)
