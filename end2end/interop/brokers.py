"""Starts and ends the brokers under test, each on free ports of 127.0.0.1 and in a folder of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HOST = "127.0.0.1"


class Embedded:
    """The embedded broker, alone in a process: `server/examples/broker.rs`."""

    name = "embedded"

    def __init__(self, program, folder):
        self.program, self.folder, self.port, self.websocket_port = program, folder, 0, 0
        self.start()

    def start(self):
        """Starts it, again on the same ports if it ran before."""
        command = [self.program, self.folder, f"{HOST}:{self.port}", f"{HOST}:{self.websocket_port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = self._listening("mqtt")
        self.websocket_port = self._listening("ws")

    def _listening(self, what):
        words = self.process.stdout.readline().split()
        if words[:2] != ["listening", what]:
            raise RuntimeError(f"the broker said {words} where it should say that it listens for {what}")
        return int(words[2].rpartition(":")[2])

    def terminate(self):
        """Ends it in order; returns the seconds that took."""
        began = time.monotonic()
        self.process.terminate()
        code = self.process.wait(30)
        if code != 0:
            raise RuntimeError(f"the broker ended with code {code}")
        return time.monotonic() - began

    def kill(self):
        """Ends it as the kernel does when memory runs out."""
        self.process.kill()
        self.process.wait(30)


class Mosquitto(Embedded):
    """Debian's mosquitto, the reference."""

    name = "mosquitto"

    def __init__(self, folder):
        super().__init__(shutil.which("mosquitto") or "/usr/sbin/mosquitto", folder)

    def start(self):
        self.port, self.websocket_port = self.port or free_port(), self.websocket_port or free_port()
        lines = [
            f"listener {self.port} {HOST}",
            f"listener {self.websocket_port} {HOST}",
            "protocol websockets",
            "allow_anonymous true",
            "user root",
            "persistence true",
            f"persistence_location {self.folder}/",
            "max_queued_messages 0",
        ]
        config = Path(self.folder, "mosquitto.conf")
        config.write_text("\n".join(lines) + "\n")
        try:
            self.process = subprocess.Popen([self.program, "-c", config], stderr=subprocess.DEVNULL)
        except FileNotFoundError as error:
            raise SystemExit("mosquitto, the reference broker, is not installed (Debian: apt-get install mosquitto)") from error
        until = time.monotonic() + 10
        while socket.socket().connect_ex((HOST, self.port)) != 0:
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError("mosquitto did not start")
            time.sleep(0.02)


def free_port():
    """A port that nobody listens on; it is taken a moment later."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def folder():
    """A folder that is removed at the end of the `with` block. In memory where that can be had: a killed process loses
    nothing that the kernel has, and on a disk the traffic of other programs would be measured."""
    memory = "/dev/shm"
    place = memory if os.access(memory, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="interop-", dir=place, ignore_cleanup_errors=True)
