#!/usr/bin/env python3
"""A journald of its own, beside the machine's: systemd's real one, which sees no folder but those it is given.

    journald.py run HOME                         in the foreground, until SIGTERM or Ctrl-C; what is in HOME/var stays
    journald.py send HOME --count 1000           numbered entries to a running one; --help tells what they can look like
    journalctl --root HOME                       reads its journals; so do HOME/var/log/journal and HOME/run/log/journal, by path

It runs in namespaces of its own: for mounts, the host name, the network (by which the kernel's audit messages come) and control
groups (so that those of this machine's services name no units). So it can touch neither the machine's journal nor its sockets, and nothing is left of it when it ends: it dies with whoever started it.
Needs root, or a kernel that lets users make namespaces (`unshare --user --map-root-user --mount true` tells); and systemd-journald,
unshare, setpriv, hostname and sh.
"""

import argparse
import array
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
import uuid
from pathlib import Path

PROGRAM = next((path for path in ("/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald") if os.path.exists(path)), None)
PATIENCE = 20  # seconds for anything that journald is asked to do

# Within the namespaces. /run is hidden as a whole: there are the sockets, and what else journald would tell somebody.
# /dev/kmsg: what journald says of itself would go to the machine's kernel log. ReadKMsg=no alone does not keep it from opening it.
# The id of the boot is a file like any other; journald reads it once, when it starts.
ENTER = """
mount --bind "$1/run" /run && mount --bind "$1/var/log" /var/log &&
mount --bind "$1/machine-id" /etc/machine-id && mount --bind "$1/boot-id" /proc/sys/kernel/random/boot_id &&
if [ -e /dev/kmsg ]; then mount --bind /dev/null /dev/kmsg; fi && hostname "$2" && exec "$3"
"""


