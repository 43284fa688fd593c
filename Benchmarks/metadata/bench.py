#!/usr/bin/env python3
"""What the metadata of pods costs: throughput, bytes in the store, CPU and memory at rest, what is asked of the API server.

    bench.py [catchup] [rest] [--sluice BINARY] [--pods 250] [--labels 40] [--mb 1] [--rounds 5] [--seconds 60] [--work FOLDER]

A node's pods, each with two containers and an owner, and a server that plays the API server and the kubelet for them, on loopback,
without TLS. `catchup` reads logs of `--mb` megabytes each (from Benchmarks/shippers' generator: `json` for one container, `plain` for
the other) into the store, to the null output, with different settings in the same rounds. `rest` runs three agents side by side
over small logs of the same pods, `path`, `api` and `kubelet`: first while nothing happens, then with five changes of pods a
second, then with 2,000 lines a second. CPU time is that of the whole process. Ends with 1 when a record is missing or partial.
"""

import argparse
import collections
import hashlib
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = "bench-node-1"
CHANGES_PER_SECOND = 5
LINES_PER_SECOND = 2000
POLL = 5
USUAL_POLL = 30


# ---- pods -----------------------------------------------------------------------------------------------------------

def digits(text, count):
    return hashlib.sha512(text.encode()).hexdigest()[:count]


def uid(text):
    d = digits(text, 32)
    return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-8{d[17:20]}-{d[20:]}"


TEAMS = ["checkout", "identity", "inventory", "payments", "search"]
TOPICS = ["cost-center", "service-tier", "data-classification", "on-call-rotation", "release-channel", "network-policy-group",
          "backup-policy", "compliance-scope", "scaling-profile", "dashboard-folder", "owning-squad", "source-repository"]
VALUES = ["customer-facing-tier-1", "internal-restricted", "platform-eu-central-1", "follow-the-sun-primary", "stable-weekly-train",
          "allow-egress-to-partners"]


def labels_of(deployment, team, template, index, count):
    """Labels as charts and platform teams write them: most are the same for all pods of a deployment, one is the pod's own."""
    labels = {
        "app.kubernetes.io/name": deployment, "app.kubernetes.io/instance": f"{deployment}-production",
        "app.kubernetes.io/version": "2026.11.3-build.4711", "app.kubernetes.io/component": "backend-service",
        "app.kubernetes.io/part-of": f"{team}-platform", "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": f"{deployment}-3.14.{index % 7}", "pod-template-hash": template,
        "example.com/shard": f"{deployment}-shard-{index:04}", "example.com/config-revision": "revision-0",
    }
    for i in range(count - len(labels)):
        labels[f"{TOPICS[i % 12]}{i // 12 or ''}.example.com/{team}"] = VALUES[(i + len(deployment)) % 6]
    return dict(list(labels.items())[:count])


def fields(value):
    """`fieldsV1` of managed fields: a member for each member, as the API server keeps them."""
    if isinstance(value, dict):
        return {f"f:{key}": fields(inner) for key, inner in value.items()}
    return {}


def container_of(name, deployment):
    return {
        "name": name, "image": f"registry.example.com/{deployment}/{name}:2026.11.3",
        "args": ["--config=/etc/service/config.yaml", "--listen=:8080"],
        "env": [{"name": f"SERVICE_SETTING_{i}", "value": f"value-of-{deployment}-{i}"} for i in range(12)],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 3},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 5, "failureThreshold": 3},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/service"},
                         {"name": "kube-api-access", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
        "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent",
    }


