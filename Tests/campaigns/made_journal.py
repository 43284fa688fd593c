#!/usr/bin/env python3
"""Journals made to measure, written by systemd-journal-remote: any field, any time, any boot.

    made_journal.py FOLDER                          every kind of journal, each in FOLDER/<kind>
    made_journal.py FOLDER node --entries 200000    that one; --help lists the kinds

Each is verified by `journalctl --verify`, and its entries are counted. What journald alone would write (fields that begin with an
underscore) is taken as it is given; only its own names for files are refused (*.journal~).
"""

import argparse
import itertools
import random
import subprocess
import sys
import time
from pathlib import Path

from journald import serialize

PROGRAM = next((path for path in ("/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote") if Path(path).exists()),
               "systemd-journal-remote")
MACHINE = "0123456789abcdef0123456789abcdef"
BOOTS = ["b0070000000000000000000000000001", "b0070000000000000000000000000002"]
START = 1_700_000_000_000_000  # microseconds since 1970
SUPPRESSED = "a596d6fe7bfa4994828e72309e95d61e"  # sd-messages.h
MISSED = "e9bf28e6e834481bb6f48f548ad13606"
COREDUMP = "fc2e22bc6ee647b6b90729ab34a250b1"
PRIORITIES = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]


class Writer:
    """systemd-journal-remote, which writes what it is given to a file, behind what is there.

    When the file's hash table is full, at some 60,000 entries of a node, it becomes NAME@....journal, and a new one is begun.
    """

    def __init__(self, path):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen([PROGRAM, f"--output={path}", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def entry(self, fields, realtime, monotonic=None, boot=BOOTS[0]):
        """Takes an entry. What waits in Python is handed on when there is enough of it, or at flush()."""
        monotonic = realtime - START + 10_000_000 if monotonic is None else monotonic
        addresses = [("__REALTIME_TIMESTAMP", realtime), ("__MONOTONIC_TIMESTAMP", monotonic), ("_BOOT_ID", boot)]
        self.process.stdin.write(serialize([*addresses, *fields]) + b"\n")

    def flush(self):
        self.process.stdin.flush()

    def close(self):
        """Ends the file, and waits until it is closed."""
        try:
            self.log = self.process.communicate(timeout=600)[0]
        finally:
            self.process.kill()
        if self.process.returncode:
            raise SystemExit(f"systemd-journal-remote failed:\n{self.log.decode(errors='replace')}")


def service(unit, identifier, pid, priority, message, transport="stdout", more=()):
    """The fields of an entry as journald has them of a service."""
    name = identifier.encode().decode("ascii", "replace")
    return [
        ("MESSAGE", message), ("PRIORITY", priority), ("SYSLOG_FACILITY", 3), ("SYSLOG_IDENTIFIER", identifier), ("_TRANSPORT", transport),
        ("_PID", pid), ("_UID", 0), ("_GID", 0), ("_COMM", name[:15]), ("_EXE", f"/usr/bin/{name}"), ("_CMDLINE", f"/usr/bin/{name} --config=/etc/{name}.yaml"),
        ("_CAP_EFFECTIVE", "1ffffffffff"), ("_SELINUX_CONTEXT", "unconfined\n"), ("_SYSTEMD_CGROUP", f"/system.slice/{unit}"),
        ("_SYSTEMD_UNIT", unit), ("_SYSTEMD_SLICE", "system.slice"), ("_SYSTEMD_INVOCATION_ID", f"{pid:032x}"), ("_STREAM_ID", f"{pid:032x}"),
        ("_MACHINE_ID", MACHINE), ("_HOSTNAME", "node-1"), ("_RUNTIME_SCOPE", "system"), *more]


class Node:
    """What the services of a node say. The same seed, the same words."""

    PODS = [f"shop/{name}-{number:05x}" for name in ("web", "cart", "search", "payment") for number in range(7)]
    UNITS = ["logrotate.service", "apt-daily.service", "cri-containerd-3f1c.scope", "run-containerd-runc.mount", "user@1000.service"]

    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.kinds = [self.kubelet, self.containerd, self.kernel, self.systemd, self.sshd, self.audit]

    def entry(self, moment):
        """The fields of the next entry, at so many microseconds since 1970."""
        return self.random.choices(self.kinds, [45, 30, 9, 8, 5, 3])[0](moment)

    def kubelet(self, moment):
        level, text = self.random.choice([
            ("I", '"SyncLoop (PLEG): event for pod" pod="{pod}" event={{"ID":"{hex}","Type":"ContainerStarted","Data":"{hex}"}}'),
            ("I", '"Observed pod startup duration" pod="{pod}" podStartSLOduration={number}.5 firstStartedPulling="0001-01-01 00:00:00"'),
            ("W", 'watch of *v1.ConfigMap ended with: an error on the server ("unable to decode") has prevented the request from succeeding'),
            ("E", '"Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"app\\" with CrashLoopBackOff" pod="{pod}" podUID="{hex}"')])
        clock = time.strftime("%m%d %H:%M:%S", time.gmtime(moment // 1_000_000))
        head = f"{level}{clock}.{moment % 1_000_000:06}     812 {self.random.choice(['kubelet.go', 'pod_workers.go', 'reflector.go'])}:{self.random.randrange(3000)}] "
        # Of its own lines the kubelet says no priority: all of them come as info.
        return service("kubelet.service", "kubelet", 812, 6, head + self._fill(text))

    def containerd(self, moment):
        level, text = self.random.choice([
            ("info", "StartContainer for \\\"{hex}\\\" returns successfully"), ("info", "shim disconnected\" id={hex} namespace=k8s.io x=\""),
            ("warning", "cleaning up after shim disconnected"), ("error", "ContainerStatus for \\\"{hex}\\\" failed: not found")])
        clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 1_000_000))
        message = f'time="{clock}.{moment % 1_000_000:06}000Z" level={level} msg="{self._fill(text)}"'
        return service("containerd.service", "containerd", 640, 6, message)

    def kernel(self, moment):
        text = self.random.choice([
            "cni0: port {number}(veth{short}) entered forwarding state", "IPv6: ADDRCONF(NETDEV_CHANGE): veth{short}: link becomes ready",
            "Memory cgroup out of memory: Killed process {number} (java) total-vm:{number}4kB, anon-rss:{number}kB, oom_score_adj:985"])
        return [("MESSAGE", self._fill(text)), ("PRIORITY", self.random.choice([3, 4, 6, 6, 6])), ("SYSLOG_FACILITY", 0), ("SYSLOG_IDENTIFIER", "kernel"),
                ("_TRANSPORT", "kernel"), ("_SOURCE_MONOTONIC_TIMESTAMP", moment - START + 9_999_990), ("_MACHINE_ID", MACHINE), ("_HOSTNAME", "node-1"),
                ("_RUNTIME_SCOPE", "system"), ("_KERNEL_SUBSYSTEM", "net"), ("_KERNEL_DEVICE", "n12"), ("_UDEV_SYSNAME", "eth0")]

    def systemd(self, moment):
        unit = self.random.choice(self.UNITS)
        verb, result = self.random.choice([("Starting", "start"), ("Started", "start"), ("Stopped", "stop"), ("Failed to start", "failed")])
        more = [("UNIT", unit), ("JOB_ID", self.random.randrange(9999)), ("JOB_RESULT", result), ("INVOCATION_ID", self._hex(32)), ("CODE_FILE", "src/core/job.c"),
                ("CODE_LINE", 885), ("CODE_FUNC", "job_emit_done_message"), ("MESSAGE_ID", "39f53479d3a045ac8e11786248231fbf"), ("TID", 1)]
        return service("init.scope", "systemd", 1, 3 if result == "failed" else 6, f"{verb} {unit}.", "journal", more)

    def sshd(self, moment):
        pid, user = 2000 + self.random.randrange(3000), self.random.choice(["root", "admin", "deploy"])
        message = self._fill(self.random.choice([f"Accepted publickey for {user} from 10.1.2.3 port {{number}} ssh2", f"Invalid user {user} from 10.9.8.7 port {{number}}"]))
        return service("ssh.service", "sshd", pid, 6, message, "syslog", [("SYSLOG_PID", pid), ("SYSLOG_TIMESTAMP", "Nov 14 22:13:20 "), ("SYSLOG_RAW", b"<38>raw\xff")])

    def audit(self, moment):
        message = self._fill('AVC apparmor="DENIED" operation="ptrace" profile="cri-containerd.apparmor.d" pid={number} comm="node"')
        return [("MESSAGE", message), ("SYSLOG_FACILITY", 4), ("SYSLOG_IDENTIFIER", "audit"), ("_TRANSPORT", "audit"), ("_AUDIT_TYPE", 1400), ("_AUDIT_TYPE_NAME", "AVC"),
                ("_AUDIT_ID", self.random.randrange(99999)), ("_PID", self.random.randrange(9999)), ("_UID", 0), ("_MACHINE_ID", MACHINE), ("_HOSTNAME", "node-1")]

    def _hex(self, count):
        return f"{self.random.getrandbits(4 * count):0{count}x}"

    def _fill(self, text):
        return text.format(pod=self.random.choice(self.PODS), hex=self._hex(64), short=self._hex(8), number=self.random.randrange(100000))


def node(options):
    """What a node's services say, 70 ms between two entries; --size pads messages to so many characters."""
    words, moment = Node(options.seed), START
    for _ in range(options.entries):
        moment += words.random.randrange(140_000)
        fields = words.entry(moment)
        if options.size:
            fields[0] = ("MESSAGE", fields[0][1].ljust(options.size, "."))
        yield fields, moment


def priorities(options):
    """Two boots, and in each of them all eight priorities, of two units."""
    for boot, unit, (priority, name) in itertools.product(BOOTS, ["kubelet.service", "containerd.service"], enumerate(PRIORITIES)):
        moment = START + (BOOTS.index(boot) * 100 + (unit[0] == "c") * 10 + priority) * 1_000_000
        yield service(unit, unit.removesuffix(".service"), 812, priority, f"{name} of {unit} in boot {boot[-1]}"), moment, 10_000_000 + moment % 50_000_000, boot


def large(options):
    """Entries of 1 MB that compress and that do not, fields of more than 64 KiB, messages of about 1 MiB, and small ones in between."""
    noise, moment = random.Random(options.seed), START
    letters = bytes(32 + number % 95 for number in range(256))
    messages = [b"%d %s " % (number, name) + value for number in range(6) for name, value in (
        (b"same", b"m" * 1_000_000), (b"noise", noise.randbytes(1_000_000).translate(letters)), (b"bytes", noise.randbytes(1_000_000)), (b"small", b"."))]
    # A limit of 1 MiB falls before, into and behind characters of two to four bytes, and into bytes that are none.
    messages += [(b"." * shift + piece * (1 << 20))[:size] for piece in ("\u00e9".encode(), "\u6f22".encode(), "\U0001f600".encode(), b"\x80")
                 for shift in range(4) for size in ((1 << 20) - 1, 1 << 20, (1 << 20) + 9)]
    for message in messages:
        moment += 1000
        yield service("big.service", "big", 99, 6, message), moment
    for size in (65_535, 65_536, 65_537, 100_000, 300_000):
        moment += 1000
        yield service("big.service", "big", 99, 6, f"a field of {size} bytes", more=[("FIELD", "f" * size), ("FIELD_OF_BYTES", noise.randbytes(size))]), moment


def odd(options):
    """Bytes, lines, repeated fields, missing and empty messages, numbers that are none, names that clash, other people's units."""
    def some(message, more=(), priority=6):
        return service("odd.service", "odd", 77, priority, message, more=more)

    def without(fields, *names):
        return [(name, value) for name, value in fields if name not in names]

    entries = [
        some("plain"), some("two\nlines"), some("three\nlines\n\nand an end\n"), some("tabs\tand\x1b[31mcolours\x1b[0m\r\n\0 and a nul"),
        some("ümläut, 漢字, 😀, \u2028"), some(b"bytes \xff\xfe \xe2\x82 cut, \xc3( \xed\xa0\x80 \xf0\x9f\x98 end\xf0"), some(b"\xff" * 3),
        some("binary field", [("BLOB", bytes(range(256)))]), some("a quote \" and a \\ and </script>"), some('{"level":"error","msg":"JSON"}'), some("[1,2]"),
        some("repeated", [("AGAIN", "one"), ("AGAIN", "two"), ("AGAIN", "three"), ("AGAIN", "one")]), some("first", [("MESSAGE", "second"), ("MESSAGE", "third")]),
        some("two pids", [("_PID", 78)]), some("two units", [("_SYSTEMD_UNIT", "second.service")]), some("two priorities", [("PRIORITY", 3)]),
        some("repeated backwards", [("AGAIN", "three"), ("AGAIN", "one")]),  # the journal's order is another one
        some("bytes twice", [("MIXED", b"\xff"), ("MIXED", "text"), ("MIXED", "")]), without(some("x"), "MESSAGE"), some(""), some(" "), some("\n"),
        some("no priority", priority=""), without(some("none at all"), "PRIORITY"), some("priority 8", priority=8), some("priority 07", priority="07"),
        some("priority -1", priority=-1), some("priority of words", priority="err"), some("priority with space", priority=" 3"),
        without(some("no identifier"), "SYSLOG_IDENTIFIER"), some("pid 007", [("_PID", "007")]), some("pid none", [("_PID", "x")]), some("pid huge", [("_PID", "9" * 30)]),
        some("lines", [("CODE_LINE", "12"), ("CODE_FILE", "a.c"), ("CODE_FUNC", "main")]), some("line 0", [("CODE_LINE", "0")]), some("line +1", [("CODE_LINE", "+1")]),
        some("facility", [("SYSLOG_FACILITY", "03")]),
        some("clashes", [("UNIT", "other"), ("PID", "1"), ("IDENTIFIER", "i"), ("TRANSPORT", "t"), ("BOOT_ID", "b"), ("NODE_NAME", "n"), ("TIME", "now"), ("ORIGIN", "o")]),
        some("of another, by nobody", [("OBJECT_SYSTEMD_UNIT", "object.service"), ("OBJECT_PID", 5)]), some("empty field", [("EMPTY", "")]),
        some("equals", [("SUM", "a=b=c")]), some("long name", [("L" * 64, "64 letters")]), some("digits", [("A1_2", "x")]),
        [("MESSAGE", "nothing but a message")], [("PRIORITY", 5)], [("FIELD", "no message, no unit")],
        service("init.scope", "systemd", 1, 6, "Started a.service.", "journal", [("UNIT", "a.service")]),
        service("init.scope", "systemd", 1, 6, "of a user", "journal", [("USER_UNIT", "u.service")]),
        service("ssh.service", "not-systemd", 11, 6, "UNIT of a stranger", "journal", [("UNIT", "a.service")]),
        without(service("x", "user", 12, 6, "OBJECT of a user", "journal", [("OBJECT_SYSTEMD_UNIT", "a.service")]), "_UID") + [("_UID", 1000)],
        service("systemd-coredump@0.service", "systemd-coredump", 13, 2, "Process 4 (a) of user 0 dumped core.\n\nStack trace:\n#0 main (a + 0x1)", "journal",
                [("MESSAGE_ID", COREDUMP), ("COREDUMP_UNIT", "a.service"), ("COREDUMP_PID", 4), ("COREDUMP", bytes(range(256)) * 10)]),
        without(service("x", "fake", 14, 2, "no true coredump", "journal", [("MESSAGE_ID", COREDUMP), ("COREDUMP_UNIT", "a.service")]), "_UID") + [("_UID", 1000)],
        without(some("audit"), "_TRANSPORT") + [("_TRANSPORT", "audit")]]
    yield from ((fields, START + 1000 * number) for number, fields in enumerate(entries))


def names(options):
    """Fields whose names are not in order: systemd-journal-remote leaves them out, and keeps the entry."""
    for number, name in enumerate(["lower_case", "Mixed_Case", "WITH-DASH", "WITH SPACE", "1DIGIT", "L" * 65, "UMLÄUT", "_UNDER", "__TWO_UNDER"]):
        yield service("odd.service", "odd", 77, 6, f"field {name}", more=[(name, "value"), ("BEHIND", "it")]), START + 1000 * number


def ties(options):
    """3,000 entries of one moment, and one before and behind them."""
    yield service("tie.service", "tie", 5, 6, "before"), START - 1
    for number in range(3000):
        yield service("tie.service", "tie", 5, 6, f"tie {number}"), START, 10_000_000 + number // 100
    yield service("tie.service", "tie", 5, 6, "behind"), START + 1, 10_000_100


def jump(options):
    """A clock that is set back by an hour within a boot, and forth again."""
    for number in range(300):
        shift = 3_600_000_000 if 100 <= number < 200 else 0
        yield service("clock.service", "clock", 6, 6, f"tick {number}"), START + number * 1_000_000 - shift, 10_000_000 + number * 1_000_000


def losses(options):
    """What journald says when it has left something out: of a service that talks too much, and of the kernel."""
    own = ("systemd-journald.service", "systemd-journald", 300)
    yield service(*own, 6, "Journal started", "driver", [("MESSAGE_ID", "f77379a8490b408bbe5f6940505a777b")]), START
    for number, dropped in enumerate([1, 12345, 7]):
        message, unit = f"Suppressed {dropped} messages from noisy.service", [("OBJECT_PID", 812), ("OBJECT_SYSTEMD_UNIT", "noisy.service")]
        yield service(*own, 4, message, "driver", [("MESSAGE_ID", SUPPRESSED), ("N_DROPPED", dropped), *unit]), START + 1000 + number
    yield service(*own, 4, "Suppressed some messages", "driver", [("MESSAGE_ID", SUPPRESSED)]), START + 2000
    for number, missed in enumerate([1, 4711]):  # how many, only the text tells; N_DROPPED is here in case it ever does
        more = [("N_DROPPED", missed)] * number
        yield service(*own, 4, f"Missed {missed} kernel messages", "driver", [("MESSAGE_ID", MISSED), *more]), START + 3000 + number
    # Anybody may send these; they are no losses.
    yield service("fake.service", "fake", 301, 4, "Suppressed 1000000 messages from nobody", "journal", [("MESSAGE_ID", SUPPRESSED), ("N_DROPPED", 1_000_000)]), START + 4000


KINDS = {kind.__name__: kind for kind in (node, priorities, large, odd, names, ties, jump, losses)}


def make(kind, folder, options):
    """Makes one journal. Its folder, how many entries it was given, and what systemd-journal-remote said."""
    folder, count = Path(folder) / kind, 0
    for path in folder.glob("*.journal"):
        path.unlink()
    with Writer(folder / f"{kind}.journal") as writer:
        for entry in KINDS[kind](options):
            writer.entry(*entry)
            count += 1
    return folder, count, writer.log.decode(errors="replace")


def entries(folder):
    """How many entries a journal has."""
    export = subprocess.run(["journalctl", "--quiet", "-D", folder, "-o", "export"], check=True, stdout=subprocess.PIPE).stdout
    return export.count(b"\n\n__CURSOR=") + export.startswith(b"__CURSOR=")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="kinds:\n" + "\n".join(f"  {name:12}{kind.__doc__}" for name, kind in KINDS.items()))
    parser.add_argument("folder", type=Path)
    parser.add_argument("kinds", nargs="*", help="which (default: all)")
    parser.add_argument("--entries", type=int, default=20_000, help="of the node (default 20000)")
    parser.add_argument("--size", type=int, default=0, help="of a message of the node, at least (default: as they are)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    good = True
    for kind in options.kinds or KINDS:
        began = time.monotonic()
        folder, count, log = make(kind, options.folder, options)
        seconds, files = time.monotonic() - began, list(folder.glob("*.journal"))
        whole, there = subprocess.run(["journalctl", "--verify", "--quiet", "-D", folder], stderr=subprocess.PIPE), entries(folder)
        print(f"{folder}: {there} of {count} entries, {len(files)} files of {sum(file.stat().st_size for file in files) / 1e6:.1f} MB, {seconds:.1f} s"
              + (", DAMAGED" if whole.returncode else ""))
        if kind == "names":
            print(log.rstrip())
        good &= not whole.returncode and (there == count or kind == "names")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
