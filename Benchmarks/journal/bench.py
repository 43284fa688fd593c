#!/usr/bin/env python3
"""Entries of a journal for each second of CPU time, store and gzip included, beside journalctl in the same rounds.

    bench.py [--sluice BINARY] [--entries 200000] [--rounds 5] [--work FOLDER]

The journal is like a node's (Tests/campaigns/made_journal.py, kind `node`). CPU time is that of the whole process, start included. `RSS`
is the most that a process had; most of it is the mapped journal, which the kernel takes back when it needs room: `own` is without it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def own_memory(pid):
    """Bytes of memory that belong to a process alone; 0 when it has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("RssAnon")), 0)


def measured(command):
    """CPU seconds, most resident bytes, most bytes of its own; the output is thrown away."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=subprocess.PIPE)
    most = 0
    errors = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    reader.start()
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        most = max(most, own_memory(process.pid))
        time.sleep(0.005)
    reader.join()
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{errors[0].decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, most


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sluice", default=ROOT / ".build/release/sluice", type=pathlib.Path)
    arguments.add_argument("--entries", default=200_000, type=int)
    arguments.add_argument("--rounds", default=5, type=int)
    arguments.add_argument("--work", type=pathlib.Path, help="a folder that stays")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(options, options.work or pathlib.Path(folder))


def run(options, work):
    work.mkdir(parents=True, exist_ok=True)
    journal = work / "journal" / "node"
    if not journal.exists():
        print(f"making a journal of {options.entries} entries")
        subprocess.run(
            [ROOT / "Tests/campaigns/made_journal.py", work / "journal", "node", "--entries", str(options.entries)],
            check=True, stdout=subprocess.DEVNULL)
    data = work / "data"

    def sluice(**settings):
        config = work / "sluice.yaml"
        config.write_text(json.dumps({
            "data_dir": str(data), "outputs": [{"type": "null"}],
            "inputs": [{"type": "journal", "path": str(journal), "start_at": "beginning", **settings}]}))
        subprocess.run(["rm", "-rf", data], check=True)
        return [options.sluice, "run", "--once", "--config", config]

    runs = {
        "sluice": lambda: sluice(),
        "sluice, fields: all": lambda: sluice(fields="all"),
        "sluice, units: [kubelet]": lambda: sluice(units=["kubelet"]),
        "journalctl -o json": lambda: ["journalctl", "-q", "-D", journal, "-o", "json"],
        "journalctl -o json -u kubelet": lambda: ["journalctl", "-q", "-D", journal, "-o", "json", "-u", "kubelet.service"],
        "journalctl -o export": lambda: ["journalctl", "-q", "-D", journal, "-o", "export"],
        "journalctl -o cat": lambda: ["journalctl", "-q", "-D", journal, "-o", "cat"],
    }
    results = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, command in runs.items():
            results[name].append(measured(command()))
    base = statistics.median(cpu for cpu, *_ in results["journalctl -o json"])
    print(f"{options.entries} entries, {sum(f.stat().st_size for f in journal.iterdir()) >> 20} MiB of journal, "
          f"{options.rounds} rounds, medians\n")
    print(f"{'':32}{'entries per CPU second':>24}{'against json':>14}{'RSS':>9}{'own':>9}")
    for name, rounds in results.items():
        cpu = statistics.median(cpu for cpu, *_ in rounds)
        rss = max(most for _, most, _ in rounds) >> 20
        own = max(own for *_, own in rounds) >> 20
        print(f"{name:32}{options.entries / cpu:24,.0f}{base / cpu:13.1f}x{rss:6} MB{own:6} MB")


if __name__ == "__main__":
    main()
