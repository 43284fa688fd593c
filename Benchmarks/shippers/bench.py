#!/usr/bin/env python3
"""Runs log shippers against a generated node tree and an HTTP sink, and measures them.

See README.md. Python 3.9+, standard library only.
"""
import argparse, http.client, json, os, platform, re, resource, shlex, shutil, signal, statistics, subprocess, sys, threading, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6

# ---- scenarios ------------------------------------------------------------------------------------
# data: profile:PODSxMB.  output: http | file | null.  kind: how it is run.
SCENARIOS = {
    "catchup-http-gzip": dict(kind="catchup", data="json:20x20", output="http", gzip=True, help="tail from the start, CRI, path metadata, JSON merge, gzip JSON lines over HTTP"),
    "catchup-http-gzip-disk": dict(kind="catchup", data="json:20x20", output="http", gzip=True, disk=True, help="the same with the agent's on-disk buffer"),
    "catchup-http": dict(kind="catchup", data="json:20x20", output="http", help="the same without gzip"),
    "catchup-file": dict(kind="catchup", data="json:20x20", output="file", help="JSON lines to a local file"),
    "catchup-null": dict(kind="catchup", data="json:20x20", output="null", help="the agent's null output: read, parse, enrich only"),
    "catchup-raw-null": dict(kind="catchup", data="json:20x20", output="null", raw=True, help="null output, no JSON merge"),
    "catchup-mixed": dict(kind="catchup", data="mixed:20x20", output="http", gzip=True, help="as catchup-http-gzip, mixed text and JSON"),
    "catchup-plain": dict(kind="catchup", data="plain:20x20", output="http", gzip=True, help="as catchup-http-gzip, nginx and klog text"),
    "live-5k": dict(kind="live", rate=5000, seconds=30, output="http", gzip=True, help="5000 records/s over all pods, each file rotated 4 times"),
    "live-20k": dict(kind="live", rate=20000, seconds=30, output="http", gzip=True, help="20000 records/s"),
    "live-50k": dict(kind="live", rate=50000, seconds=30, output="http", gzip=True, help="50000 records/s"),
    "live-ramp": dict(kind="live", rate=5000, ramp_to=100000, seconds=40, output="http", gzip=True, help="5000 rising to 100000 records/s"),
    "outage": dict(kind="outage", rate=5000, seconds=60, output="http", gzip=True, disk=True, help="live, the destination refuses connections from 15 s to 35 s"),
    "errors": dict(kind="live", rate=5000, seconds=30, output="http", gzip=True, disk=True, fault="status=503&pct=10", help="live, 10 % of the requests answered 503"),
    "backlog-store": dict(kind="backlog", rate=60000, seconds=100, output="http", gzip=True, disk=True, help="live, the destination is away all the time: 2 GB wait in the agent when it comes back"),
    "backlog-files": dict(kind="backlog", data="json:20x100", output="http", gzip=True, disk=True, help="2 GB wait in files that nobody has read; a quiet pod writes meanwhile"),
    "kill9": dict(kind="kill", data="json:20x20", output="http", gzip=True, disk=True, help="kill -9 when 40 % has arrived, start again"),
    "idle": dict(kind="idle", data="json:1000x0.01", seconds=30, output="http", gzip=True, help="1000 files, nothing written, 30 s"),
    "many-files": dict(kind="catchup", data="json:2000x0.05", output="http", gzip=True, help="2000 pods of 50 KB, catch-up"),
}

