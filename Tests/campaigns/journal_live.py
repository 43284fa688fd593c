#!/usr/bin/env python3
"""A journal as it is in life, written by real journalds, and an agent that is killed, comes late, finds entries deleted.

    journal_live.py --sluice .build/release/sluice                               all parts, small, within two minutes
    journal_live.py --sluice .build/release/sluice once --kills 100 --rate 3000  one part, as large as you like

parts:
  once      numbered entries of several services by all of journald's sockets, while it rotates, is killed, and archived files that
            were read are deleted; the agent is killed, again and again: every entry is stored once, in the journal's order
  latency   from journald's time of an entry to the chunk that has it, under 50 a second and one each two seconds
  limit     a service talks more than journald's RateLimitBurst= allows: what was suppressed is told
  vacuum    archived files are deleted while the agent is stopped, unread ones among them: it goes on with what is there
  flush     what journald has kept in /run moves to /var, while the agent reads, and while it is stopped
  remote    as `once`, written by systemd-journal-remote
  boots     boots whose clocks are anywhere, in files of their own, several of them growing at once (machines whose journals are in one
            folder); the agent is killed: every entry is stored once, those of a boot in their order
  load      processor time and memory, idle and under 2,000 entries a second
  made      the journals of made_journal.py: every shape of entry becomes the right record

Each prints PASS or FAIL; exits with 1 when one failed. Needs what journald.py needs. The machine's own journal is not touched.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import made_journal
from agent import chunks
from journal_diff import Comparison, Journalctl, Stored, Wanted
from journald import Journald
from made_journal import SUPPRESSED, Node, Writer

HERE = Path(__file__).resolve().parent
GRACE = 30  # seconds for the agent to stop in
QUIET = 8  # seconds without a new record: more will not come
MEMBER = b"\x1f\x8b\x08\x04"


class Agent:
    """`sluice run` over folders of journals, and what its store says, read as docs/store-format.md describes it."""

    def __init__(self, sluice, home, folders, linger="50ms"):
        self.sluice, self.home = Path(sluice).resolve(), home
        self.data, self.log, self.configuration = home / "data", home / "agent.log", home / "sluice.yaml"
        home.mkdir(parents=True)
        self.configuration.write_text(json.dumps(dict(
            data_dir=str(self.data),
            inputs=[dict(type="journal", paths=[str(folder) for folder in folders], start_at="beginning", json="off", parsers=[], fields="all")],
            outputs=[dict(type="null")], store=dict(linger=linger))))
        self.process, self.seen = None, {}

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.sluice, "run", "--config", self.configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        """kill -9. False when it had ended by itself, which it should not."""
        self.process.kill()
        return self.process.wait() == -signal.SIGKILL

    def stop(self):
        """SIGTERM. True when it ended well."""
        if not self.process:
            return True
        self.process.terminate()
        try:
            code = self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        if code:
            print(f"  the agent ended with {code}. Its last words:\n{self.words()}")
        return code == 0

    def words(self, start=0):
        """What it said, from a place in its log on: the last lines."""
        return "\n".join(f"    {line}" for line in self.log.read_bytes()[start:].decode(errors="replace").splitlines()[-12:])

    def segments(self):
        return sorted(self.data.glob("store/0/*.ndjson.gz"))

    def progress(self):
        """How many records are stored, and the time of the latest, in microseconds since 1970. Reads only what is new."""
        for path in self.segments():
            end, records, latest = self.seen.get(path.name, (0, 0, 0))
            with open(path, "rb") as file:
                if os.fstat(file.fileno()).st_size < end:  # a torn end was cut off
                    end = records = latest = 0
                file.seek(end)
                for chunk in headers(file.read()):
                    end, records, latest = end + chunk.size, records + chunk.records, max(latest, chunk.latest)
            self.seen[path.name] = (end, records, latest)
        return sum(records for _, records, _ in self.seen.values()), max([0, *(latest // 1000 for *_, latest in self.seen.values())])

    def settle(self, records):
        """Waits for so many records, or until no more come."""
        stored, since = -1, time.monotonic()
        while stored < records and time.monotonic() - since < QUIET:
            time.sleep(0.05)
            now = self.progress()[0]
            if now != stored:
                stored, since = now, time.monotonic()
        time.sleep(0.3)  # for those that are too many


class Header:
    """The header of a chunk at the beginning of `data`: what is needed of it here."""

    def __init__(self, data):
        def number(at, size):
            return int.from_bytes(data[at:at + size], "little")

        self.size, self.records, self.latest, self.written = number(20, 4), number(52, 4), number(72, 8), number(80, 8)


def headers(data):
    """The headers of the whole chunks at the beginning of `data`."""
    at = 0
    while data[at:at + 4] == MEMBER and len(data) >= at + 88:
        header = Header(data[at:at + 88])
        if not header.size or at + header.size > len(data):
            return
        yield header
        at += header.size


def send(journald, identifier, count, rate, transport="native", size=80):
    """Numbered entries of a service, sent by a process of its own."""
    command = [sys.executable, HERE / "journald.py", "send", journald.home, "--identifier", identifier, "--unit", f"{identifier}.service",
               "--count", str(count), "--rate", str(rate), "--transport", transport, "--size", str(size)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def end_of(journal):
    """The time of the last entry of a journal file, by its header. https://systemd.io/JOURNAL_FILE_FORMAT"""
    with open(journal, "rb") as file:
        return int.from_bytes(file.read(200)[192:200], "little")