def pod_of(index, labels_count):
    """A pod as the API server shows it; ten of each deployment."""
    number = index // 10
    team = TEAMS[number % 5]
    deployment = f"{team}-{['api', 'worker', 'gateway', 'scheduler', 'cache'][number // 5 % 5]}-{number}"
    template = digits(deployment, 10)
    name = f"{deployment}-{template}-{digits(f'{deployment}{index}', 5)}"
    replicaset = f"{deployment}-{template}"
    containers = [container_of("app", deployment), container_of("proxy", deployment)]
    created = "2026-11-20T08:00:00Z"
    metadata = {
        "name": name, "generateName": f"{replicaset}-", "namespace": team, "uid": uid(name), "resourceVersion": str(1000 + index),
        "creationTimestamp": created, "labels": labels_of(deployment, team, template, index, labels_count),
        "annotations": {"checksum/config": digits(deployment + "config", 64), "prometheus.io/scrape": "true"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": replicaset, "uid": uid(replicaset),
                             "controller": True, "blockOwnerDeletion": True}],
    }
    spec = {
        "containers": containers, "nodeName": NODE, "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
        "serviceAccountName": deployment, "securityContext": {"runAsNonRoot": True}, "schedulerName": "default-scheduler",
        "volumes": [{"name": "config", "configMap": {"name": deployment, "defaultMode": 420}},
                    {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}],
        "tolerations": [{"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                        for key in ("not-ready", "unreachable")],
    }
    status = {
        "phase": "Running", "hostIP": "10.0.0.1", "podIP": f"10.1.{index // 250}.{index % 250 + 1}", "startTime": created,
        "qosClass": "Burstable",
        "conditions": [{"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": created} for kind in (
            "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")],
        "containerStatuses": [{
            "name": one["name"], "image": one["image"], "imageID": f"{one['image']}@sha256:{digits(one['image'], 64)}",
            "containerID": f"containerd://{container_id(name, one['name'])}", "restartCount": 0, "ready": True, "started": True,
            "lastState": {}, "state": {"running": {"startedAt": created}}} for one in containers],
    }
    metadata["managedFields"] = [
        {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": created, "fieldsType": "FieldsV1", "fieldsV1": part}
        for manager, part in [
            ("kube-controller-manager", {"f:metadata": fields({"labels": metadata["labels"], "annotations": metadata["annotations"]}),
                                         "f:spec": {"f:containers": {f'k:{{"name":"{c["name"]}"}}': fields(c) for c in containers}}}),
            ("kubelet", {"f:status": fields(status)})]]
    return {"metadata": metadata, "spec": spec, "status": status}


def container_id(pod, container):
    return digits(f"{pod}/{container}", 64)


# ---- the server -----------------------------------------------------------------------------------------------------

def encoded(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Cluster:
    """The API server and the kubelet: lists, watches with bookmarks, replica sets by name."""

    BOOKMARKS = 60

    def __init__(self, pods):
        self.pods, self.version, self.events = pods, 5000, []
        self.news = threading.Condition()
        self.requests, self.bytes, self.timeouts = collections.Counter(), collections.Counter(), []
        cluster = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_GET(self):
                cluster.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # an agent that has ended

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def kubeconfig(self, path):
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "nobody"}}],
            "clusters": [{"name": "bench", "cluster": {"server": self.url}}], "users": [{"name": "nobody", "user": {}}]}))
        return path

    def count(self, kind, size):
        self.requests[kind] += 1
        self.bytes[kind] += size

    def counts(self):
        return self.requests.copy(), self.bytes.copy()

    def answer(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.strip("/").split("/")
        if url.path == "/api/v1/pods" and query.get("watch") == "true":
            return self.watch(handler, query)
        if url.path in ("/api/v1/pods", "/pods"):
            kind = "kubelet" if url.path == "/pods" else "list"
            with self.news:
                body = encoded({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(self.version)}, "items": self.pods})
        elif parts[:3] == ["apis", "apps", "v1"] and parts[5:6] == ["replicasets"]:
            kind, name = "replicasets", parts[6]
            deployment = name.rsplit("-", 1)[0]
            body = encoded({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {
                "name": name, "namespace": parts[4], "uid": uid(name), "resourceVersion": "900", "labels": {"app.kubernetes.io/name": deployment},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment, "uid": uid(deployment), "controller": True}]}})
        else:
            return handler.send_error(404)
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        self.count(kind, len(body))

    def watch(self, handler, query):
        self.count("watch", 0)
        self.timeouts.append(int(query["timeoutSeconds"]))
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        version, end, bookmark = int(query["resourceVersion"]), time.monotonic() + int(query["timeoutSeconds"]), time.monotonic() + self.BOOKMARKS

        def send(body):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
            self.bytes["watch"] += len(body)

        while time.monotonic() < end:
            with self.news:
                self.news.wait_for(lambda: self.version > version, max(0, min(end, bookmark) - time.monotonic()))
                events = [body for at, body in self.events[-1000:] if at > version]
                version = self.version
            for body in events:
                send(body)
            if time.monotonic() >= bookmark:
                bookmark += self.BOOKMARKS
                send(encoded({"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {
                    "resourceVersion": str(version), "creationTimestamp": None}, "spec": {"containers": None}, "status": {}}}) + b"\n")
        handler.wfile.write(b"0\r\n\r\n")

    def change(self, number):
        """Another status of some pod, and every second time another label."""
        with self.news:
            pod = random.choice(self.pods)
            self.version += 1
            pod["metadata"]["resourceVersion"] = str(self.version)
            ready = pod["status"]["conditions"][2]
            ready["status"] = "False" if ready["status"] == "True" else "True"
            ready["lastTransitionTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            if number % 2:
                pod["metadata"]["labels"]["example.com/config-revision"] = f"revision-{number}"
            self.events.append((self.version, encoded({"type": "MODIFIED", "object": {"kind": "Pod", "apiVersion": "v1", **pod}}) + b"\n"))
            del self.events[:-2000]
            self.news.notify_all()


# ---- logs -----------------------------------------------------------------------------------------------------------

def log_of(tree, pod, container):
    metadata = pod["metadata"]
    return tree / "pods" / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}" / container / "0.log"


