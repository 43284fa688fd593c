#!/usr/bin/env python3
"""What must come of a node's container logs, computed from the files themselves, and what did come.

    truth.py expect PODS             streams of a tree of pod logs, with their lines and characters
    truth.py check PODS FILE...      compares with NDJSON (.gz too; - for stdin) that keeps messages whole (json: off)

A stream is (namespace, pod, uid, container, restarts, stdout or stderr), read over its rotated and compressed files, oldest
first, pieces of split lines joined. Each of its lines has to come once, in order, with its last piece's time. Bytes that are
not UTF-8 are compared after replacement. Exits with 1 when anything is lost, extra, out of order, or wrong.
"""

import argparse
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

LOG_NAME = re.compile(r"(\d+)\.log(?:\.(\d{8}-\d{6})(\.gz)?)?")


def read(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def lives(folder):
    """The files of each of a container's lives, oldest first: {restarts: [path, ...]}."""
    found = defaultdict(list)
    for path in folder.iterdir():
        if match := LOG_NAME.fullmatch(path.name):
            restarts, rotated, _ = match.groups()
            found[int(restarts)].append((rotated or "~", path.name, path))  # "~" comes after every digit
    return {restarts: [path for *_, path in sorted(files)] for restarts, files in sorted(found.items())}


def joined(files):
    """The lines of one life: (stream, time, message), pieces joined over the ends of files."""
    pending = {}
    for path in files:
        for line in read(path).split(b"\n"):
            fields = line.split(b" ", 3)
            if len(fields) < 4:
                continue
            time, stream, tag, piece = fields
            time, message = pending.pop(stream, (time, b""))
            if tag.startswith(b"P"):
                pending[stream] = (time, message + piece)
            else:
                yield stream, fields[0], message + piece  # it was there when its last piece was
    for stream, (time, message) in pending.items():  # no newline ever came
        yield stream, time, message


def expected(pods):
    """{stream: [(message, time), ...]} of everything on disk under `pods`."""
    want = defaultdict(list)
    for folder in sorted(Path(pods).glob("*_*_*/*/")):
        namespace, pod, uid = folder.parent.name.split("_", 2)
        for restarts, files in lives(folder).items():
            for stream, time, message in joined(files):
                key = (namespace, pod, uid, folder.name, restarts, stream.decode())
                want[key].append((message.decode("utf-8", "replace"), time.decode()))
    return dict(want)


def delivered(lines):
    """The same of NDJSON lines, and how many of them are no JSON objects."""
    got, broken = defaultdict(list), 0
    for line in lines:
        try:
            record = json.loads(line)
            pod = record.get("kubernetes", {})
        except (ValueError, AttributeError):
            broken += 1
            continue
        key = tuple(pod.get(k) for k in ("namespace_name", "pod_name", "pod_uid", "container_name", "restart_count"))
        got[(*key, record.get("stream"))].append((record.get("message"), record.get("time")))
    return dict(got), broken


def instant(time):
    """A time without the zeros that one writer keeps and another drops."""
    return re.sub(r"\.?0*Z$", "Z", time) if time and "." in time else time


class Verdict:
    """The comparison of what must come (`want`) with the NDJSON lines that came."""

    def __init__(self, want, lines):
        got, self.broken = delivered(lines)
        self.lines, self.streams = sum(map(len, want.values())), len(want)
        self.lost = self.extra = self.disordered = self.mistimed = 0
        self.notes = []
        for key in [*want, *(key for key in got if key not in want)]:
            self._compare(key, want.get(key, []), got.get(key, []))

    def _compare(self, key, want, got):
        written, came = Counter(m for m, _ in want), Counter(m for m, _ in got)
        lost, extra = (written - came).total(), (came - written).total()
        disordered = mistimed = 0
        if not lost and not extra:
            disordered = int([m for m, _ in want] != [m for m, _ in got])
            mistimed = sum(a == b and instant(s) != instant(t) for (a, s), (b, t) in zip(want, got))
        if lost or extra or disordered or mistimed:
            self.notes.append(f"{key}: written {len(want)}, came {len(got)}: lost {lost}, extra {extra}"
                              + ", out of order" * disordered + f", wrong times {mistimed}")
        self.lost += lost
        self.extra += extra
        self.disordered += disordered
        self.mistimed += mistimed

    @property
    def good(self):
        return self.lines > 0 and not (self.lost or self.extra or self.disordered or self.mistimed or self.broken)

    def __str__(self):
        summary = (f"{self.lines} lines of {self.streams} streams: lost {self.lost}, extra {self.extra}, streams out of order "
                   f"{self.disordered}, wrong times {self.mistimed}, broken JSON lines {self.broken}")
        return "\n".join([*self.notes, summary])


def lines_of(names):
    for name in names:
        if name == "-":
            yield from sys.stdin.buffer
        else:
            with gzip.open(name) if name.endswith(".gz") else open(name, "rb") as file:
                yield from file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["expect", "check"])
    parser.add_argument("pods", type=Path)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    want = expected(options.pods)
    if options.command == "expect":
        for key, lines in want.items():
            print("/".join(map(str, key)), len(lines), sum(len(message) for message, _ in lines))
        print("total", sum(map(len, want.values())))
        return 0
    verdict = Verdict(want, lines_of(options.files))
    print(verdict)
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
