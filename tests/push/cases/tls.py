# SPDX-License-Identifier: MIT
"""https: certificates that are trusted and that are not, a machine without libcurl. openssl makes the certificates."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

from driver import pystoker
from lib.pushing import Push, environment, ready, run, worker
from lib.serving import Server, wait_for

UNREACHABLE = 11
NAMES = "IP:127.0.0.1,DNS:localhost"
LIBRARY = re.compile(r"libcurl(-gnutls)?\.so\.4$")


class Certificates:
    """A CA in a temporary folder, and what it certifies."""

    def __init__(self, folder):
        self.folder, self.ca = folder, folder + "/ca.pem"
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test CA",
                     "-keyout", folder + "/ca.key", "-out", self.ca)

    def openssl(self, *words):
        subprocess.run(("openssl",) + words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def of(self, name, alternatives):
        """The files CERT and KEY of a server."""
        base = "%s/%s" % (self.folder, name)
        with open(base + ".ext", "w") as f:
            f.write("subjectAltName=%s\n" % alternatives)
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", base + ".key",
                     "-out", base + ".csr")
        self.openssl("x509", "-req", "-in", base + ".csr", "-CA", self.ca, "-CAkey", self.folder + "/ca.key",
                     "-set_serial", "1", "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem")
        return base + ".pem", base + ".key"


@contextlib.contextmanager
def certificates(results):
    """None where there is no openssl: that is said."""
    if not shutil.which("openssl"):
        results.skip("https", "needs openssl, to make certificates")
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Certificates(folder)


def doctor(url, *words):
    return run("doctor", "--remote", "--url", url, *words)


def refused(check, what, push, url, words, *more):
    """Nothing is sent, `words` say why; what was sampled is kept. doctor, given the same, says it too."""
    said = push.says(r"Failed to push profile: HTTP 000: .*(%s)" % words)
    check.ok(said, what + ": the log says why", push.note())
    check.ok("again in" in push.log(), what + ": it is tried again", push.note())
    push.end()
    check.ok(push.waiting(), what + ": the profiles stay in the spool", push.files(), push.note())
    status, told, errors = doctor(url, *more)
    check.equal(status, UNREACHABLE, what + ": doctor's status")
    check.ok(re.search(words, told), what + ": doctor says why", told, errors)


def trusted(check):
    with certificates(check) as made, worker() as w:
        if not made:
            return
        with Server("--tls", *made.of("server", NAMES)) as server:
            check.ok(server.url.startswith("https:"), "the server speaks https")
            with Push(server.url, "--pid", ready(w), "--once", "--ca-file", made.ca) as push:
                check.equal(push.wait(), 0, "status")
                check.equal(push.waiting(), [], "nothing waits")
            state = server.state()
            check.equal(len(state.profiles()), 1, "it arrives")
            check.ok(state.connections <= 2, "the connection is kept", state.connections)
            url = server.url.replace("127.0.0.1", "localhost")
            status, said, errors = doctor(url, "--ca-file", made.ca)
            check.equal(status, 0, "doctor: status, by name")
            check.ok(re.search("ok +server +" + url, said), "doctor: the server answers", said, errors)


def not_trusted(check):
    """Without the CA file nothing is sent, and nothing lost: the next run, which has it, sends that as well."""
    with certificates(check) as made, worker() as w, tempfile.TemporaryDirectory() as folder:
        if not made:
            return
        pid = ready(w)
        with Server("--tls", *made.of("server", NAMES)) as server:
            with Push(server.url, "--pid", pid, folder=folder) as push:
                refused(check, "no CA file", push, server.url, "certificate")
                kept = len(push.waiting())
            check.equal(server.state().pushes(), [], "nothing was sent")
            check.ok("--ca-file" in doctor(server.url)[1], "doctor: what to do")
            with Push(server.url, "--pid", pid, "--once", "--ca-file", made.ca, folder=folder) as push:
                check.equal(push.wait(), 0, "the next run: status")
                check.ok("of an earlier run" in push.log(), "the next run says so", push.note())
                check.equal(push.waiting(), [], "the next run sends it all")
            state = server.wait(lambda s: len(s.often()) >= kept + 2)
            check.equal(len(state.often()), kept + 2, "what was kept has arrived, and an interval")
            check.ok(all(n == 1 for n in state.often()), "each once", state.often())


def another_host(check):
    with certificates(check) as made, worker() as w:
        if not made:
            return
        with Server("--tls", *made.of("elsewhere", "DNS:elsewhere.example")) as server:
            with Push(server.url, "--pid", ready(w), "--ca-file", made.ca) as push:
                refused(check, "a certificate of another host", push, server.url, "127.0.0.1.|subject name|host name",
                        "--ca-file", made.ca)
            check.equal(server.state().pushes(), [], "nothing was sent")


def bad_ca_files(check):
    """Said before anything starts."""
    with certificates(check) as made, worker() as w:
        if not made:
            return
        pid = ready(w)
        with open(made.ca) as f:
            whole = f.read()
        cases = {"empty": "", "garbage": "\x00\x01garbage\n" * 100, "cut": whole[:len(whole) // 2],
                 "key": open(made.folder + "/ca.key").read(), "missing": None}
        for name, content in cases.items():
            path = "%s/%s.pem" % (made.folder, name)
            if content is not None:
                with open(path, "w") as f:
                    f.write(content)
            for command in (["push", "--pid", pid, "--app", "api", "--once", "--interval", "1",
                             "--spool", made.folder + "/spool"], ["doctor", "--remote"]):
                status, said, errors = run(*command, "--url", "https://127.0.0.1:9", "--ca-file", path)
                what = "%s: a CA file that is %s" % (command[0], name)
                check.ok(status not in (0, None) and status > 0, what + ": status", status)
                check.ok(path in said + errors, what + ": is named", said, errors)
                check.ok("Starting profiler" not in errors, what + ": said before anything starts", errors)
            check.ok(not os.path.exists(made.folder + "/spool"), name + ": no spool was made")


def wrong_scheme(check):
    with certificates(check) as made, worker() as w:
        if not made:
            return
        pid = ready(w)
        with Server("--tls", *made.of("server", NAMES)) as server:
            url = server.url.replace("https:", "http:")
            with Push(url, "--pid", pid) as push:
                said = push.says("Failed to push profile: HTTP 400: .*HTTPS")
                check.ok(said, "http to a TLS port: the server's words", push.note())
                push.end()
                check.ok(push.waiting() and "dropped for good" not in push.log(), "http to a TLS port: profiles are kept",
                         push.files(), push.note())
            status, told, _ = doctor(url)
            check.ok(status not in (0, None) and "HTTPS" in told, "http to a TLS port: doctor", status, told)
        with Server() as server:
            url = server.url.replace("http:", "https:")
            with Push(url, "--pid", pid, "--ca-file", made.ca) as push:
                refused(check, "https to a plain port", push, url, "SSL|TLS", "--ca-file", made.ca)
            check.ok("http or https?" in doctor(url)[1], "https to a plain port: doctor says what to do")


# --- without libcurl -----------------------------------------------------------------------------------------------

HIDE = 'set -e; for f; do mount --bind /dev/null "$f"; done; shift $#; exec sh -c "$COMMAND"'


def libraries():
    """The files the loader would find."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE).stdout.decode()
    paths = [line.split("=> ")[1] for line in listed.splitlines() if "=> " in line]
    return sorted({os.path.realpath(p) for p in paths if LIBRARY.search(p)})