class Journald:
    """One journald, with its folders, its settings, and its journals, which outlive it.

    `settings` are those of journald.conf(5); what is not said there is set so that nothing is limited or forwarded.
    With `flushes` off, Storage=persistent keeps all in /run until flush(), as a node does while it boots.
    `environment` is for libsystemd's own switches, SYSTEMD_JOURNAL_COMPACT=0 say.
    """

    # Audit= has to be empty: with Audit=no journald turns the kernel's auditing off.
    SETTINGS = dict(
        Storage="persistent", RateLimitIntervalSec=0, SystemMaxUse="8G", RuntimeMaxUse="2G", SystemKeepFree=0, RuntimeKeepFree=0,
        SystemMaxFiles=0, MaxRetentionSec=0, SplitMode="none", ReadKMsg="no", Audit="", Compress="yes", Seal="no",
        ForwardToSyslog="no", ForwardToKMsg="no", ForwardToConsole="no", ForwardToWall="no", MaxLevelStore="debug")

    def __init__(self, home, settings={}, environment={}, hostname="node-1", machine=None, flushes=True):
        self.home = Path(home).resolve()
        # /run has to be in memory: when it is flushed, journald refuses to delete its journals from a disk, and they are there twice.
        self.memory = Path("/dev/shm") / f"sluice-journald-{hashlib.sha256(bytes(self.home)).hexdigest()[:12]}"
        self.persistent, self.volatile = self.home / "var/log/journal", self.home / "run/log/journal"
        self.sockets, self.log = self.home / "run/systemd/journal", self.home / "journald.log"
        self.settings, self.environment = {**self.SETTINGS, **settings}, environment
        self.hostname, self.machine = hostname, machine or uuid.uuid4().hex
        self.flushes, self.process = flushes, None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        return self.process.pid  # each step into the namespaces is an exec

    @property
    def folders(self):
        """Where its journals are, for a reader outside of the namespaces."""
        return [self.persistent, self.volatile]

    def start(self):
        """Starts it, and waits until it listens."""
        self.memory.mkdir(exist_ok=True)
        if not (self.home / "run").is_symlink():
            self.home.mkdir(parents=True, exist_ok=True)
            (self.home / "run").symlink_to(self.memory)
        for folder in (self.persistent, self.volatile, self.sockets, self.home / "run/systemd/journald.conf.d"):
            folder.mkdir(parents=True, exist_ok=True)
        for name, identity in (("machine-id", self.machine), ("boot-id", str(uuid.uuid4()))):
            if not (self.home / name).exists():
                (self.home / name).write_text(identity + "\n")
        self.machine = (self.home / "machine-id").read_text().strip()
        # The last name of all folders for drop-ins wins; the machine's own settings are read before it.
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        (self.home / "run/systemd/journald.conf.d/zz-sluice.conf").write_text("[Journal]\n" + "".join(lines))
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", *user, "--mount", "--uts", "--net", "--cgroup",
                   "sh", "-c", ENTER, "sh", self.home, self.hostname, PROGRAM or "systemd-journald"]
        # Without systemd as PID 1 it makes its sockets itself, and misses nothing but somebody to keep the stdout streams over a restart.
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin", "SYSTEMD_LOG_TARGET": "console",
                       "SYSTEMD_PROC_CMDLINE": "", **self.environment}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        # It listens before it minds its signals, and one that comes in between would end it: an answer tells that it is there.
        self._await("starts", lambda: self._call("Synchronize"))
        if self.flushes and self.settings["Storage"] in ("persistent", "auto") and not (self.sockets / "flushed").exists():
            self.flush()
        return self

    def stop(self):
        """SIGTERM, and its exit code; None when it did not run."""
        return self._end(signal.SIGTERM)

    def kill(self):
        """kill -9. Its next start sets the journal aside, as *.journal~, unless all of it was synced."""
        return self._end(signal.SIGKILL)

    def close(self):
        """Stops it, and forgets what was in /run."""
        self.stop()
        shutil.rmtree(self.memory, ignore_errors=True)
        (self.home / "run").unlink(missing_ok=True)

    def restart(self):
        self.stop()
        return self.start()

    def reboot(self):
        """Another boot: /run is empty, and the boot's id another one. Only the monotonic clock goes on."""
        self.stop()
        shutil.rmtree(self.memory)
        (self.home / "boot-id").unlink()
        return self.start()

    def sync(self):
        """Waits until everything that was sent before is written, and synced to the disk."""
        # The signal comes behind all that waits in the sockets. The call over Varlink would overtake it.
        self._signal(signal.SIGRTMIN + 1, "synced")

    def flush(self):
        """Moves what is in /run to /var."""
        self._signal(signal.SIGUSR1, "flushed")

    def rotate(self):
        """Archives the journals, and begins new ones."""
        self._signal(signal.SIGUSR2, "rotated")

    def archived(self):
        """The files that are written no more, oldest first; those of a journald that was killed at the end."""
        paths = [path for folder in self.folders for path in folder.glob(f"{self.machine}/*@*.journal*")]
        # system@<what counts the entries>-<number of the first>-<its time>.journal; system@<time>-<random>.journal~
        return sorted(paths, key=lambda path: (path.name.endswith("~"), path.name.split("@")[1].split("-")[1:], path.name))

    def active(self):
        """The files that are being written."""
        return [path for folder in self.folders for path in folder.glob(f"{self.machine}/*.journal") if "@" not in path.name]

    def vacuum(self, limit="--vacuum-files=1"):
        """Deletes archived files as `journalctl --vacuum-...` does. Their names."""
        before = set(self.archived())
        for folder in self.folders:
            subprocess.run(["journalctl", "--quiet", "-D", folder, limit], check=True, stderr=subprocess.DEVNULL)
        return sorted(path.name for path in before - set(self.archived()))

    def journalctl(self, *arguments):
        """What journalctl reads of both folders."""
        command = ["journalctl", "--quiet", "--root", self.home, "--merge", *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout

    def sender(self, **arguments):
        return Sender(self.home, **arguments)

    def last_words(self):
        return self.log.read_text(errors="replace")[-2000:]

    def _end(self, number):
        if not self.process:
            return None
        self.process.send_signal(number)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    def _call(self, method):
        """A method of io.systemd.Journal, over Varlink; false when nobody answers."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            try:
                connect(line, self.sockets / "io.systemd.journal")
                line.sendall(json.dumps({"method": f"io.systemd.Journal.{method}"}).encode() + b"\0")
                return "error" not in json.loads(line.recv(4096).rstrip(b"\0"))
            except (OSError, ValueError):
                return False

    def _signal(self, number, stamp):
        """Sends a signal, and waits for the file that journald writes when it is done."""
        def state():
            try:
                found = os.stat(self.sockets / stamp)
            except FileNotFoundError:
                return None
            return found.st_ino, found.st_mtime_ns

        before = state()
        self.process.send_signal(number)
        self._await(f"has {stamp}", lambda: state() not in (None, before))

    def _await(self, what, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise SystemExit(f"journald never {what}:\n{self.last_words()}")
            time.sleep(0.002)


def connect(line, path):
    """Connects to a socket by a path of any length: 108 bytes are all that an address has room for."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        line.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def serialize(fields):
    """An entry, as the native protocol and the export format have it. `fields`: pairs of a name and text or bytes."""
    parts = []
    for name, value in fields:
        value = value if isinstance(value, bytes) else str(value).encode()
        if all(32 <= byte < 127 for byte in value):
            parts.append(b"%s=%s\n" % (name.encode(), value))
        else:
            parts.append(b"%s\n%s%s\n" % (name.encode(), len(value).to_bytes(8, "little"), value))
    return b"".join(parts)


class Sender:
    """Sends entries as a process of the machine does; it waits when journald is slow, or away.

    journald knows a unit by the control group of the sender. `unit` stands in for that: systemd names it when it connects a
    service's output, and journald takes it from root, and remembers it for this process, whatever it sends by which socket.
    So there is one unit to a process. The rate limit is one to a unit: who has none is not limited.
    """

    def __init__(self, home, unit="", identifier="sender", priority=6):
        self.sockets = Path(home).resolve() / "run/systemd/journal"
        self.unit, self.identifier, self.priority = unit, identifier, priority
        self.lines = {}
        if unit:
            self.stdout("")  # leaves no entry; but with the first line of a stream journald looks at who sends
            while fcntl.ioctl(self.lines["stdout"], termios.TIOCOUTQ, b"\0" * 4) != b"\0" * 4:  # not read yet
                time.sleep(0.001)

    def native(self, fields):
        """sd_journal_sendv(3)."""
        entry = serialize(fields)
        try:
            self._send("socket", entry)
        except OSError as problem:  # larger than the socket takes
            self._send_file(entry, problem)

    def syslog(self, message, priority=None, facility=3):
        """syslog(3)."""
        priority = self.priority if priority is None else priority
        stamp = time.strftime("%b %e %H:%M:%S")
        self._send("dev-log", f"<{facility * 8 + priority}>{stamp} {self.identifier}[{os.getpid()}]: {message}".encode())

    def stdout(self, message, priority=None):
        """A line of a service's output: as it is, or with a priority of its own before it, sd-daemon(3)."""
        prefix = b"" if priority is None else b"<%d>" % priority
        self._send("stdout", prefix + (message if isinstance(message, bytes) else message.encode()) + b"\n")

    def close(self):
        for line in self.lines.values():
            line.close()
        self.lines = {}

    def _line(self, name):
        """The connection to one of journald's sockets, a new one if need be."""
        if name not in self.lines:
            kind = socket.SOCK_STREAM if name == "stdout" else socket.SOCK_DGRAM
            line = socket.socket(socket.AF_UNIX, kind)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
            connect(line, self.sockets / name)
            if name == "stdout":  # identifier, unit, priority, prefixes count, forward to syslog, kmsg, console
                line.sendall(f"{self.identifier}\n{self.unit}\n{self.priority}\n1\n0\n0\n0\n".encode())
            self.lines[name] = line
        return self.lines[name]

    def _send(self, name, data, ancillary=()):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if name == "stdout":
                    return self._line(name).sendall(data)
                return self._line(name).sendmsg([data], ancillary)
            except (ConnectionError, FileNotFoundError):  # it is being started again
                if line := self.lines.pop(name, None):
                    line.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _send_file(self, entry, problem):
        """A file in memory, sealed: journald takes no other from a stranger."""
        file = os.memfd_create("journal-entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with open(file, "wb", closefd=False) as out:
                out.write(entry)
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
            self._send("socket", b"", [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
        except OSError as second:
            raise second from problem
        finally:
            os.close(file)


def send(options):
    """Numbered entries: `<identifier> <number> <padding>`."""
    sender = Sender(options.home, options.unit, options.identifier, options.priority)
    kinds, padding, began = options.transport.split(","), "x" * options.size, time.monotonic()
    for number in range(options.first, options.first + options.count):
        if options.rate:
            time.sleep(max(0, began + (number - options.first) / options.rate - time.monotonic()))
        kind, message = kinds[number % len(kinds)], f"{options.identifier} {number} {padding}".rstrip()
        if kind == "native":
            sender.native([("MESSAGE", message), ("PRIORITY", options.priority), ("SYSLOG_IDENTIFIER", options.identifier), ("NUMBER", number)])
        elif kind == "syslog":
            sender.syslog(message)
        else:
            sender.stdout(message)
    sender.close()
    return 0


def run(options):
    settings = dict(setting.split("=", 1) for setting in options.set)
    with Journald(options.home, settings) as journald:
        print(f"journald {journald.pid} listens in {journald.sockets}; its journals are in {journald.persistent} and {journald.volatile}", flush=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: journald.process.terminate())
        return journald.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run", help="run a journald in the foreground")
    command.add_argument("home", type=Path, help="its folder; made if need be")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of journald.conf(5)")
    command.set_defaults(run=run)
    command = commands.add_parser("send", help="send numbered entries to one")
    command.add_argument("home", type=Path, help="its folder")
    command.add_argument("--count", type=int, default=1000)
    command.add_argument("--first", type=int, default=0, help="number of the first one (default 0)")
    command.add_argument("--rate", type=float, default=0, help="a second (default: as fast as it takes them)")
    command.add_argument("--size", type=int, default=0, help="characters of padding (default 0)")
    command.add_argument("--transport", default="native", help="native, syslog or stdout; several, by commas, take turns (default native)")
    command.add_argument("--unit", default="", help="the service that sends (default none)")
    command.add_argument("--identifier", default="sender")
    command.add_argument("--priority", type=int, default=6)
    command.set_defaults(run=send)
    options = parser.parse_args()
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
