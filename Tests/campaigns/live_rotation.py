#!/usr/bin/env python3
"""A million lines of twenty pods, rotated while they are written, and an agent that comes late, is stopped, and is killed.

    live_rotation.py --sluice .build/release/sluice

    0 ........ 15 % ........ 40 % .... 50 % ........ 70 % ............. 100 % of the time
    lines flow  agent starts  SIGTERM   starts again  kill -9, starts     all delivered: SIGTERM

Then every line's number is looked for in the file output and in the store. Exits with 1 when one is lost, repeated, or out of
order. A rotated file stays until four newer ones are there, as on a node: long enough for the pauses, by the default sizes.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agent import Agent, stored_lines

SHIPPERS = Path(__file__).resolve().parents[2] / "Benchmarks/shippers"
GRACE = 60  # seconds for the agent to stop in
QUIET = 5  # seconds without a new byte: all is delivered


class Timeline:
    """Prints what happens when, and waits for moments of the generator's time."""

    def __init__(self, seconds):
        self.seconds, self.began = seconds, time.monotonic()

    def at(self, share):
        time.sleep(max(0, self.began + share * self.seconds - time.monotonic()))

    def say(self, what):
        print(f"{time.monotonic() - self.began:6.1f} s  {what}", flush=True)


def stop(agent, process, timeline):
    """SIGTERM, and its exit code."""
    process.terminate()
    try:
        code = process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    timeline.say(f"stopped, exit code {code}")
    if code != 0:
        print(agent.last_words())
    return code == 0


def await_quiet(path):
    """Until the file has not grown for a while."""
    size, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET:
        time.sleep(0.2)
        now = path.stat().st_size if path.exists() else 0
        if now != size:
            size, since = now, time.monotonic()


def play(agent, generator, timeline):
    """The agent's day. True when it stopped properly each time it was asked to."""
    timeline.at(0.15)
    timeline.say("the agent starts, late")
    process = agent.start()
    timeline.at(0.40)
    good = stop(agent, process, timeline)
    timeline.at(0.50)
    timeline.say("started again")
    process = agent.start()
    timeline.at(0.70)
    process.kill()
    timeline.say(f"kill -9 (exit code {process.wait()}), started again")
    process = agent.start()
    generator.wait()
    timeline.say("the last line is written")
    await_quiet(agent.output)
    return stop(agent, process, timeline) and good


def scan(lines):
    """The sink's account of NDJSON lines: an iterable, or a file."""
    command = [SHIPPERS / "bin/sink", "--scan", "/dev/stdin"]
    if isinstance(lines, Path):
        with open(lines, "rb") as file:
            return json.loads(subprocess.run(command, stdin=file, stdout=subprocess.PIPE, check=True).stdout)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sink:
        sink.stdin.writelines(lines)
        sink.stdin.close()
        return json.loads(sink.stdout.read())


def judge(what, written, came):
    lost = written - came["unique"]
    print(f"{what}: {came['records']} records: lost {lost}, repeated {came['duplicates']}, out of order {came['out_of_order']}, "
          f"JSON not merged {came['unique'] - came['merged']}")
    return not (lost or came["duplicates"] or came["out_of_order"] or came["unique"] != came["merged"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True, help="the binary")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=25_000, help="lines a second (default 25000)")
    parser.add_argument("--pods", type=int, default=20)
    parser.add_argument("--rotate-mb", type=float, default=2, help="size at which a log is rotated (default 2)")
    parser.add_argument("--keep", type=int, default=4, help="rotated files that stay (default 4)")
    parser.add_argument("--work", type=Path, help="folder to work in, kept (default: a temporary one, kept when something is wrong)")
    options = parser.parse_args()
    work = (options.work or Path(tempfile.mkdtemp(prefix="sluice-live-"))).resolve()
    print(f"working in {work}")
    subprocess.run(["make", "-s", "-C", SHIPPERS], check=True)

    node, seconds = work / "node", options.lines / options.rate
    shutil.rmtree(node, ignore_errors=True)
    agent = Agent(options.sluice, work / "run", node / "pods", "merge")
    agent.reset()
    # A little longer than it takes: the generator counts time, not lines.
    generator = subprocess.Popen(
        [SHIPPERS / "bin/loggen", "live", "--dir", node, "--pods", str(options.pods), "--profile", "json",
         "--rate", str(options.rate), "--seconds", f"{seconds + 0.01:.3f}", "--rotate-mb", str(options.rotate_mb), "--keep", str(options.keep)],
        stdout=subprocess.PIPE, text=True)
    try:
        good = play(agent, generator, Timeline(seconds))
        manifest = json.loads(generator.stdout.read())
    finally:
        generator.kill()
        agent.receiver.stop()
    written = manifest["records"]
    print(f"\nwritten: {written} lines of {manifest['pods']} pods, {manifest['bytes'] / 1e6:.0f} MB, {manifest['rotations']} rotations")
    good &= judge("file   ", written, scan(agent.output))
    good &= judge("http   ", written, scan(agent.receiver.lines()))
    good &= judge("store  ", written, scan(stored_lines(agent.segments())))
    print("Nothing lost, nothing repeated, all in order." if good else f"NOT GOOD. See {work}")
    if good and not options.work:
        shutil.rmtree(work)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
