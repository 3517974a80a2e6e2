"""An MQTT client whose every verb waits for the broker's answer."""

import queue
import socket
import threading

from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

# Ends a wait for something that never comes; far longer than anything takes.
PATIENCE = 10


class Client:
    """A connected client. Use it in a `with` block, which disconnects it."""

    def __init__(self, port, name, version=5, *, clean=True, expiry=0, will=None, connect=None, manual_ack=False, transport="tcp", on_publish=None):
        self.messages, self.acknowledged = queue.Queue(), queue.Queue()
        self._connected, self.closed, self._subscribed = queue.Queue(), threading.Event(), queue.Queue()
        options = {} if version == 5 else {"clean_session": clean}
        protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
        self.paho = paho.Client(
            paho.CallbackAPIVersion.VERSION2, name, protocol=protocol, transport=transport,
            reconnect_on_failure=False, manual_ack=manual_ack, **options,
        )
        self.paho.on_connect = lambda _c, _u, flags, code, properties: self._connected.put((flags, code, properties))
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self.paho.on_publish = on_publish or (lambda _c, _u, mid, code, _p: self.acknowledged.put((mid, code)))
        self.paho.max_inflight_messages_set(200)
        self.paho.on_subscribe = lambda _c, _u, _mid, codes, _p: self._subscribed.put([code.value for code in codes])
        self.paho.on_unsubscribe = lambda _c, _u, _mid, codes, _p: self._subscribed.put([])
        self.paho.on_disconnect = lambda *_: self.closed.set()
        if transport == "websockets":
            self.paho.ws_set_options(path="/mqtt")
        if will:
            self.paho.will_set(*will)
        extra = {}
        if version == 5:
            extra = {"clean_start": clean, "properties": properties("CONNECT", SessionExpiryInterval=expiry, **(connect or {}))}
        self.paho.connect("127.0.0.1", port, keepalive=30, **extra)
        self.paho.loop_start()
        flags, code, self.connack = self._connected.get(timeout=PATIENCE)
        if code.is_failure:
            raise AssertionError(f"connect refused: {code}")
        self.session_present = flags.session_present

    def publish(self, topic, payload=b"x", qos=1, retain=False, **with_properties):
        """Publishes and waits for the acknowledgment; returns its reason code (0 under MQTT 3.1.1)."""
        extra = {"properties": properties("PUBLISH", **with_properties)} if with_properties else {}
        self.paho.publish(topic, payload, qos, retain, **extra)
        return self.acknowledged.get(timeout=PATIENCE)[1].value

    def subscribe(self, topic_filter, qos=1, *, options=None, **with_properties):
        """Subscribes; returns the reason codes of the SUBACK."""
        extra = {"properties": properties("SUBSCRIBE", **with_properties)} if with_properties else {}
        if options:
            self.paho.subscribe(topic_filter, options=options, **extra)
        else:
            self.paho.subscribe(topic_filter, qos, **extra)
        return self._subscribed.get(timeout=PATIENCE)

    def unsubscribe(self, topic_filter):
        """Unsubscribes and waits for the UNSUBACK."""
        self.paho.unsubscribe(topic_filter)
        self._subscribed.get(timeout=PATIENCE)

    def message(self):
        """The next message."""
        return self.messages.get(timeout=PATIENCE)

    def until(self, payload):
        """All messages up to the one with this payload, which is left out."""
        seen = []
        while (message := self.message()).payload != payload:
            seen.append(message)
        return seen

    def ack(self, message):
        """Acknowledges a message of a client with `manual_ack`."""
        self.paho.ack(message.mid, message.qos)

    def drop(self):
        """Breaks the connection without a DISCONNECT, as a device that loses power."""
        self.paho.socket().shutdown(socket.SHUT_RDWR)
        self.closed.wait(PATIENCE)
        self.paho.loop_stop()

    def leave(self):
        """Disconnects in order."""
        self.paho.disconnect()
        self.paho.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()


def properties(packet, **values):
    """MQTT 5 properties for a packet of this type."""
    made = Properties(getattr(PacketTypes, packet))
    for name, value in values.items():
        setattr(made, name, value)
    return made