class Attic:
    """Keeps journal files that are deleted, for the comparison at the end: they get a second name here."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def keep(self, paths):
        for path in paths:
            (self.folder / path.name).unlink(missing_ok=True)
            os.link(path, self.folder / path.name)

    def delete(self, paths):
        self.keep(paths)
        for path in paths:
            path.unlink()


def compare(agent, folder):
    """Waits until everything in a folder of journals is stored, and tells what is wrong. True when nothing is."""
    want = Wanted(Journalctl([folder]))
    agent.settle(sum(1 for _ in want))
    good = agent.stop()
    verdict = Comparison(want, Stored(agent.segments()))
    print(f"  {verdict}")
    for line in verdict.details(3):
        print(f"    {line}")
    if not verdict.good:
        print(f"  the agent's last words:\n{agent.words()}")
    return good and verdict.good


class Killing:
    """Kills an agent at moments that are drawn: in the start, in the recovery, and anywhere in its work."""

    def __init__(self, agent, kills, seconds):
        self.agent, self.left, self.pause, self.done, self.torn, self.good = agent, kills, seconds / max(1, kills), 0, 0, True

    def step(self):
        """Waits for the next moment, and kills. False when no kills are left."""
        if not self.left:
            return False
        time.sleep(random.uniform(0, 0.06) if random.random() < 0.25 else random.uniform(0.2, 1.8) * self.pause)
        self.good &= self.agent.kill()
        self.done, self.left = self.done + 1, self.left - 1
        if segments := self.agent.segments():
            data = segments[-1].read_bytes()
            self.torn += sum(header.size for header in headers(data)) < len(data)
        self.agent.start()
        return True


def once(options, work):
    transports = ["native", "stdout", "syslog", "native,stdout,syslog"]
    seconds = options.seconds or max(6, options.kills * 0.45)
    rate = options.rate / len(transports)
    with Journald(work / "node", dict(SystemMaxFileSize="64M")) as journald:
        agent, attic, rotations, deleted = Agent(options.sluice, work / "agent", journald.folders), Attic(work / "attic"), 0, 0
        senders = [send(journald, f"sender-{number}", round(rate * seconds), rate, transport) for number, transport in enumerate(transports)]
        try:
            agent.start()
            killing, began, deaths = Killing(agent, options.kills, seconds), time.monotonic(), options.journald_kills
            while killing.step() or any(sender.poll() is None for sender in senders):
                if not killing.left:
                    time.sleep(0.1)
                journald.rotate()
                rotations += 1
                stored = agent.progress()[1]
                # Not in their order either: journald and journalctl delete the oldest ones, a person any.
                read = [path for path in journald.archived() if 0 < end_of(path) < stored and random.random() < 0.7]
                attic.delete(read)
                deleted += len(read)
                if deaths and time.monotonic() - began > seconds / (options.journald_kills + 1) * (options.journald_kills + 1 - deaths):
                    journald.kill()
                    journald.start()
                    deaths -= 1
            for sender in senders:
                sender.wait(60)
            journald.sync()
            journald.stop()  # it says so in the journal
            attic.keep(journald.archived() + journald.active())
            print(f"  {len(senders)} senders, {round(rate * seconds) * len(senders)} entries sent, {rotations} rotations, {deleted} archived files deleted; "
                  f"journald killed {options.journald_kills - deaths} times, the agent {killing.done} times, {killing.torn} of them left a torn chunk")
            arrived = sum(dict(fields).get("SYSLOG_IDENTIFIER", b"").startswith(b"sender-") for fields in Journalctl([attic.folder]))
            sent = round(rate * seconds) * len(senders)
            if arrived < sent:  # what was on its way to a journald that is killed is lost, and not for the agent to find
                print(f"  {sent - arrived} entries are not in the journal itself")
            return compare(agent, attic.folder) and killing.good and (arrived == sent or options.journald_kills > 0)
        finally:
            end(agent, *senders)


def latency(options, work):
    good = True
    for linger in (250, 50):
        for rate, seconds in ((50, options.seconds or 4), (0.5, options.seconds or 6)):
            name = f"{linger}ms-{rate}"
            with Journald(work / f"node-{name}") as journald:
                agent = Agent(options.sluice, work / f"agent-{name}", journald.folders, f"{linger}ms")
                watch = SegmentWatch(agent)
                try:
                    agent.start()
                    time.sleep(1.5)
                    send(journald, "clock", max(3, round(rate * seconds)), rate, size=20).wait(seconds + 60)
                    time.sleep(1)
                finally:
                    watch.stop()
                    good &= agent.stop()
                written, seen = watch.latencies("clock")
                print(f"  linger {linger} ms, {rate:4} entries a second: chunk written after {spread(written)}; seen after {spread(seen)}")
                if len(written) != max(3, round(rate * seconds)) or percentile(written, 99) > linger + options.latency:
                    print(f"  not all of them, or later than {linger} + {options.latency} ms")
                    good = False
    return good


class SegmentWatch:
    """Looks every 5 ms how long the segments of a store are: a witness beside the agent's own word of when it wrote."""

    def __init__(self, agent):
        self.agent, self.sizes, self.is_over = agent, [], False
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        known = {}
        while not self.is_over:
            for path in self.agent.segments()[-1:]:
                size = path.stat().st_size
                if size != known.get(path):
                    known[path] = size
                    self.sizes.append((time.time(), path, size))
            time.sleep(0.005)

    def stop(self):
        self.is_over = True
        self.thread.join()

    def latencies(self, identifier):
        """Milliseconds from the time of each record of the sender to when its chunk was written, and to when it was seen."""
        written, seen = [], []
        for path in self.agent.segments():
            data, start = path.read_bytes(), 0
            for end, lines in chunks(data):
                header = Header(data[start:start + 88])
                moment = next((moment for moment, which, size in self.sizes if which == path and size >= end), None)
                for line in lines.splitlines():
                    record = json.loads(line)
                    if record["journal"].get("identifier") == identifier:
                        time_of = int(time.mktime(time.strptime(record["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 10**9 + int(record["time"][20:29])
                        written.append((header.written - time_of) / 1e6)
                        if moment:
                            seen.append(moment * 1000 - time_of / 1e6)
                start = end
        return written, seen


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * share // 100)] if values else float("inf")


def spread(values):
    if not values:
        return "(nothing)"
    return f"{percentile(values, 50):.0f} / {percentile(values, 99):.0f} / {max(values):.0f} ms (p50 / p99 / max of {len(values)})"


def limit(options, work):
    count, burst = 3000, 100  # the more room is on the disk, the more journald lets pass: several times the burst
    with Journald(work / "node", dict(RateLimitIntervalSec="1s", RateLimitBurst=burst)) as journald:
        agent = Agent(options.sluice, work / "agent", journald.folders)
        try:
            agent.start()
            send(journald, "noisy", count, 0).wait(60)
            time.sleep(1.2)
            # Of its losses journald speaks when the service does, after the interval. It is one count to a unit, whoever sends.
            send(journald, "noisy", 1, 0).wait(60)
            journald.sync()
            journald.stop()
            good = compare(agent, journald.persistent)
        finally:
            end(agent)
    records = list(Stored(agent.segments()))
    came = sum(record["journal"].get("identifier") == "noisy" for record in records)
    told = [record for record in records if record["journal"].get("message_id") == SUPPRESSED]
    suppressed = sum(int(record["journal"]["n_dropped"]) for record in told)
    print(f"  {count + 1} sent, {came} came, {suppressed} told as suppressed: {[record['message'] for record in told]}")
    return good and came + suppressed == count + 1 and bool(told)


def vacuum(options, work):
    with Journald(work / "node") as journald:
        agent, attic = Agent(options.sluice, work / "agent", journald.folders), Attic(work / "attic")
        try:
            agent.start()
            send(journald, "before", 500, 0).wait(60)
            journald.sync()
            agent.settle(len(list(Wanted(Journalctl([journald.persistent])))))
            good = agent.stop()
            journald.rotate()
            attic.delete(journald.archived())  # all was read
            for number in range(3):
                send(journald, f"unread-{number}", 300, 0).wait(60)
                journald.sync()
                journald.rotate()
            gone = sum(1 for path in journald.archived() for _ in Journalctl([path]))
            journald.vacuum()
            good &= not journald.archived()
            send(journald, "behind", 200, 0).wait(60)
            journald.sync()
            said = agent.log.stat().st_size
            agent.start()
            agent.settle(700)
            send(journald, "later", 50, 0).wait(60)
            journald.sync()
            journald.stop()
            attic.keep(journald.active())
            print(f"  {gone} entries were deleted unread")
            good &= compare(agent, attic.folder)
            print(f"  what the agent said of it:\n{agent.words(said)}")
            return good
        finally:
            end(agent)


def flush(options, work):
    good = True
    for name in ("running", "stopped"):
        with Journald(work / f"node-{name}", flushes=False) as journald:
            agent = Agent(options.sluice, work / f"agent-{name}", journald.folders)
            senders = [send(journald, f"sender-{number}", 1200, 400) for number in range(2)]
            try:
                agent.start()
                time.sleep(1.5)
                if name == "stopped":
                    good &= agent.stop()
                journald.flush()
                if name == "stopped":
                    time.sleep(0.5)
                    agent.start()
                for sender in senders:
                    sender.wait(60)
                journald.sync()
                journald.stop()
                print(f"  the agent is {name}")
                good &= compare(agent, journald.persistent)
            finally:
                end(agent, *senders)
    return good


def remote(options, work):
    """One file, which grows; systemd-journal-remote tells its readers of each entry, journald does four times a second."""
    folder, seconds = work / "remote", options.seconds or max(6, options.kills * 0.45)
    folder.mkdir()
    words, count, agent = Node(), round(options.rate * seconds), Agent(options.sluice, work / "agent", [folder])
    with Writer(folder / "remote.journal") as writer:
        def write():
            began = time.monotonic()
            for number in range(count):
                time.sleep(max(0, began + number / options.rate - time.monotonic()))
                writer.entry([*words.entry(time.time_ns() // 1000), ("NUMBER", number)], time.time_ns() // 1000, time.monotonic_ns() // 1000)
                writer.flush()

        load = threading.Thread(target=write)
        load.start()
        try:
            time.sleep(0.2)
            agent.start()
            killing = Killing(agent, options.kills, seconds)
            while killing.step():
                pass
            load.join(seconds + 60)
            writer.close()
            print(f"  {count} entries written, some for audit, which are left out; the agent killed {killing.done} times, {killing.torn} of them left a torn chunk")
            return compare(agent, folder) and killing.good
        finally:
            end(agent)


def boots(options, work):
    """No clock battery: a boot begins years ago, or in the future, in a file of its own, beside those that are there."""
    folder, seconds = work / "boots", options.seconds or max(8, options.kills * 0.45)
    folder.mkdir()
    agent, written, stop = Agent(options.sluice, work / "agent", [folder]), {}, time.monotonic() + seconds

    def write(boot):
        """One boot, in a file of its own: a line each few milliseconds, on a clock of its own."""
        began, behind = time.time_ns() // 1000, random.choice([0, 0, 10**6, 3600 * 10**6, 50 * 365 * 86400 * 10**6, -86400 * 10**6])
        monotonic, until = 10**7, min(stop, time.monotonic() + random.uniform(1, seconds / 2))
        with Writer(folder / f"system@{boot}.journal") as writer:
            while time.monotonic() < until:
                for _ in range(random.choice([1, 1, 5, 40])):
                    monotonic += random.choice([0, 1, 100, 4000])  # several entries of one moment, as journald has them
                    number = written[boot] = written.get(boot, 0) + 1
                    fields = [("MESSAGE", f"{boot}:{number}"), ("_TRANSPORT", "stdout"), ("PRIORITY", 6)]
                    writer.entry(fields, began - behind + monotonic, monotonic, f"{boot:032x}")
                writer.flush()
                time.sleep(random.uniform(0, 0.05))

    def machine(first):
        boot = first
        while time.monotonic() < stop:
            write(boot)
            boot += 1

    machines = [threading.Thread(target=machine, args=(1000 * number,)) for number in (1, 2)]
    try:
        agent.start()
        for thread in machines:
            thread.start()
        killing = Killing(agent, options.kills, seconds)
        while killing.step():
            pass
        for thread in machines:
            thread.join(seconds + 60)
        agent.settle(sum(written.values()))
        good = agent.stop() and killing.good
    finally:
        end(agent)
    came = {}
    for record in Stored(agent.segments()):
        boot, number = map(int, record["message"].split(":"))
        came.setdefault(boot, []).append(number)
    wrong = {boot: count for boot, count in written.items() if came.get(boot) != list(range(1, count + 1))}
    print(f"  {sum(written.values())} entries of {len(written)} boots, {sum(map(len, came.values()))} stored; the agent killed {killing.done} times")
    for boot, count in list(wrong.items())[:5]:
        got = came.get(boot, [])
        print(f"    boot {boot}: {count} written, {len(got)} stored, {len(got) - len(set(got))} twice, missing {sorted(set(range(1, count + 1)) - set(got))[:8]}")
    if wrong:
        print(f"  the agent's last words:\n{agent.words()}")
    return good and not wrong


def load(options, work):
    seconds, rate = options.seconds or 8, 2000
    with Journald(work / "node") as journald:
        agent = Agent(options.sluice, work / "agent", journald.folders, "250ms")
        try:
            agent.start()
            time.sleep(2)
            usage = Usage(agent.process.pid)
            time.sleep(options.idle)
            idle = usage.told()
            print(f"  idle:                  {usage}")
            usage = Usage(agent.process.pid)
            sender = send(journald, "busy", rate * seconds, rate, size=120)
            sender.wait(seconds + 60)
            usage.told()
            print(f"  {rate} entries a second: {usage}")
            journald.sync()
            journald.stop()
            return compare(agent, journald.persistent) and idle < 1
        finally:
            end(agent)


def made(options, work):
    good = True
    for kind in made_journal.KINDS:
        folder, _, _ = made_journal.make(kind, work, options)
        agent = Agent(options.sluice, work / f"agent-{kind}", [folder])
        try:
            print(f"  {kind}")
            agent.start()
            good &= compare(agent, folder)
        finally:
            end(agent)
    return good


class Usage:
    """What a process uses from now on until it is told. proc(5)"""

    def __init__(self, pid):
        self.folder = Path(f"/proc/{pid}")
        self.began, self.ticks, self.switches = time.monotonic(), self._ticks(), self._switches()

    def told(self):
        """Percents of a processor."""
        self.seconds = time.monotonic() - self.began
        self.percent = 100 * (self._ticks() - self.ticks) / os.sysconf("SC_CLK_TCK") / self.seconds
        self.wakeups = (self._switches() - self.switches) / self.seconds
        status = (self.folder / "status").read_text().splitlines()
        self.resident, self.most = (next(int(line.split()[1]) / 1024 for line in status if line.startswith(name)) for name in ("VmRSS:", "VmHWM:"))
        return self.percent

    def _ticks(self):
        return sum(map(int, (self.folder / "stat").read_text().rsplit(")", 1)[1].split()[11:13]))

    def _switches(self):
        """How often its threads went to sleep."""
        return sum(int(line.split()[1]) for path in self.folder.glob("task/*/status") for line in path.read_text().splitlines()
                   if line.startswith("voluntary_ctxt_switches:"))

    def __str__(self):
        return f"{self.percent:.2f} % of a processor, {self.wakeups:.0f} wake-ups a second, RSS {self.resident:.1f} MB (most {self.most:.1f} MB), over {self.seconds:.0f} s"


def end(agent, *processes):
    """Ends what is still running."""
    for process in (agent.process, *processes):
        if process and process.poll() is None:
            process.kill()
            process.wait()


PARTS = {part.__name__: part for part in (once, latency, limit, vacuum, flush, remote, boots, load, made)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True, help="the binary")
    parser.add_argument("parts", nargs="*", metavar="part", help="which (default: all)")
    parser.add_argument("--kills", type=int, default=15, help="of the agent, in `once`, `remote` and `boots` (default 15)")
    parser.add_argument("--journald-kills", type=int, default=1, help="of journald, in `once` (default 1)")
    parser.add_argument("--rate", type=int, default=2000, help="entries a second in `once` and `remote` (default 2000)")
    parser.add_argument("--seconds", type=int, help="how long entries are sent in each part (default: a few seconds)")
    parser.add_argument("--idle", type=int, default=8, help="seconds to be idle for in `load` (default 8)")
    parser.add_argument("--latency", type=int, default=400, help="milliseconds beside linger, within which 99 of 100 entries have to be stored (default 400)")
    parser.add_argument("--entries", type=int, default=20_000, help="of the node in `made` (default 20000)")
    parser.add_argument("--size", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of the moments (default: another each time)")
    parser.add_argument("--work", type=Path, help="folder to work in, kept (default: a temporary one, kept when something is wrong)")
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    random.seed(options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is ended and cleared away
    work = (options.work or Path(tempfile.mkdtemp(prefix="sluice-journal-"))).resolve()
    print(f"seed {options.seed}, working in {work}")
    verdicts = {}
    for name in options.parts or PARTS:
        folder, began = work / name, time.monotonic()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"{name}", flush=True)
        verdicts[name] = PARTS[name](options, folder)
        print(f"{'PASS' if verdicts[name] else 'FAIL'}  {name}, {time.monotonic() - began:.0f} s", flush=True)
    good = all(verdicts.values())
    print("\nNothing lost, nothing repeated, all in order." if good else f"\nNOT GOOD. See {work}")
    if good and not options.work:
        shutil.rmtree(work)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
