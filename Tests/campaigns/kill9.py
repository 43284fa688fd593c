#!/usr/bin/env python3
"""kill -9, again and again, at moments drawn over the whole run; then every line must be there exactly once.

    kill9.py --sluice .build/release/sluice --pods /var/log/pods --kills 200 --runs 8

An uninterrupted run is measured first. Then each run starts `sluice run --once` on an empty store, kills it, starts it again,
and so on, and is left to end in peace. Moments are drawn so that the kills of a run cover all of it; some fall into the start
and the recovery, some anywhere in what is left. After each run the file output, what a receiver took over HTTP (each key once)
and the store (all segments, in order) are compared with what the log files hold: messages, order, times. Prints what was in flight at the kills. Exits with 1 when
anything was lost, repeated, or out of order.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import truth
from agent import Agent, chunks, stored_lines

SLOT_BYTES = 8192  # of a cursor's file: magic, generation, length, zero; contents; checksum
PATIENCE = 600  # seconds for a run that nobody disturbs


class StoreView:
    """Follows a store from kill to kill, and inflates only what is new: the bytes of a whole chunk never change."""

    def __init__(self, agent):
        self.agent, self.ends = agent, {}
        self.records = self.bytes = self.torn = 0

    def look(self):
        """Sets records and bytes to what all whole chunks hold, and torn to the bytes behind the last of them."""
        for path in self.agent.segments():
            data = path.read_bytes()
            end, records = self.ends.get(path.name, (0, 0))
            if end > len(data):
                end = records = 0
            base = end
            for offset, lines in chunks(data[base:]):
                end, records = base + offset, records + lines.count(b"\n")
            self.ends[path.name] = (end, records)
            self.torn = len(data) - end
        self.records = sum(records for _, records in self.ends.values())
        self.bytes = sum(end for end, _ in self.ends.values())


class Cursor:
    """How much of its file the output has accounted for, read from its cursor as docs/store-format.md describes it."""

    def __init__(self, agent):
        self.path = agent.data / "cursors/0/file"

    def length(self):
        """The first number of what the file output wants to find again; None when there is no cursor."""
        contents = self._contents()
        if not contents:
            return None
        at = 1 + 16 + 8  # version, store, next
        at += 1 + 24 * contents[at]  # what is on its way
        at += 1 + 32 * contents[at]  # islands
        at += 4 * 8  # the account
        at += 1 + 9 * contents[at]  # drops
        state = contents[at + 2:at + 2 + int.from_bytes(contents[at:at + 2], "little")]
        return int.from_bytes(state[:8], "little")

    def _contents(self):
        if not self.path.exists():
            return None
        data, newest = self.path.read_bytes(), (0, None)
        for at in range(0, len(data), SLOT_BYTES):
            generation, length = int.from_bytes(data[at + 8:at + 16], "little"), int.from_bytes(data[at + 16:at + 20], "little")
            newest = max(newest, (generation, data[at + 24:at + 24 + length]), key=lambda slot: slot[0])
        return newest[1]


@dataclass
class Kill:
    """What was in flight at one kill."""

    decile: int  # of the records, stored at that moment
    fresh: int  # bytes in whole chunks since the kill before
    torn: int  # bytes of a chunk that was being written
    output: str  # the file output against its cursor
    cut_line: bool  # the file output ends within a line


def size_of(path):
    return path.stat().st_size if path.exists() else 0


def ends_within_line(path):
    if not size_of(path):
        return False
    with open(path, "rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"


class Campaign:
    def __init__(self, options, work):
        self.kills_wanted, self.runs_wanted = options.kills, options.runs
        self.random = random.Random(options.seed)
        self.agent = Agent(options.sluice, work / "run", options.pods, "off")
        self.cursor = Cursor(self.agent)
        self.want = truth.expected(options.pods)
        self.total = sum(map(len, self.want.values()))
        self.kills = []

    def measure(self):
        """Lets one run end in peace, for its length, its start and the size of its output."""
        self.agent.reset()
        began = time.monotonic()
        process = self.agent.start("--once")
        while not self.agent.segments() and process.poll() is None:
            time.sleep(0.001)
        self.start_seconds = time.monotonic() - began
        code = self.finish(process)
        self.seconds = time.monotonic() - began
        self.whole = [max(1, size) for size in self.sizes()]
        print(f"undisturbed: {self.seconds:.2f} s, the store open after {self.start_seconds:.3f} s")
        return self.check("undisturbed", code)

    def run(self, number):
        """One run with its share of the kills. True when nothing is wrong afterwards."""
        left = min(-(-self.kills_wanted // self.runs_wanted), self.kills_wanted - len(self.kills))
        before = len(self.kills)
        self.agent.reset()
        store, stored_bytes = StoreView(self.agent), 0
        while left > 0:
            process = self.agent.start("--once")
            self.await_moment(process, left)
            process.kill()
            if process.wait() >= 0:  # it was faster
                break
            store.look()
            self.kills.append(Kill(
                decile=min(9, 10 * store.records // self.total), fresh=max(0, store.bytes - stored_bytes), torn=store.torn,
                output=self.output_state(), cut_line=ends_within_line(self.agent.output)))
            stored_bytes, left = store.bytes, left - 1
        else:
            process = self.agent.start("--once")
        return self.check(f"run {number}: {len(self.kills) - before} kills", self.finish(process))

    def finish(self, process):
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return f"none, stuck for {PATIENCE} s"

    def await_moment(self, process, left):
        """Waits until the next kill is due, of so many that are left in this run, or until the process has ended."""
        kind, done = self.random.random(), self.done()
        if kind < 0.15:  # in the start, in the recovery
            self.rest(process, self.random.uniform(0, self.start_seconds))
        elif kind < 0.25:  # anywhere in what is left
            self.rest(process, self.random.uniform(0, self.start_seconds + self.seconds * (1 - done)))
        else:  # at some progress from here, and not always just after a write
            goal, deadline = done + self.random.uniform(0, 2 * (1 - done) / (left + 1)), time.monotonic() + PATIENCE
            while process.poll() is None and self.done() < goal and time.monotonic() < deadline:
                time.sleep(0.0005)
            self.rest(process, self.random.uniform(0, 0.005))

    def rest(self, process, seconds):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def sizes(self):
        """Bytes of the store and of the file output."""
        return sum(map(size_of, self.agent.segments())), size_of(self.agent.output)

    def done(self):
        """The share of a whole run's work that is done, by the bytes it has left behind."""
        return sum(min(1, size / whole) for size, whole in zip(self.sizes(), self.whole)) / 2

    def output_state(self):
        length = self.cursor.length()
        if length is None:
            return "no cursor yet"
        size = size_of(self.agent.output)
        return "equal" if size == length else "longer" if size > length else "SHORTER"

    def check(self, name, code):
        good = code == 0
        print(f"{name}, exit code {code}")
        with open(self.agent.output, "rb") if self.agent.output.exists() else open("/dev/null", "rb") as lines:
            good &= self.judge("file ", lines)
        good &= self.judge("http ", self.agent.receiver.lines())
        good &= self.judge("store", stored_lines(self.agent.segments()))
        if not good:
            print("the agent's last words:", self.agent.last_words(), sep="\n")
        return good

    def judge(self, what, lines):
        try:
            verdict = truth.Verdict(self.want, lines)
        except ValueError as problem:
            print(f"  {what}: {problem}")
            return False
        print("\n".join(f"  {what}: {line}" for line in str(verdict).splitlines()[-6:]), flush=True)
        return verdict.good

    def report(self):
        print(f"\n{len(self.kills)} kills. What was in flight:")
        tally("records stored so far", [f"{10 * k.decile:3}-{10 * k.decile + 10} %" for k in self.kills])
        tally("stored since the kill before", [magnitude(k.fresh) for k in self.kills])
        tally("end of the newest segment", [f"torn chunk, {magnitude(k.torn)[3:]}" if k.torn else "whole" for k in self.kills])
        tally("file output against its cursor", [k.output for k in self.kills])
        tally("file output ends", ["within a line" if k.cut_line else "after a line" for k in self.kills])