def hidden(command, **options):
    """Runs a shell command where libcurl's files are empty: (status, stdout, stderr); None: not possible here."""
    unshare = ["unshare", "-m", "--propagation", "private", "sh", "-c", HIDE, "sh"] + libraries()
    done = subprocess.run(unshare, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(COMMAND=command, PYSTOKER=pystoker.PROGRAM, PYTHON=sys.executable),
                          timeout=60, **options)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def can_hide():
    return os.getuid() == 0 and shutil.which("unshare") and os.path.exists("/sbin/ldconfig") and libraries() and \
        hidden("true")[0] == 0


def without_libcurl(check):
    """What speaks to a server says what is missing; everything else works."""
    if not can_hide():
        check.skip("a machine without libcurl", "needs root, unshare -m and ldconfig")
        return
    with worker() as w, tempfile.TemporaryDirectory() as folder:
        pid = ready(w)
        for words in ("push --pid %d --app api --once --interval 1 --spool %s/spool" % (pid, folder),
                      "push --replay %s --app api" % folder, "doctor --remote"):
            for scheme in ("http", "https"):
                status, said, errors = hidden('"$PYSTOKER" %s --url %s://127.0.0.1:9' % (words, scheme))
                what = "%s, %s" % (words.partition(" -")[0], scheme)
                check.ok(status not in (0, None) and status > 0, what + ": status", status, said, errors)
                check.ok("libcurl" in errors + said and "install" in errors + said, what + ": what is missing, and what to do",
                         said, errors)
        status, said, errors = hidden('"$PYSTOKER" push --pid %d --app api --once --interval 1 --spool %s/spool --url '
                                      'file:%s/there' % (pid, folder, folder))
        check.ok(status == 0 and os.listdir(folder + "/there"), "push to a folder works", status, errors)
        status, said, errors = hidden('"$PYSTOKER" record --pid %d --duration 1 --output %s/out.folded' % (pid, folder))
        check.ok(status == 0 and os.path.getsize(folder + "/out.folded"), "record works", status, errors)
        status, said, errors = hidden('"$PYSTOKER" exec --app api --url http://127.0.0.1:9 --spool %s/spool2 --log %s/log -- '
                                      '"$PYTHON" -c "import time; print(42); time.sleep(1); raise SystemExit(7)"'
                                      % (folder, folder))
        check.equal((status, said), (7, "42\n"), "exec runs its program")
        check.ok(wait_for(lambda: "libcurl" in read(folder + "/log")), "exec: the log says what is missing",
                 read(folder + "/log"))


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""