# ---- processes ------------------------------------------------------------------------------------
class Tree:
    """CPU, memory and I/O of a process and its descendants, from /proc."""

    def __init__(self, pid):
        self.root, self.pids, self.cpu, self.hwm, self.io, self.ctx = pid, [pid], {}, {}, {}, {}
        self.peak_rss = self.peak_anon = 0.0
        self.scanned = 0.0

    def scan(self):
        kids = {}
        for d in os.listdir("/proc"):
            if d.isdigit():
                try:
                    f = open(f"/proc/{d}/stat").read()
                    kids.setdefault(int(f[f.rindex(")") + 2:].split()[1]), []).append(int(d))
                except (OSError, ValueError):
                    pass
        self.pids, todo = [], [self.root]
        while todo:
            p = todo.pop()
            self.pids.append(p)
            todo += kids.get(p, [])
        self.scanned = time.monotonic()

    def sample(self, full=True):
        if time.monotonic() - self.scanned > 0.5:
            self.scan()
        rss = anon = 0.0
        for p in self.pids:
            try:
                f = open(f"/proc/{p}/stat").read()
                f = f[f.rindex(")") + 2:].split()
                self.cpu[p] = (int(f[11]) / TICK, int(f[12]) / TICK)
                if full:
                    s = open(f"/proc/{p}/status").read()
                    v = {k: int(n) for k, n in re.findall(r"(VmHWM|VmRSS|RssAnon):\s+(\d+)", s)}
                    self.hwm[p] = v.get("VmHWM", 0) / 1024
                    rss += v.get("VmRSS", 0) / 1024
                    anon += v.get("RssAnon", 0) / 1024
            except (OSError, ValueError, IndexError):
                pass
        if full:
            self.peak_rss, self.peak_anon = max(self.peak_rss, rss), max(self.peak_anon, anon)
            self.rss = rss
        return self.total()

    def total(self):
        return sum(u + s for u, s in self.cpu.values())

    def finish(self):
        """Counters that are only read once, just before the process is stopped."""
        self.sample()
        ctx = io_r = io_w = threads = 0
        for p in self.pids:
            try:
                for t in os.listdir(f"/proc/{p}/task"):
                    threads += 1
                    ctx += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", open(f"/proc/{p}/task/{t}/status").read()))
                io = dict(re.findall(r"(\w+): (\d+)", open(f"/proc/{p}/io").read()))
                io_r, io_w = io_r + int(io["rchar"]), io_w + int(io["wchar"])
            except (OSError, KeyError):
                pass
        return dict(context_switches=ctx, threads=threads, read_mb=io_r / 1e6, written_mb=io_w / 1e6,
                    user_s=sum(u for u, _ in self.cpu.values()), system_s=sum(s for _, s in self.cpu.values()))


def pinned(cmd, core):
    return ["taskset", "-c", str(core)] + cmd if core is not None else cmd


def stop(proc, sig=signal.SIGTERM, wait=15):
    """Signals a process, waits for it, and kills what it leaves behind in its group (children of a wrapper script)."""
    if proc.poll() is None:
        proc.send_signal(sig)
        try:
            proc.wait(wait)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
    try:
        os.killpg(proc.pid, signal.SIGKILL)
    except OSError:
        pass


class Sink:
    def __init__(self, cfg):
        self.port = cfg.port
        self.proc = subprocess.Popen(pinned([str(HERE / "bin/sink"), "--port", str(cfg.port)], cfg.sink_core), start_new_session=True)
        for _ in range(100):
            time.sleep(0.05)
            if self.proc.poll() is not None:
                break
            try:
                self.ask("GET", "/stats")
                return
            except OSError:
                pass
        raise SystemExit("the sink does not run: are the port and the next one free?")

    def ask(self, method, path):
        c = http.client.HTTPConnection("127.0.0.1", self.port + 1, timeout=30)
        try:
            c.request(method, path)
            return c.getresponse().read()
        finally:
            c.close()

    def stats(self, streams=False):
        return json.loads(self.ask("GET", "/stats" + ("?streams=1" if streams else "")))

    def control(self, q):
        self.ask("POST", "/control?" + q)

    def close(self):
        stop(self.proc)


# ---- agents ---------------------------------------------------------------------------------------
def render(text, var, flags):
    """@NAME@ is replaced; lines between "@if flag@" (or "@if !flag@") and "@end@" are kept if it holds."""
    lines, keep = [], [True]
    for line in text.splitlines():
        m = re.fullmatch(r"\s*@(?:if (!?)(\w+)|end)@\s*", line)
        if not m:
            if all(keep):
                lines.append(line)
        elif m[2]:
            keep.append((m[2] in flags) != (m[1] == "!"))
        else:
            keep.pop()
    return re.sub(r"@([A-Z_]+)@", lambda m: str(var[m[1]]), "\n".join(lines) + "\n")


