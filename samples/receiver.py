#!/usr/bin/env python3
"""Takes what the output `http` sends into an SQLite database, each record once: receiver.py [ADDRESS:]PORT FILE.db

It listens on this machine only unless an ADDRESS is given; 0.0.0.0 is every machine that reaches this one.

A repeat has the Idempotency-Key of its first attempt (docs/delivery.md). Key and records are written in one transaction, so
that a crash between them cannot part them, and are on the disk before the answer goes out."""
import gzip, json, sqlite3, sys, threading, zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

db, lock = sqlite3.connect(sys.argv[2], check_same_thread=False), threading.Lock()
db.executescript("""PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS taken (key TEXT PRIMARY KEY);
                    CREATE TABLE IF NOT EXISTS records (record TEXT)""")


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are used again

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the sender is gone, and it will come again: an empty body is valid gzip to Python
            self.close_connection = True
            return
        try:
            text = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
            records = [(line,) for line in text.decode().split("\n") if json.loads(line or "null")]
            with lock, db:
                db.execute("INSERT INTO taken VALUES (?)", (self.headers["Idempotency-Key"],))
                db.executemany("INSERT INTO records VALUES (?)", records)
            self.answer(200)
        except sqlite3.IntegrityError:
            self.answer(200)  # it is here already
        except sqlite3.Error as error:
            self.answer(503, str(error))  # the same request will come again
        except (OSError, EOFError, zlib.error, ValueError) as error:
            self.answer(400, str(error))  # the guilty record will be looked for

    def answer(self, status, words=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(words.encode())))
        self.end_headers()
        self.wfile.write(words.encode())


address, _, port = sys.argv[1].rpartition(":")
ThreadingHTTPServer((address or "127.0.0.1", int(port)), Receiver).serve_forever()
