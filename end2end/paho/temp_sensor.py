"""A temperature sensor as any user would write it: temp_sensor.py HOST PORT DEVICE."""

import sys
import threading

import paho.mqtt.client as mqtt

host, port, device = sys.argv[1], int(sys.argv[2]), sys.argv[3]

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device)
client.will_set(f"devices/{device}/status", "offline", qos=1, retain=True)
client.connect(host, port)
client.loop_start()
client.publish(f"devices/{device}/status", "online", qos=1, retain=True)
client.publish(f"sensors/{device}/temperature", "21.3", qos=1, retain=True).wait_for_publish()
print("published", flush=True)
threading.Event().wait()
