# SPDX-License-Identifier: MIT
"""A target that works, and obeys commands from stdin, one per line; it prints {"ready": pid} first.

	echo TEXT      prints {"echo": TEXT}
	rounds         prints {"rounds": N}, how much work is done so far
	exit STATUS    ends
	kill NUMBER    sends itself a signal
	exec           becomes another Python that works, in a function called after_exec
	fork           prints {"child": pid}; the child works in a function called in_child until its parent ends
	rest           stops working
"""
import json
import os
import sys
import threading
import time

done = [0]
busy = [True]


def say(thing):
    os.write(1, (json.dumps(thing) + "\n").encode())


def step():
    x = 0
    for i in range(1000):
        x += i
    done[0] += 1
    return x


def work():
    while busy:
        step()
    time.sleep(1000000)


def after_exec():
    work()


def in_child(parent):
    while os.getppid() == parent:
        step()
    os._exit(0)


def obey(word, rest):
    if word == "echo":
        say({"echo": rest})
    elif word == "rounds":
        say({"rounds": done[0]})
    elif word == "exit":
        os._exit(int(rest))
    elif word == "kill":
        os.kill(os.getpid(), int(rest))
    elif word == "exec":
        os.execv(sys.executable, [sys.executable, __file__, "after_exec"])
    elif word == "fork":
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            in_child(parent)
        say({"child": child})
    elif word == "rest":
        busy.clear()


def listen():
    """Byte by byte, so that what another program is to read after exec stays in the pipe."""
    line = b""
    while True:
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        if byte != b"\n":
            line += byte
            continue
        word, _, rest = line.decode().partition(" ")
        line = b""
        obey(word, rest)


threading.Thread(target=listen, daemon=True).start()
say({"ready": os.getpid()})
if sys.argv[1:] == ["after_exec"]:
    after_exec()
work()
