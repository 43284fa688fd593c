#!/usr/bin/env python3
"""Takes what the output `http` sends (NDJSON, gzip or plain) and appends it to a file, each record once.

    receiver.py PORT FILE

Repeats are known by their Idempotency-Key. Whole keys are remembered rather than the highest number: with `concurrency`
requests come in any order, and a record that was refused comes again after the one behind it (docs/delivery.md). The epoch is
part of the key: under another epoch the same numbers may be other records, and are taken.

FILE.keys has a line for each request that was taken: how long FILE is with it, and its key. What FILE holds beyond the last of
these lengths was never answered with 200: it is cut off, and comes again. FILE.keys grows by about 80 bytes a request.
"""
import gzip, json, os, sys, threading, zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class DurableFile:
    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self.size = os.fstat(self.file).st_size  # of what counts

    def append(self, data):
        os.ftruncate(self.file, self.size)  # a failure or a crash may have left something
        if os.pwrite(self.file, data, self.size) != len(data):
            raise OSError("no room for all of it")
        os.fsync(self.file)
        self.size += len(data)


port, path = int(sys.argv[1]), os.path.abspath(sys.argv[2])
records, keys, lock = DurableFile(path), DurableFile(path + ".keys"), threading.Lock()
os.fsync(os.open(os.path.dirname(path), os.O_RDONLY))  # their names
found = os.pread(keys.file, keys.size, 0)
keys.size = found.rfind(b"\n") + 1
taken = [line.split(b" ", 1) for line in found[:keys.size].splitlines()]
if taken:
    records.size = min(records.size, int(taken[-1][0]))
else:
    keys.append(b"%d -\n" % records.size)  # what stands there before the first request stays
seen = {key for _, key in taken}


def take(key, text):
    with lock:  # also makes a repeat wait for its first attempt
        if key != b"-" and key in seen:
            return 200, "taken already"
        before = records.size
        try:
            records.append(text)
            keys.append(b"%d %s\n" % (records.size, key))
        except OSError as error:
            records.size = before
            os.ftruncate(keys.file, keys.size)
            return 503, str(error)
        seen.add(key)
        return 200, "taken"


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are used again

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # the sender is gone
            return
        try:
            text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            *lines, rest = text.split(b"\n")
            if rest or not lines:
                raise ValueError("the last line has no end")
            for line in lines:
                json.loads(line)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            status, words = 400, str(error)
        else:
            status, words = take(self.headers.get("Idempotency-Key", "-").encode("latin-1"), text)
        self.send_response(status)
        self.send_header("Content-Length", str(len(words.encode())))
        self.end_headers()
        self.wfile.write(words.encode())

    do_PUT = do_POST


ThreadingHTTPServer(("", port), Receiver).serve_forever()