class Agent:
    def __init__(self, name):
        self.name = name
        self.d = json.loads((HERE / "agents" / f"{name}.json").read_text())
        exe, *rest = shlex.split(os.environ.get(self.d["env"], "")) or [""]
        self.cmd = shlex.join([str(Path(exe).resolve()) if "/" in exe else exe, *rest]) if exe else ""  # it runs elsewhere

    def why_not(self, sc):
        if not self.cmd:
            return f"{self.d['env']} is not set"
        exe = shlex.split(self.cmd)[0]
        if not shutil.which(exe):
            return f"{exe} is not to be found"
        if sc:
            if sc["output"] not in self.d["outputs"]:
                return f"has no {sc['output']} output here"
            for f in ("disk", "raw"):
                if sc.get(f) and f not in self.d.get("can", []):
                    return f"has no '{f}' variant here"
        return None

    def version(self):
        if not self.d.get("version"):
            return ""
        try:
            r = subprocess.run(shlex.split(self.cmd) + self.d["version"], capture_output=True, text=True, timeout=30)
            return (r.stdout + r.stderr).strip().splitlines()[0][:120]
        except (OSError, IndexError, subprocess.TimeoutExpired):
            return "?"

    def start(self, cfg, sc, logs, run, fresh=True):
        conf, state, out = run / "conf", run / "state", run / "out"
        if fresh:
            shutil.rmtree(run, ignore_errors=True)
            for d in (conf, state, out):
                d.mkdir(parents=True)
        var = dict(LOGS=logs, LOGTAG=str(logs).strip("/").replace("/", "."), STATE=state, OUT=out, CONF=conf, PORT=cfg.port,
                   SLASHES=str(logs).count("/"))
        flags = {sc["output"]} | {f for f in ("gzip", "disk", "raw") if sc.get(f)} | set(self.d.get("flags", []))
        for dst, src in self.d["files"].items():
            (conf / dst).write_text(render((HERE / "agents" / src).read_text(), var, flags))
        cmd = shlex.split(render(self.cmd, var, flags)) + [render(a, var, flags).strip() for a in self.d["args"]]
        log = open(run / "agent.log", "a")
        env = dict(os.environ, **{k: render(v, var, flags).strip() for k, v in self.d.get("environ", {}).items()})
        return subprocess.Popen(pinned(cmd, cfg.agent_core), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=run, env=env, start_new_session=True)


# ---- data -----------------------------------------------------------------------------------------
def tree(cfg, spec):
    """A static tree for 'profile:PODSxMB', made once and kept under --work."""
    profile, size = spec.split(":")
    pods, mb = size.split("x")
    d = cfg.work / "data" / spec.replace(":", "-")
    if not (d / "manifest.json").exists():
        shutil.rmtree(d, ignore_errors=True)
        subprocess.run([HERE / "bin/loggen", "static", "--dir", d, "--pods", pods, "--mb", mb, "--profile", profile], check=True, stdout=subprocess.DEVNULL)
    man = json.loads((d / "manifest.json").read_text())
    for f in (d / "pods").rglob("*.log"):  # the page cache, not the disk, is what is read in every run
        with open(f, "rb") as h:
            while h.read(1 << 22):
                pass
    return d, man


def result(sc, man, st, wall, cpu, t, extra):
    mb = man["bytes"] / 1e6
    r = dict(wall_s=wall, mb=mb, mb_per_s=mb / wall if wall > 0 else 0, cpu_s=cpu, mb_per_cpu_s=mb / cpu if cpu else 0,
             records_per_cpu_s=man["records"] / cpu if cpu else 0, peak_rss_mb=max(sum(t.hwm.values()), t.peak_rss), peak_anon_mb=t.peak_anon)
    if st:
        r.update(lost=man["records"] - st["unique"], lost_continuations=max(0, man["continuation_lines"] - st["unnumbered"]), duplicated=st["duplicates"],
                 out_of_order=st["out_of_order"], delivered_mb=st["body_bytes"] / 1e6, wire_mb=st["wire_bytes"] / 1e6, requests=st["requests"],
                 repeated_keys=st["repeated_keys"], merged=st["merged"], sink_cpu_s=st["cpu_s"], no_stream=st["no_stream"], connections=st["connections"])
    r.update(extra)
    return r