def make_logs(options, work, pods):
    """The pods' logs as kubelet and containerd lay them out, and short ones of the same pods. Returns records and bytes of the long ones."""
    long, short = work / "logs", work / "short-logs"
    done = work / "manifest.json"
    asked = [options.pods, options.mb]
    if done.exists() and json.loads(done.read_text())["asked"] == asked:
        manifest = json.loads(done.read_text())
        return manifest["records"], manifest["bytes"]
    subprocess.run(["make", "-s", "-C", ROOT / "Benchmarks/shippers", "bin/loggen"], check=True)
    records = size = 0
    for tree in (long, short):
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "containers").mkdir(parents=True)
    for profile, container in (("json", "app"), ("plain", "proxy")):
        made = work / "generated"
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run([ROOT / "Benchmarks/shippers/bin/loggen", "static", "--dir", made, "--pods", str(len(pods)), "--mb", str(options.mb),
                        "--profile", profile], check=True, stdout=subprocess.DEVNULL)
        manifest = json.loads((made / "manifest.json").read_text())
        records, size = records + manifest["records"], size + manifest["bytes"]
        for pod, log in zip(pods, sorted(made.glob("pods/*/*/0.log"))):
            place = log_of(long, pod, container)
            place.parent.mkdir(parents=True)
            log.rename(place)
            first = log_of(short, pod, container)
            first.parent.mkdir(parents=True)
            with open(place, "rb") as lines:
                first.write_bytes(b"".join(line for line in (lines.readline() for _ in range(20)) if b" F " in line[:42]))
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            for tree, target in ((long, place), (short, first)):
                (tree / "containers" / f"{name}_{namespace}_{container}-{container_id(name, container)}.log").symlink_to(target.resolve())
        shutil.rmtree(made)
    done.write_text(json.dumps({"asked": asked, "records": records, "bytes": size}))
    return records, size


class Writer(threading.Thread):
    """Writes lines to all logs in turn, one a write, as container runtimes do."""

    def __init__(self, tree):
        super().__init__(daemon=True)
        paths = sorted(tree.glob("pods/*/*/0.log"))
        self.lines = [path.read_bytes().splitlines(keepends=True)[0].split(b" ", 1)[1] for path in paths]
        self.files = [open(path, "ab", buffering=0) for path in paths]
        self.written, self.done = 0, threading.Event()

    def run(self):
        start = time.monotonic()
        while not self.done.wait(0.01):
            now = time.time_ns()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9)).encode() + b".%09dZ " % (now % 10**9)
            while self.written < (time.monotonic() - start) * LINES_PER_SECOND:
                place = self.written % len(self.files)
                self.files[place].write(stamp + self.lines[place])
                self.written += 1
        for file in self.files:
            file.close()


# ---- agents ---------------------------------------------------------------------------------------------------------

class Agent:
    """`sluice` over a tree of logs, with a folder of its own."""

    def __init__(self, options, folder, tree, kubernetes):
        self.sluice, self.data, self.log = options.sluice.resolve(), folder / "data", folder / "agent.log"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.config = folder / "sluice.yaml"
        self.config.write_text(json.dumps({
            "data_dir": str(self.data), "agent": {"node": NODE}, "store": {"max_size": "32GiB"}, "outputs": [{"type": "null"}],
            "kubernetes": kubernetes, "inputs": [{
                "type": "kubernetes_logs", "path": str(tree / "pods"), "containers_path": str(tree / "containers"), "start_at": "beginning"}]}))

    def start(self, *arguments):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.sluice, "run", *arguments, "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self):
        """Waits until it has ended, and tells what it used."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            sys.exit(f"the agent failed:\n{self.log.read_text()[-4000:]}")
        return usage

    def cpu(self):
        """Seconds of CPU time so far, of all its threads."""
        return time.clock_gettime(((~self.process.pid) << 3) | 2)

    def memory(self):
        """Resident megabytes, in all and without what is mapped from files."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        values = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.endswith("kB")}
        return values["VmRSS"] / 1024, values["RssAnon"] / 1024

    def account(self):
        """What the ledger says of the input."""
        answer = subprocess.run([self.sluice, "ledger", "--output", "json", "--data-dir", self.data], capture_output=True, check=True)
        return json.loads(answer.stdout)["inputs"][0]

    def stored_bytes(self):
        return sum(path.stat().st_size for path in self.data.glob("store/*/*.ndjson.gz"))

    def messages(self):
        """Warnings and errors, and how often; the time and what follows the message left out."""
        said = collections.Counter()
        for line in self.log.read_text().splitlines():
            if any(f" {level} " in line for level in ("warning", "error", "critical")):
                said[line.split(" ", 1)[1]] += 1
        return said


