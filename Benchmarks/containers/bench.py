#!/usr/bin/env python3
"""What many containers cost: how long until the first line, until all lines, until a new line of a busy node is out; CPU at rest.

    bench.py [--sluice BINARY] [--containers 3000,12000,20000] [--seconds 120] [--descriptors 0] [--work FOLDER]

A node with so many containers, three to a pod, each with a log of a few lines. The agent starts for the first time; then it is stopped
and started again; then it rests. `first line`: from the start to the first record in the output, `all`: to the last one, `new pod`:
from the first line of a pod that comes right after that to its record, `resumed`: from a restart to the first new record. CPU is
that of the whole process, per minute, with nothing written. `--descriptors` limits open files (0: as many as there may be). Ends with 1
when a record is missing or doubled.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES = 3


def cri(message, number):
    return f"2026-11-23T03:14:07.{number % 10**9:09d}Z stdout F {message}\n"


class Node:
    def __init__(self, work, containers):
        self.pods = work / "pods"
        self.out = work / "out.ndjson"
        self.containers = containers
        for number in range(containers):
            folder = self.folder(number)
            folder.mkdir(parents=True)
            (folder / "0.log").write_text("".join(cri(f"{number} {line}", number) for line in range(LINES)))

    def folder(self, number, name="web"):
        return self.pods / f"shop_{name}-{number // 3}_{number // 3:08d}-0000-4000-8000-000000000000" / f"app-{number % 3}"


class Agent:
    def __init__(self, binary, work, node, descriptors):
        config = work / "sluice.yaml"
        config.write_text(f"""data_dir: {work / 'data'}
kubernetes: {{ metadata: path }}
inputs: [{{ type: kubernetes_logs, path: {node.pods}, containers_path: {work / 'links'} }}]
outputs: [{{ type: file, path: {node.out}, max_delay: 20ms }}]
""")
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))) if descriptors else None
        self.log = open(work / "agent.log", "ab")
        self.begin = time.monotonic()
        self.process = subprocess.Popen([binary, "run", "--config", str(config)], stderr=self.log, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, preexec_fn=limit)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def messages(path, start=0):
    """The records' messages from a byte on; the output is appended to."""
    if not path.exists():
        return []
    with open(path, "rb") as file:
        file.seek(start)
        return [json.loads(line)["message"] for line in file.read().split(b"\n")[:-1]]


def wait(condition, seconds=300, step=0.005):
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > seconds:
            return None
        time.sleep(step)
    return time.monotonic()


def measure(args, containers):
    work = pathlib.Path(tempfile.mkdtemp(prefix="sluice-containers-", dir=args.work))
    try:
        node = Node(work, containers)
        size = lambda: node.out.stat().st_size if node.out.exists() else 0
        agent = Agent(args.sluice, work, node, args.descriptors)
        first = wait(lambda: size() > 0)
        fresh = node.folder(0, "fresh")
        fresh.mkdir(parents=True)
        (fresh / "0.log").write_text(cri("fresh", 1))
        written = time.monotonic()
        found = wait(lambda: b'"fresh"' in node.out.read_bytes())
        lines = lambda: node.out.read_bytes().count(b"\n")
        last = wait(lambda: lines() >= containers * LINES + 1, step=0.1)
        begin = agent.begin
        agent.stop()
        before = size()
        agent = Agent(args.sluice, work, node, args.descriptors)
        with open(node.folder(containers // 2) / "0.log", "a") as file:
            file.write(cri("resumed", 2))
        resumed = wait(lambda: size() > before)
        took = resumed - agent.begin
        time.sleep(15)
        cpu, since = agent.cpu(), time.monotonic()
        time.sleep(args.seconds)
        idle = (agent.cpu() - cpu) * 60 / (time.monotonic() - since)
        files, memory = agent.open_files(), agent.memory()
        agent.stop()
        got = messages(node.out)
        wanted = {f"{number} {line}" for number in range(containers) for line in range(LINES)} | {"fresh", "resumed"}
        fault = f"{len(wanted - set(got))} missing, {len(got) - len(set(got))} doubled"
        show = lambda moment: "-" if moment is None else f"{moment:.2f} s"
        print(f"{containers:>8}{show(first - begin):>12}{show(found - written):>12}{show(last and last - begin):>12}{show(took):>12}"
              f"{idle:>9.2f} s{memory:>8.0f} MiB{files:>8}   {fault}", flush=True)
        return set(got) == wanted and len(got) == len(wanted)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", default=str(ROOT / ".build/release/sluice"))
    parser.add_argument("--containers", default="3000,12000,20000")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--descriptors", type=int, default=0)
    parser.add_argument("--work", default=None)
    args = parser.parse_args()
    print(f"{'logs':>8}{'first line':>12}{'new pod':>12}{'all':>12}{'resumed':>12}{'CPU/min':>11}{'memory':>12}{'files':>8}")
    return 0 if all([measure(args, int(count)) for count in args.containers.split(",")]) else 1


sys.exit(main())
