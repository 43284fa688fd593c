#!/usr/bin/env python3
"""Compares the records that were made of a journal with what journalctl reads of it: entries, order, times, every field's value.

    journal_diff.py --journal /var/log/journal DATA/store/0/*.ndjson.gz
    journal_diff.py --journal node.journal --journalctl-args "-u kubelet.service -p err" out.ndjson

journalctl -o export is what is compared with: as the only one of its formats it has all bytes of all fields in the journal's
order. Records: NDJSON, as files or segments of a store in their order, of an input with `json: off`, `parsers: []` and
`fields: all` (or --fields). Both are read as streams; only a hash of each entry is kept. Exits with 1 at any difference.
"""

import argparse
import gzip
import io
import json
import re
import shlex
import subprocess
import sys
from array import array
from collections import Counter, defaultdict
from datetime import datetime, timezone
from pathlib import Path

from made_journal import COREDUMP, PRIORITIES

KNOWN = {"_SYSTEMD_UNIT": "unit", "SYSLOG_IDENTIFIER": "identifier", "_PID": "pid", "PRIORITY": "priority", "_TRANSPORT": "transport", "_BOOT_ID": "boot_id"}
TAKEN = {*KNOWN.values(), "node_name"}
NUMBERS = {"_PID", "PRIORITY", "SYSLOG_FACILITY", "CODE_LINE"}
NUMBER = re.compile(rb"0|[1-9][0-9]{0,14}")  # what every receiver of JSON can hold
ADDRESSES = {"__CURSOR", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID"}


def entries(stream):
    """The entries of an export stream: each a list of names and values, its addresses among them."""
    fields = []
    while line := stream.readline():
        if line == b"\n":
            if fields:
                yield fields
            fields = []
        elif b"=" in line:
            name, value = line[:-1].split(b"=", 1)
            fields.append((name.decode(), value))
        else:
            size = int.from_bytes(stream.read(8), "little")
            fields.append((line[:-1].decode(), stream.read(size)))
            stream.read(1)
    if fields:
        yield fields


class Journalctl:
    """What journalctl reads: an iterable of entries, as often as it is asked."""

    def __init__(self, journal, arguments=()):
        where = ["--file" if path.is_file() else "-D" for path in journal]
        self.command = ["journalctl", "--quiet", "--merge", "-o", "export", *(part for pair in zip(where, journal) for part in pair), *arguments]

    def __iter__(self):
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, bufsize=1 << 20) as process:
            yield from entries(process.stdout)
        if process.returncode:
            raise SystemExit(f"{shlex.join(map(str, self.command))} failed: {process.returncode}")


