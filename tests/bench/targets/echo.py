# SPDX-License-Identifier: MIT
"""Mostly waiting: two threads pass a message to and fro through sockets, with a pause and a little
work for each, as a lightly loaded server does. Usage: echo.py SECONDS"""
import os
import signal
import socket
import sys
import threading
import time

rounds = 0


def report(signum, frame):
    os.write(1, b"%d %.6f\n" % (rounds, time.time()))


def work(data):
    return sum(bytearray(data)) % 256


def serve(peer):
    while True:
        data = peer.recv(256)
        if not data:
            return
        work(data)
        peer.sendall(data)


def client(peer, end):
    global rounds
    data = bytes(bytearray(range(256)))
    os.write(1, b"ready\n")
    while time.time() < end:
        peer.sendall(data)
        work(peer.recv(256))
        rounds += 1
        time.sleep(0.002)


def main(seconds):
    near, far = socket.socketpair()
    threading.Thread(target=serve, args=(far,), daemon=True).start()
    client(near, time.time() + seconds)


signal.signal(signal.SIGUSR1, report)
main(float(sys.argv[1]))