def check(name, account, records):
    partial = account.get("partial_metadata_records", 0)
    if partial or account["stored_records"] != records:
        sys.exit(f"{name}: {account['stored_records']} of {records} records stored, {partial} of them partial")


# ---- the measurements -----------------------------------------------------------------------------------------------

def catchup(options, work, cluster, records, size):
    api = {"metadata": "api", "kubeconfig": str(cluster.kubeconfig(work / "kubeconfig")), "metadata_wait": "30s"}
    variants = {
        "path": {"metadata": "path"},
        "api, labels: []": {**api, "labels": []},
        "api, labels: [app.kubernetes.io/*]": {**api, "labels": ["app.kubernetes.io/*"]},
        "api": api,
        "api, labels_style: dedot": {**api, "labels_style": "dedot"},
    }
    results = {name: [] for name in variants}
    for number in range(options.rounds):
        names = list(variants)
        for name in names[number % len(names):] + names[:number % len(names)]:
            agent = Agent(options, work / "catchup", work / "logs", variants[name])
            agent.start("--once")
            usage = agent.end()
            account = agent.account()
            check(name, account, records)
            results[name].append((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, agent.stored_bytes(), account["stored_bytes"]))
            for message, count in agent.messages().items():
                print(f"  {name}: {count} x {message}", file=sys.stderr)
    print(f"\ncatch-up: {size / 1e6:.0f} MB of {len(cluster.pods) * 2} logs, {records} records, {options.rounds} rounds, medians; 0 records missing or partial.\n"
          "`time` is CPU time against `path` in the same round\n")
    print(f"{'':36}{'MB/CPU s':>10}{'range':>12}{'records/CPU s':>15}{'time':>7}{'text/record':>13}{'stored/record':>15}{'peak RSS':>10}")
    for name, rounds in results.items():
        cpu = statistics.median(row[0] for row in rounds)
        ratio = statistics.median(row[0] / path[0] for row, path in zip(rounds, results["path"]))
        fast, slow = (size / 1e6 / f(row[0] for row in rounds) for f in (min, max))
        print(f"{name:36}{size / 1e6 / cpu:10.0f}{f'{slow:.0f}-{fast:.0f}':>12}{records / cpu:15,.0f}{ratio:6.2f}x"
              f"{rounds[-1][3] / records:13.0f}{statistics.median(row[2] for row in rounds) / records:15.1f}{max(row[1] for row in rounds):7.0f} MB")
    shutil.rmtree(work / "catchup", ignore_errors=True)


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what} did not come within {seconds} s")
        time.sleep(0.05)