class Wanted:
    """The records that entries have to become: an iterable, as often as the entries are one."""

    def __init__(self, journal, fields="all", audit=False, node=None, max_field=1 << 20):
        self.journal, self.all, self.names, self.audit, self.node = journal, fields == "all", set(fields.split(",")), audit, node
        self.max_field = max_field

    def __iter__(self):
        for fields in self.journal:
            values = defaultdict(list)
            for name, value in fields:
                values[name].append(value)
            if self.audit or values.get("_TRANSPORT") != [b"audit"]:
                yield self.record(values)

    def record(self, values):
        """The record of an entry, given as a list of values for each name."""
        self.marks = set()
        microseconds = int(values["__REALTIME_TIMESTAMP"][0])
        moment = datetime.fromtimestamp(microseconds // 1_000_000, timezone.utc)
        record = {"time": f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds % 1_000_000:06}000Z", "origin": "journal", "journal": {}}
        priority = values.get("PRIORITY", [b""])[0]
        if priority.isdigit() and int(priority) < len(PRIORITIES):
            record["severity"] = PRIORITIES[int(priority)]
        # Of an entry without MESSAGE the record has an empty one, or none: both say the same.
        record["message"] = self.text(values.get("MESSAGE", [b""])[0])
        about = self.about(values)
        for name, found in values.items():
            if name in ADDRESSES or not self.all and name not in KNOWN and name not in self.names:
                continue
            key = KNOWN.get(name) or name.lower() + "_" * (name.lower() in TAKEN)
            if name == "MESSAGE":
                found = found[1:]
            elif name == "_SYSTEMD_UNIT" and about:
                key = "_systemd_unit"
            if found:
                found = [self.value(name, value) for value in found]
                record["journal"][key] = found if len(found) > 1 else found[0]
        if about:
            record["journal"]["unit"] = self.text(values[about][0])
        if self.node is not None:
            record["journal"]["node_name"] = self.node
        if self.marks:
            record["sluice"] = sorted(self.marks, reverse=True)  # truncated, invalid_text
        return record

    def about(self, values):
        """The field with the unit that an entry of somebody else is about, as `journalctl -u` sees it; None when it speaks for itself."""
        is_root = b"0" in values.get("_UID", [])
        if b"1" in values.get("_PID", []) and "UNIT" in values:
            return "UNIT"
        if is_root and COREDUMP.encode() in values.get("MESSAGE_ID", []) and "COREDUMP_UNIT" in values:
            return "COREDUMP_UNIT"
        return "OBJECT_SYSTEMD_UNIT" if is_root and "OBJECT_SYSTEMD_UNIT" in values else None

    def value(self, name, value):
        return int(value) if name in NUMBERS and NUMBER.fullmatch(value) else self.text(value)

    def text(self, value):
        if len(value) > self.max_field:
            self.marks.add("truncated")
            value = self.cut(value)
        try:
            return value.decode()
        except UnicodeDecodeError:
            self.marks.add("invalid_text")
            return value.decode(errors="replace")

    def cut(self, value):
        """As much as is kept, but no part of a character."""
        starts = [end for end in range(self.max_field, self.max_field - 4, -1) if value[end] & 0xC0 != 0x80]
        return value[:starts[0] if starts else self.max_field]


class Stored:
    """The records in files: an iterable, as often as it is asked. `static`: members that every record has to have, and are left out."""

    def __init__(self, paths, static={}, node=None):
        self.paths, self.static, self.node = paths, static, node

    def __iter__(self):
        for path in self.paths:
            with gzip.open(path) if str(path).endswith(".gz") else open(path, "rb") as file:
                for line in io.BufferedReader(file, 1 << 20):
                    yield self.record(line)

    def record(self, line):
        def unique(pairs):
            if len(dict(pairs)) < len(pairs):
                raise ValueError("a member twice")
            return dict(pairs)

        try:
            record = json.loads(line.decode(), object_pairs_hook=unique)
            for name, value in self.static.items():
                if record.pop(name, None) != value:
                    raise ValueError(f"not the static field {name}")
            record.setdefault("message", "")
            if self.node is None:
                record["journal"].pop("node_name", None)
            return record
        except (ValueError, KeyError, AttributeError, TypeError) as problem:
            return {"message": f"NO RECORD OF A JOURNAL ({problem}): {line[:200]!r}"}


def address(record):
    """What tells an entry from others."""
    return hash((record.get("time"), record.get("journal", {}).get("boot_id"), record.get("message")))


def content(record):
    return hash(json.dumps(record, sort_keys=True))


def differences(want, got, path=""):
    """Where two records differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        return [found for key in sorted({*want, *got}) for found in differences(want.get(key), got.get(key), f"{path}.{key}")]
    return [] if type(want) is type(got) and want == got else [f"{path[1:]}: {shown(want)}, came {shown(got)}"]


def shown(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 150 else f"{text[:100]}...{text[-30:]} ({len(text)} characters)"


class Comparison:
    """The entries that must come and the records that came, each an iterable that can be read twice."""

    def __init__(self, want, got):
        self.want, self.got = want, got
        wanted, came = self._scan(want), self._scan(got)
        self.entries, self.records = len(wanted[0]), len(came[0])
        self.lost, self.extra, self.disordered, self.wrong = Counter(), Counter(), 0, []
        if wanted != came:
            self._find(wanted, came)

    @staticmethod
    def _scan(records):
        """The hashes of all records: of their addresses, and of all of them."""
        addresses, contents = array("q"), array("q")
        for record in records:
            addresses.append(address(record))
            contents.append(content(record))
        return addresses, contents

    def _find(self, wanted, came):
        self.lost, self.extra = Counter(wanted[0]) - Counter(came[0]), Counter(came[0]) - Counter(wanted[0])
        # What both have, in the order of each: the n-th of an address belongs to the n-th of the same address.
        common = Counter(wanted[0]) & Counter(came[0])
        ours, theirs = self._places(wanted[0], common), self._places(came[0], common)
        self.disordered = sum(wanted[0][a] != came[0][b] for a, b in zip(sorted(ours.values()), sorted(theirs.values())))
        self.wrong = [(place, theirs[key]) for key, place in ours.items() if wanted[1][place] != came[1][theirs[key]]]

    @staticmethod
    def _places(addresses, common):
        seen, places = Counter(), {}
        for place, key in enumerate(addresses):
            if seen[key] < common[key]:
                places[key, seen[key]] = place
                seen[key] += 1
        return places

    @property
    def good(self):
        return self.entries > 0 and not (self.lost or self.extra or self.disordered or self.wrong)

    def __str__(self):
        return (f"{self.entries} entries, {self.records} records: lost {self.lost.total()}, extra {self.extra.total()}, "
                f"out of order {self.disordered}, wrong {len(self.wrong)}")

    def details(self, count):
        """The first differences of each kind."""
        wrong = self.wrong[:count]
        ours, theirs = self._pick(self.want, self.lost, count, {a for a, _ in wrong}), self._pick(self.got, self.extra, count, {b for _, b in wrong})
        lines = [f"lost:  entry {place}: {record['time']} {shown(record['message'])}" for place, record in ours[0]]
        lines += [f"extra: record {place}: {record.get('time')} {shown(record['message'])}" for place, record in theirs[0]]
        for a, b in wrong:
            record = ours[1][a]
            lines.append(f"wrong: entry {a}, record {b}: {record['time']} {shown(record['message'])}")
            lines += [f"         {difference}" for difference in differences(record, theirs[1][b])]
        return lines

    @staticmethod
    def _pick(records, odd, count, places):
        """The first records whose address is an odd one, and those at the places."""
        odd, first, picked = Counter(odd), [], {}
        for place, record in enumerate(records if odd or places else ()):
            if place in places:
                picked[place] = record
            if odd and len(first) < count and odd[key := address(record)] > 0:
                odd[key] -= 1
                first.append((place, record))
        return first, picked


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journal", type=Path, required=True, action="append", help="a folder, or a file; repeat it for several files")
    parser.add_argument("--journalctl-args", default="", metavar="ARGUMENTS", help="which entries: -u, -t, -p, -b, --since ...")
    parser.add_argument("--fields", default="all", help="the names of fields that the input keeps beside the known ones (default: all)")
    parser.add_argument("--max-field", type=int, default=1 << 20, help="bytes of a field that the input keeps (default 1 MiB)")
    parser.add_argument("--audit", action="store_true", help="the input keeps audit entries")
    parser.add_argument("--node", help="the node_name that records must have (default: any)")
    parser.add_argument("--static", action="append", default=[], metavar="NAME=VALUE", help="a static field of text that records must have")
    parser.add_argument("--show", type=int, default=5, help="differences of each kind (default 5)")
    parser.add_argument("records", nargs="+", help="NDJSON, .gz too")
    options = parser.parse_args()
    journal = Journalctl(options.journal, shlex.split(options.journalctl_args))
    want = Wanted(journal, options.fields, options.audit, options.node, options.max_field)
    comparison = Comparison(want, Stored(options.records, dict(pair.split("=", 1) for pair in options.static), options.node))
    print(comparison)
    for line in comparison.details(options.show):
        print(line)
    return 0 if comparison.good else 1


if __name__ == "__main__":
    sys.exit(main())