def magnitude(count):
    """A size in steps of four, with a letter before it to sort by."""
    steps = [(1, "a) nothing"), (16 << 10, "b) < 16 KiB"), (64 << 10, "c) < 64 KiB"), (256 << 10, "d) < 256 KiB"), (1 << 20, "e) < 1 MiB")]
    return next((name for limit, name in steps if count < limit), "f) 1 MiB or more")


def tally(title, values):
    print(f"  {title}")
    for value in sorted(set(values)):
        count = values.count(value)
        print(f"    {value:20} {count:5}  {'#' * max(1, round(50 * count / len(values)))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True, help="the binary")
    parser.add_argument("--pods", type=Path, required=True, help="a tree of pod logs, as /var/log/pods")
    parser.add_argument("--kills", type=int, default=200, help="in all (default 200)")
    parser.add_argument("--runs", type=int, default=8, help="to share them out among; more follow when one ends early (default 8)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of the moments (default: another each time)")
    parser.add_argument("--work", type=Path, help="folder to work in, kept (default: a temporary one, kept when something is wrong)")
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp(prefix="sluice-kill9-"))
    print(f"seed {options.seed}, working in {work}")

    campaign = Campaign(options, work)
    good, number, idle = campaign.measure(), 0, 0
    while good and (len(campaign.kills) < options.kills or number < options.runs) and idle < 5:
        number, before = number + 1, len(campaign.kills)
        good = campaign.run(number)
        idle = 0 if len(campaign.kills) > before else idle + 1
    if campaign.kills:
        campaign.report()
    if good and len(campaign.kills) < options.kills:
        print("The runs end before they can be killed: take a larger tree.")
        good = False
    campaign.agent.receiver.stop()
    print("\nNothing lost, nothing repeated." if good else "\nNOT GOOD. See " + str(work))
    if good and not options.work:
        shutil.rmtree(work)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