def wait_all(cfg, sink, t, want, stall, until=None):
    """Polls until the sink has every record, or nothing has come for `stall` seconds."""
    last, moved = -1, time.monotonic()
    while True:
        cpu = t.sample()
        st = sink.stats()
        if st["unique"] >= want["records"] and st["unnumbered"] >= want["continuation_lines"]:
            return st, cpu, True
        if until and until(st):
            return st, cpu, False
        now = st["records"]
        if now != last:
            last, moved = now, time.monotonic()
        elif time.monotonic() - moved > stall:
            return st, cpu, False
        if t.dead():
            return sink.stats(), cpu, False
        time.sleep(0.05)


def watch(proc):
    t = Tree(proc.pid)
    t.dead = lambda: proc.poll() is not None
    return t


def catchup(cfg, agent, sc, run):
    logs, man = tree(cfg, sc["data"])
    sink = Sink(cfg) if sc["output"] == "http" else None
    t0, m0 = time.time_ns(), time.monotonic()
    proc = agent.start(cfg, sc, logs, run)
    try:
        t = watch(proc)
        if sink:
            st, cpu, ok = wait_all(cfg, sink, t, man, cfg.stall)
            wall = max(0.0, (st["last_ns"] - t0) / 1e9)
        else:  # no destination to ask: done when the agent has used under 2 % of a core for 3 s
            marks, st, ok = [], None, False
            while not t.dead() and time.monotonic() - m0 < 600:
                now, cpu = time.monotonic() - m0, t.sample()
                marks.append((now, cpu))
                old = [m for m in marks if m[0] <= now - 3]
                if old and cpu > 0.1 and cpu - old[-1][1] < 0.06:
                    ok = True
                    break
                time.sleep(0.05)
            wall = next((m[0] for m in marks if m[1] >= cpu - 0.03), now)
        extra = dict(complete=ok, **t.finish())
        if sc["output"] == "file":
            stop(proc)
            files = [str(f) for f in (run / "out").rglob("*") if f.is_file()]
            if files:
                st = json.loads(subprocess.run([HERE / "bin/sink", "--scan"] + files, capture_output=True, text=True, check=True).stdout)
        return result(sc, man, st, wall, cpu, t, extra)
    finally:
        stop(proc)
        if sink:
            sink.close()


def kill(cfg, agent, sc, run):
    logs, man = tree(cfg, sc["data"])
    sink = Sink(cfg)
    t0 = time.time_ns()
    proc = agent.start(cfg, sc, logs, run)
    try:
        t = watch(proc)
        st, cpu1, _ = wait_all(cfg, sink, t, man, cfg.stall, until=lambda s: s["unique"] >= 0.4 * man["records"])
        at = st["unique"]
        stop(proc, signal.SIGKILL)
        time.sleep(1)
        proc = agent.start(cfg, sc, logs, run, fresh=False)
        t = watch(proc)
        st, cpu2, ok = wait_all(cfg, sink, t, man, cfg.stall)
        return result(sc, man, st, (st["last_ns"] - t0) / 1e9, cpu1 + cpu2, t, dict(complete=ok, killed_at=at / man["records"], **t.finish()))
    finally:
        stop(proc)
        sink.close()


