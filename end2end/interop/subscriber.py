"""A subscriber that keeps what it receives before it acknowledges, for runs that kill it.
Usage: subscriber.py PORT NAME FILTER FILE; appends each payload as a line to the file."""

import os
import sys

from paho.mqtt import client as paho

from client import properties

port, name, topic_filter, path = sys.argv[1:]
file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
held = []

client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5, manual_ack=True)
client.on_message = lambda _client, _userdata, message: held.append(message)
client.on_connect = lambda *_: client.subscribe(topic_filter, 1)
client.connect("127.0.0.1", int(port), clean_start=False, properties=properties("CONNECT", SessionExpiryInterval=600, ReceiveMaximum=1000))
while client.loop(timeout=0.02) == paho.MQTT_ERR_SUCCESS:
    # Like the server: what arrived goes to disk as one batch, then each message of it is acknowledged.
    if held:
        os.write(file, b"".join(message.payload + b"\n" for message in held))
        for message in held:
            client.ack(message.mid, message.qos)
        held.clear()