def rest(options, work, cluster):
    tree = work / "short-logs"
    agents = {
        "path": Agent(options, work / "rest-path", tree, {"metadata": "path"}),
        "api": Agent(options, work / "rest-api", tree, {"metadata": "api", "kubeconfig": str(cluster.kubeconfig(work / "kubeconfig")), "metadata_wait": "30s"}),
        "kubelet": Agent(options, work / "rest-kubelet", tree, {
            "metadata": "kubelet", "metadata_wait": "30s", "kubelet": {"url": cluster.url, "poll": f"{POLL}s"}}),
    }
    records = sum(path.read_bytes().count(b"\n") for path in tree.glob("pods/*/*/0.log"))
    before, bytes_before = cluster.counts()
    try:
        for agent in agents.values():
            agent.start()
        wait_until(lambda: cluster.requests["list"] > before["list"] and cluster.requests["kubelet"] > before["kubelet"], "the first list")
        time.sleep(2)
        memory = {"after the first list": {name: agent.memory() for name, agent in agents.items()}}
        time.sleep(30)  # owners, the first saving, rests of the start
        started, bytes_started = cluster.counts()
        cpu, requests, window = {}, {}, {}

        def phase(title):
            start, counts, began = {name: agent.cpu() for name, agent in agents.items()}, cluster.counts(), time.monotonic()
            time.sleep(options.seconds)
            window[title] = time.monotonic() - began
            cpu[title] = {name: 100 * (agent.cpu() - start[name]) / window[title] for name, agent in agents.items()}
            memory[title] = {name: agent.memory() for name, agent in agents.items()}
            requests[title] = [new - old for new, old in zip(cluster.counts(), counts)]

        phase("nothing happens")
        ends = threading.Event()

        def changes():
            number = 0
            while not ends.wait(1 / CHANGES_PER_SECOND):
                number += 1
                cluster.change(number)

        changer = threading.Thread(target=changes, daemon=True)
        changer.start()
        phase(f"{CHANGES_PER_SECOND} changes a second")
        ends.set()
        changer.join()
        time.sleep(15)  # the last saving
        writer = Writer(tree)
        writer.start()
        phase(f"{LINES_PER_SECOND} lines a second")
        writer.done.set()
        writer.join()
        time.sleep(3)
        saved = {name: (agent.data / "metadata.json").stat().st_size for name, agent in agents.items() if name != "path"}
    finally:
        for agent in agents.values():
            if getattr(agent, "process", None) and agent.process.poll() is None:
                agent.process.send_signal(signal.SIGTERM)
    for name, agent in agents.items():
        agent.end()
        check(name, agent.account(), records + writer.written)
        for message, count in agent.messages().items():
            print(f"  {name}: {count} x {message}", file=sys.stderr)

    print(f"\nat rest: {len(cluster.pods) * 2} logs, {options.seconds} s each; {writer.written} lines written, 0 records missing or partial\n")
    print(f"{'CPU, % of a core':28}" + "".join(f"{name:>16}" for name in agents))
    for title, row in cpu.items():
        print(f"{title:28}" + "".join(f"{row[name]:16.3f}" for name in agents))
    idle = cpu["nothing happens"]
    print(f"the kubelet is asked each {POLL} s here; each {USUAL_POLL} s it were {idle['path'] + (idle['kubelet'] - idle['path']) * POLL / USUAL_POLL:.3f} while nothing happens")
    print(f"\n{'RSS, of that its own, MB':28}" + "".join(f"{name:>16}" for name in agents))
    for title, row in memory.items():
        print(f"{title:28}" + "".join(f"{f'{row[name][0]:.1f}, {row[name][1]:.1f}':>16}" for name in agents))
    print("\nmetadata.json: " + ", ".join(f"{name} {size / 1e3:.0f} kB" for name, size in saved.items()))
    print("asked of the server, and its answers' bytes:")
    for title, (count, size) in {"start": [started - before, bytes_started - bytes_before], **requests}.items():
        print(f"  {title}: " + (", ".join(f"{count[kind]} x {kind} {size[kind] / 1e3:,.1f} kB" for kind in sorted(set(count) | set(size))) or "nothing"))
    size = requests["nothing happens"][1]["watch"] * 3600 / window["nothing happens"]
    if options.seconds >= Cluster.BOOKMARKS:
        print(f"  an hour in which nothing happens: {size / 1e3:.0f} kB of bookmarks, and another watch after each {cluster.timeouts[-1]} s")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="catchup, rest", help="what to measure (both)")
    arguments.add_argument("--sluice", default=ROOT / ".build/release/sluice", type=pathlib.Path)
    arguments.add_argument("--pods", default=250, type=int)
    arguments.add_argument("--labels", default=40, type=int, help="of each pod")
    arguments.add_argument("--mb", default=1.0, type=float, help="of each of the two logs of a pod")
    arguments.add_argument("--rounds", default=5, type=int)
    arguments.add_argument("--seconds", default=60, type=int, help="of each measurement at rest")
    arguments.add_argument("--work", type=pathlib.Path, help="a folder that stays")
    options = arguments.parse_args()
    parts = options.parts or ["catchup", "rest"]
    if set(parts) - {"catchup", "rest"}:
        arguments.error("there are only catchup and rest")
    with tempfile.TemporaryDirectory() as folder:
        run(options, parts, options.work or pathlib.Path(folder))


def run(options, parts, work):
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    pods = [pod_of(index, options.labels) for index in range(options.pods)]
    records, size = make_logs(options, work, pods)
    labels = pods[0]["metadata"]["labels"]
    print(f"{len(pods)} pods, {len(labels)} labels each ({len(encoded(labels))} bytes); a pod is {len(encoded(pods[0]))} bytes at the API server")
    if "catchup" in parts:
        catchup(options, work, Cluster(pods), records, size)
    if "rest" in parts:
        rest(options, work, Cluster(pods))  # of its own: watches of agents that have ended are not counted


if __name__ == "__main__":
    main()