def live(cfg, agent, sc, run):
    logs = cfg.work / "live"
    shutil.rmtree(logs, ignore_errors=True)
    rate, secs, delay = sc["rate"], sc["seconds"], 5
    rotate = cfg.rotate_mb or (rate + sc.get("ramp_to", rate)) / 2 * secs / cfg.live_pods * 334 / 4.5 / 1e6
    sink = Sink(cfg)
    gen = subprocess.Popen(pinned([str(HERE / "bin/loggen"), "live", "--dir", str(logs), "--pods", str(cfg.live_pods), "--rate", str(rate), "--seconds", str(secs),
                                   "--start-delay", str(delay), "--rotate-mb", f"{rotate:.3f}", "--profile", "json"]
                                  + (["--ramp-to", str(sc["ramp_to"])] if sc.get("ramp_to") else []), cfg.sink_core), stdout=subprocess.PIPE, text=True, start_new_session=True)
    g0 = time.monotonic()
    time.sleep(0.5)
    proc = agent.start(cfg, sc, logs, run)
    try:
        t = watch(proc)
        if sc.get("fault"):
            sink.control(sc["fault"])
        c0 = t.sample()
        while time.monotonic() - g0 < delay:
            c0 = t.sample()
            time.sleep(0.05)
        down = up = False
        while gen.poll() is None:
            e = time.monotonic() - g0 - delay
            if sc["kind"] == "outage" and not down and e >= 15:
                sink.control("down=1")
                down = True
            if down and not up and e >= 35:
                sink.control("down=0")
                up = True
            c1 = t.sample()
            time.sleep(0.1)
        took = time.monotonic() - g0 - delay
        man = json.loads(gen.stdout.read())
        st0 = sink.stats()
        t1 = time.time_ns()
        st, cpu, ok = wait_all(cfg, sink, t, man, cfg.stall if sc["kind"] == "live" and not sc.get("fault") else 60)
        lat = st["latency_ms"]
        return result(sc, man, st, took, cpu - c0, t, dict(
            complete=ok, cpu_percent=100 * (c1 - c0) / took, offered_per_s=man["records"] / took, rotations=man["rotations"],
            p50_ms=lat["p50"], p90_ms=lat["p90"], p99_ms=lat["p99"], p999_ms=lat["p999"], max_ms=lat["max"],
            behind_at_end=man["records"] - st0["unique"], drain_s=max(0.0, (st["last_ns"] - t1) / 1e9), **t.finish()))
    finally:
        stop(gen)
        stop(proc)
        sink.close()


class QuietPod(threading.Thread):
    """A pod that writes a line now and then, and how long each took to arrive."""

    STREAM = "quiet-0/app"

    def __init__(self, logs, sink):
        super().__init__(daemon=True)
        self.sink, self.done, self.written, self.took = sink, threading.Event(), [], {}
        folder = logs / "pods/quiet_quiet-0_00000000-0000-4000-8000-000000000000/app"
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(parents=True)
        self.file = open(folder / "0.log", "wb", buffering=0)

    def run(self):
        while not self.done.is_set() or len(self.took) < len(self.written):
            now = time.time_ns()
            if not self.done.is_set() and (not self.written or now - self.written[-1] > 200_000_000):
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now / 1e9)) + f".{now % 10**9:09}Z"
                line = json.dumps(dict(generated_at=now, sequence_id=len(self.written) + 1, msg="still here"))
                self.file.write(f"{stamp} stdout F {line}\n".encode())
                self.written.append(now)
            came = self.sink.stats(streams=True)["by_stream"].get(self.STREAM, {}).get("unique", 0)
            for number in range(len(self.took), came):
                self.took[number] = (time.time_ns() - self.written[number]) / 1e9
            time.sleep(0.05)
        self.file.close()


def backlog(cfg, agent, sc, run):
    """An outage, then its end: how fast what waits is delivered, and how long a quiet pod's lines take meanwhile."""
    sink = Sink(cfg)
    sink.control("down=1")
    gen = None
    if sc.get("data"):
        logs, man = tree(cfg, sc["data"])
    else:
        logs = cfg.work / "live"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        gen = subprocess.Popen(pinned([str(HERE / "bin/loggen"), "live", "--dir", str(logs), "--pods", str(cfg.live_pods), "--rate", str(sc["rate"]), "--seconds",
                                       str(sc["seconds"]), "--start-delay", "2", "--rotate-mb", str(cfg.rotate_mb or 10), "--profile", "json"], cfg.sink_core),
                               stdout=subprocess.PIPE, text=True, start_new_session=True)
        time.sleep(0.5)
    quiet = QuietPod(logs, sink)
    proc = agent.start(cfg, sc, logs, run)
    try:
        t = watch(proc)
        until = time.monotonic() + 15
        while (gen and gen.poll() is None) or time.monotonic() < until:
            t.sample()
            time.sleep(0.1)
        if gen:
            man = json.loads(gen.stdout.read())
        before, c0 = t.rss, t.sample()
        quiet.start()
        time.sleep(1)
        sink.control("down=0")
        m0, first = time.time_ns(), None
        while True:
            t.sample()
            st = sink.stats()
            if not first and st["unique"]:  # until then the agent waits for its next try
                first, m0 = len(quiet.written), time.time_ns()
            if st["unique"] >= man["records"] + len(quiet.took) or t.dead() or time.time_ns() - m0 > 600e9:
                break
            time.sleep(0.05)
        wall = (time.time_ns() - m0) / 1e9
        quiet.done.set()
        quiet.join(30)
        st, cpu, took = sink.stats(), t.sample(), [quiet.took.get(n) for n in range(first or 0, len(quiet.written))]
        arrived = [x for x in took if x is not None]
        man = dict(man, records=man["records"] + len(quiet.written))
        return result(sc, man, st, wall, cpu - c0, t, dict(
            complete=st["unique"] == man["records"], rss_before_mb=before, quiet_lines=len(took), quiet_max_s=max(arrived, default=None), quiet_s=took, **t.finish()))
    finally:
        if gen:
            stop(gen)
        stop(proc)
        sink.close()
        shutil.rmtree(logs / "pods/quiet_quiet-0_00000000-0000-4000-8000-000000000000", ignore_errors=True)


