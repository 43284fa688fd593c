"""The agent under test: its folder, its configuration, and a look into its store with no code of its own."""

import io
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import zlib
from pathlib import Path

CONFIGURATION = """\
data_dir: {data}
inputs:
  - type: kubernetes_logs
    path: {pods}
    containers_path: {containers}
    start_at: beginning
    json: {json}
    parsers: []       # messages as they stand in the files, to be compared
outputs:
  - type: file
    name: file
    path: {output}
  - type: http
    name: http
    url: http://127.0.0.1:{port}/
    max_delay: 20ms
    retry: {{ initial: 20ms, max: 200ms }}
store: {{ max_size: 8GiB, history: 24h }}
"""


class Agent:
    """`sluice run` over a tree of pod logs, with everything it writes under one folder."""

    def __init__(self, sluice, home, pods, json_mode):
        self.sluice, self.home = Path(sluice).resolve(), Path(home).resolve()
        self.output, self.data, self.log = self.home / "out.ndjson", self.home / "data", self.home / "agent.log"
        self.configuration = self.home.parent / f"{self.home.name}.yaml"
        self.receiver = Receiver(self.home.parent / f"{self.home.name}.db")
        pods = Path(pods).resolve()
        quoted = {name: json.dumps(str(path)) for name, path in dict(
            data=self.data, pods=pods, containers=pods.parent / "containers", output=self.output).items()}
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(CONFIGURATION.format(json=json_mode, port=self.receiver.port, **quoted))

    def reset(self):
        """Forgets everything: the next start is a first one."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        self.receiver.reset()

    def start(self, *arguments):
        command = [self.sluice, "run", *arguments, "--config", self.configuration]
        with open(self.log, "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def last_words(self):
        return b"\n".join(self.log.read_bytes().splitlines()[-15:]).decode("utf-8", "replace")

    def segments(self):
        """The segments of the store, oldest first: their names are their first sequences."""
        return sorted(self.data.glob("store/0/*.ndjson.gz"))


class Receiver:
    """The receiver that the documentation recommends, beside the agent: it takes each key once."""

    PROGRAM = Path(__file__).resolve().parents[2] / "samples/receiver.py"

    def __init__(self, database):
        self.database, self.process = database, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def reset(self):
        """Forgets everything that it took."""
        self.stop()
        for path in self.database.parent.glob(self.database.name + "*"):
            path.unlink()
        log = open(self.database.with_suffix(".receiver.log"), "wb")
        self.process = subprocess.Popen(
            [sys.executable, self.PROGRAM, str(self.port), self.database], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise SystemExit("the receiver does not listen")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def lines(self):
        """Every record that it took, in the order in which it came."""
        with sqlite3.connect(self.database) as database:
            for (record,) in database.execute("SELECT record FROM records ORDER BY rowid"):
                yield record.encode() + b"\n"


def extra_field(header):
    """The subfields of a gzip member's header, by their two letters; nothing when the header is cut or has none."""
    if len(header) < 12 or header[:3] != b"\x1f\x8b\x08" or not header[3] & 4:
        return {}
    end, at, fields = 12 + int.from_bytes(header[10:12], "little"), 12, {}
    while at + 4 <= min(end, len(header)):
        length = int.from_bytes(header[at + 2:at + 4], "little")
        fields[header[at:at + 2]] = header[at + 4:at + 4 + length]
        at += 4 + length
    return fields


def chunks(data):
    """The whole chunks at the beginning of `data`: (offset of the end, inflated bytes) of each.

    Stops at a torn or foreign one. A chunk is a gzip member with a subfield SL; zlib checks its length and its CRC.
    """
    at, view, piece = 0, memoryview(data), 1 << 16
    while at < len(data):
        inflate, lines, fed = zlib.decompressobj(31), [], at
        try:
            while not inflate.eof and fed < len(data):
                lines.append(inflate.decompress(view[fed:fed + piece]))
                fed += piece
        except zlib.error:
            return
        if not inflate.eof or b"SL" not in extra_field(bytes(view[at:at + piece])):
            return
        at = min(fed, len(data)) - len(inflate.unused_data)
        yield at, b"".join(lines)


def stored_lines(segments):
    """Every line of the store in order. Raises ValueError at a byte that is not part of a whole chunk."""
    for path in segments:
        data, end = path.read_bytes(), 0
        for end, lines in chunks(data):
            yield from io.BytesIO(lines)  # cuts at newlines only
        if end != len(data):
            raise ValueError(f"{path.name}: {len(data) - end} bytes at {end} are no whole chunk")
