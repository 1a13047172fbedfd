# SPDX-License-Identifier: MIT
"""A service to profile: one thread that works a little (with the word idle: that waits too), one that waits; it prints
{"ready": pid} first, and obeys commands from stdin, one per line. It ends when stdin does.

	fork           prints {"child": pid}; the child works in a function called in_child until its parent ends
	exit STATUS    ends
	end CHILD      ends a child
"""
import json
import os
import signal
import sys
import threading
import time


def say(thing):
    os.write(1, (json.dumps(thing) + "\n").encode())


def burn():
    x = 0
    for i in range(20000):
        x += i * i
    return x


def rest():
    time.sleep(0.01)


def work():
    while True:
        burn()
        rest()


def wait(event):
    event.wait()


def in_child(parent):
    while os.getppid() == parent:
        burn()
        rest()
    os._exit(0)


def obey(word, rest_of_line):
    if word == "exit":
        os._exit(int(rest_of_line))
    elif word == "end":
        os.kill(int(rest_of_line), signal.SIGKILL)
        os.waitpid(int(rest_of_line), 0)
        say({"ended": int(rest_of_line)})
    elif word == "fork":
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            in_child(parent)
        say({"child": child})


def listen():
    for line in sys.stdin:
        word, _, rest_of_line = line.strip().partition(" ")
        obey(word, rest_of_line)
    os._exit(0)


threading.Thread(target=listen, daemon=True, name="listener").start()
threading.Thread(target=wait, args=(threading.Event(),), daemon=True, name="waiter").start()
say({"ready": os.getpid()})
if "idle" in sys.argv:
    wait(threading.Event())
work()