def idle(cfg, agent, sc, run):
    logs, man = tree(cfg, sc["data"])
    sink = Sink(cfg)
    proc = agent.start(cfg, sc, logs, run)
    try:
        t = watch(proc)
        st, _, ok = wait_all(cfg, sink, t, man, cfg.stall)
        time.sleep(5)

        def now():
            f = t.finish()
            ns = 0  # run time in ns, finer than clock ticks
            for p in t.pids:
                for k in os.listdir(f"/proc/{p}/task"):
                    ns += int(open(f"/proc/{p}/task/{k}/schedstat").read().split()[0])
            return ns / 1e9, f["context_switches"]
        a, ca = now()
        time.sleep(sc["seconds"])
        b, cb = now()
        return result(sc, man, st, sc["seconds"], b - a, t, dict(complete=ok, cpu_percent=100 * (b - a) / sc["seconds"], wakeups_per_s=(cb - ca) / sc["seconds"],
                                                                 rss_mb=t.rss, **t.finish()))
    finally:
        stop(proc)
        sink.close()


RUN = dict(backlog=backlog, catchup=catchup, kill=kill, live=live, outage=live, idle=idle)
COLUMNS = dict(
    catchup=[("wall_s", "wall s", 2), ("mb_per_s", "MB/s", 1), ("mb_per_cpu_s", "MB/CPU-s", 1), ("cpu_s", "CPU s", 2), ("peak_rss_mb", "peak RSS MB", 1),
             ("lost", "lost", 0), ("duplicated", "dup", 0), ("out_of_order", "out of order", 0), ("delivered_mb", "body MB", 1), ("wire_mb", "wire MB", 1)],
    live=[("cpu_percent", "CPU %", 1), ("peak_rss_mb", "peak RSS MB", 1), ("p50_ms", "p50 ms", 0), ("p99_ms", "p99 ms", 0), ("max_ms", "max ms", 0),
          ("behind_at_end", "behind at end", 0), ("drain_s", "drain s", 1), ("lost", "lost", 0), ("duplicated", "dup", 0), ("out_of_order", "out of order", 0),
          ("repeated_keys", "repeated requests", 0), ("rotations", "rotations", 0)],
    backlog=[("wall_s", "drain s", 2), ("mb_per_s", "MB/s", 1), ("mb_per_cpu_s", "MB/CPU-s", 1), ("rss_before_mb", "RSS before MB", 1), ("peak_rss_mb", "peak RSS MB", 1),
             ("quiet_lines", "quiet lines", 0), ("quiet_max_s", "slowest s", 2), ("lost", "lost", 0), ("duplicated", "dup", 0), ("out_of_order", "out of order", 0)],
    idle=[("cpu_percent", "CPU %", 3), ("wakeups_per_s", "switches/s", 1), ("rss_mb", "RSS MB", 1), ("peak_rss_mb", "peak RSS MB", 1), ("lost", "lost", 0)])
COLUMNS["kill"], COLUMNS["outage"] = COLUMNS["catchup"] + [("repeated_keys", "repeated requests", 0)], COLUMNS["live"]


def table(kind, rows):
    """rows: {agent: [result, ...]} -> Markdown; each cell is the median (min-max)."""
    head = ["agent"] + [c[1] for c in COLUMNS[kind]]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for name, rs in rows.items():
        cells = [name + ("" if all(r["complete"] for r in rs) else " (incomplete)")]
        for key, _, dec in COLUMNS[kind]:
            v = [r[key] for r in rs if r.get(key) is not None]
            if not v:
                cells.append("-")
                continue
            f = lambda x: f"{x:,.{dec}f}"
            cells.append(f(statistics.median(v)) + ("" if f(min(v)) == f(max(v)) else f" ({f(min(v))}–{f(max(v))})"))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine():
    cpu = re.search(r"model name\s+: (.*)", Path("/proc/cpuinfo").read_text())
    mem = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 1048576
    return f"{os.cpu_count()} × {cpu[1] if cpu else platform.machine()}, {mem:.0f} GiB, Linux {platform.release().split('-')[0]}"


def main():
    names = sorted(p.stem for p in (HERE / "agents").glob("*.json"))
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter,
                                 epilog="scenarios:\n" + "\n".join(f"  {k:24}{v['help']}" for k, v in SCENARIOS.items()) + "\n\nagents: " + ", ".join(names))
    ap.add_argument("scenario", nargs="+", help="one or more scenarios, or 'all'")
    ap.add_argument("--agents", default=",".join(names), help="comma-separated (default: all of agents/)")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--data", help="profile:PODSxMB instead of the scenario's own, e.g. json:20x50")
    ap.add_argument("--seconds", type=float, help="length of the live and idle scenarios")
    ap.add_argument("--live-pods", type=int, default=20)
    ap.add_argument("--rotate-mb", type=float, help="rotate files of this size (default: so that each rotates 4 times in a run)")
    ap.add_argument("--pin", action="store_true", help="agent on core 0, sink and generator on core 1")
    ap.add_argument("--port", type=int, default=9880, help="of the sink; its statistics are on the next one")
    ap.add_argument("--stall", type=float, default=15, help="give up when nothing arrives for this many seconds")
    ap.add_argument("--work", type=Path, default=HERE / "work", help="scratch folder (default: work beside this file)")
    ap.add_argument("--out", type=Path, help="write all results here as JSON")
    cfg = ap.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    cfg.work = cfg.work.resolve()
    cfg.work.mkdir(parents=True, exist_ok=True)
    cfg.agent_core, cfg.sink_core = (0, 1) if cfg.pin else (None, None)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    subprocess.run(["make", "-s", "-C", HERE], check=True)

    agents = [Agent(n) for n in cfg.agents.split(",")]
    print(f"machine: {machine()}")
    for a in agents:
        print(f"{a.name}: " + (a.why_not(None) and f"skipped: {a.why_not(None)}" or a.version()))
    everything = dict(machine=machine(), versions={a.name: a.version() for a in agents if not a.why_not(None)}, results={})
    for name in (list(SCENARIOS) if cfg.scenario == ["all"] else cfg.scenario):
        sc = dict(SCENARIOS[name], **({"data": cfg.data} if cfg.data and "data" in SCENARIOS[name] else {}),
                  **({"seconds": cfg.seconds} if cfg.seconds and "seconds" in SCENARIOS[name] else {}))
        rows = {}
        print(f"\n## {name}: {sc['help']}" + (f" [{sc['data']}]" if "data" in sc else ""))
        able = [a for a in agents if not a.why_not(sc)]
        for a in able:
            if sc.get("gzip") and a.d.get("no_gzip"):
                print(f"note: {a.name} sends uncompressed bodies")
        for a in agents:
            if a not in able:
                print(f"skipped {a.name}: {a.why_not(sc)}")
        for i in range(cfg.rounds):
            for a in able[i % len(able):] + able[:i % len(able)] if able else []:  # interleaved, and no one always first
                load = os.getloadavg()[0]
                r = RUN[sc["kind"]](cfg, a, sc, cfg.work / "run" / a.name)
                r["load_before"] = load
                rows.setdefault(a.name, []).append(r)
                brief = " ".join(f"{lab}={r[k]:.{d}f}" for k, lab, d in COLUMNS[sc["kind"]] if r.get(k) is not None)
                print(f"  round {i + 1} {a.name}: {brief}" + ("" if r["complete"] else " INCOMPLETE"), file=sys.stderr, flush=True)
        rows = {a.name: rows[a.name] for a in able if a.name in rows}
        print(table(sc["kind"], rows), flush=True)
        everything["results"][name] = dict(scenario=sc, rounds=rows)
        if cfg.out:
            cfg.out.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
