#!/usr/bin/env python3
"""A real node played again, its files beside its API server or its kubelet, and an agent that gives each record its pod's metadata.

    metadata_live.py --sluice .build/release/sluice PLAYBACK SNAPSHOT
        [--mode api|kubelet] [--speed 20] [--fault NAME[=VALUE][@WHEN]]... [--wrong-ca] [--exchange-token] [--expect-messages WORD]...

PLAYBACK is the emulator (playback.py), SNAPSHOT the unpacked recording. The server speaks TLS with a CA of its own and wants a
token. Every container's lines have to come once, each with the metadata of the pod whose uid is in the path: namespace, name,
labels, the workload, image, node. Records of pods that were not known in time say "metadata":"partial"; they are counted by pod.
Exits with 1 when a record is missing, extra, or has a wrong pod's metadata.

--wrong-ca: the agent trusts another CA for the first ten seconds. --exchange-token: the token in the file becomes invalid after
ten seconds, the new one is written five seconds later.
"""

import argparse
import collections
import http.client
import json
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CONFIGURATION = """\
data_dir: {data}
agent: {{ node: lab-node }}
inputs:
  - type: kubernetes_logs
    path: {pods}
    containers_path: {links}
    json: off
    parsers: []
outputs:
  - type: file
    path: {output}
kubernetes:
  annotations: ["lab.example/*"]
{kubernetes}
"""

API = """\
  metadata: api
  kubeconfig: {kubeconfig}
"""

KUBELET = """\
  metadata: kubelet
  kubelet:
    url: {url}
    token_file: {token}
    ca_file: {ca}
    poll: 5s
"""

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: lab
contexts: [{{ name: lab, context: {{ cluster: lab, user: agent }} }}]
clusters: [{{ name: lab, cluster: {{ server: "{url}", certificate-authority: "{ca}" }} }}]
users: [{{ name: agent, user: {{ tokenFile: "{token}" }} }}]
"""


def images(snapshot):
    """The image of each container by the uid in the path, from the recorded watch."""
    found = {}
    for row in open(snapshot / "rec/pods-watch.jsonl"):
        if not row.strip():
            continue
        pod = json.loads(row)["object"]
        meta = pod["metadata"]
        uid = (meta.get("annotations") or {}).get("kubernetes.io/config.mirror", meta.get("uid"))
        for kind in ("containers", "initContainers", "ephemeralContainers"):
            for container in pod.get("spec", {}).get(kind) or ():
                found[uid, container["name"]] = container["image"]
    return found


class Node:
    """The emulator, with its tree and its server."""

    def __init__(self, playback, snapshot, home, speed, faults):
        self.root, self.tls, self.manifest = home / "node", home / "tls", home / "manifest.json"
        self.token_file = home / "token"
        self.token_file.write_text("first-token\n")
        command = [sys.executable, playback, snapshot, "--root", self.root, "--listen", "127.0.0.1:0", "--tls", self.tls,
                   "--speed", str(speed), "--wait", "--until-end", "--manifest", self.manifest]
        if not any(fault.startswith("expire-token") for fault in faults):
            command += ["--token", "first-token"]
        for fault in faults:
            command += ["--fault", fault]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.ca = self.tls / "ca.crt"

    def ask(self, path):
        context = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(self.url + path, context=context, timeout=10) as answer:
            return json.load(answer)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


def check(records, manifest, snapshot, mode):
    """What is wrong, as sentences; and the counts of complete and partial records by pod."""
    wrong, complete, partial = [], collections.Counter(), collections.Counter()
    came, image = collections.Counter(), images(snapshot)
    known = set()
    for record in records:
        shown = record["kubernetes"]
        uid = shown["pod_uid"]
        came[uid, shown["container_name"], shown["restart_count"]] += 1
        pod = manifest["pods"].get(uid)
        name = f'{shown["namespace_name"]}/{shown["pod_name"]}'
        if shown.get("metadata") == "partial":
            partial[name, uid] += 1
            if "labels" in shown or "owner_name" in shown:
                wrong.append(f"{name}: a partial record has labels or an owner")
            continue
        complete[name, uid] += 1
        if pod is None:
            wrong.append(f"{name} ({uid}): complete, and the API never showed it")
            continue
        owner = pod["top_owner"] or {}
        if mode == "kubelet" and pod["api_uid"] != uid:
            # The kubelet does not know who mirrors its pod.
            owner = {"kind": "Node", "name": pod["node"]}
        expected = {
            "namespace_name": pod["namespace"], "pod_name": pod["name"], "node_name": pod["node"] or "lab-node",
            "labels": pod["labels"] or None, "owner_kind": owner.get("kind"), "owner_name": owner.get("name"),
            "annotations": {k: v for k, v in pod["annotations"].items() if k.startswith("lab.example/")} or None,
            "container_image": image.get((uid, shown["container_name"])),
        }
        for member, value in expected.items():
            if shown.get(member) != value:
                wrong.append(f"{name} ({uid}): {member} is {shown.get(member)}, not {value}")
        known.add(uid)
    for container in manifest["containers"]:
        key = container["uid"], container["container"], container["restart"]
        # A line without its end is stored when its container is known to have ended, or its log is gone.
        held = container["unfinished"] if (f'{container["namespace"]}/{container["pod"]}', container["uid"]) in partial else 0
        if not container["lines"] - held <= came[key] <= container["lines"]:
            wrong.append(f'{container["namespace"]}/{container["pod"]} {key}: {came[key]} records for {container["lines"]} lines')
        came.pop(key, None)
    wrong += [f"{key}: {count} records of a container that never was" for key, count in came.items() if count]
    return wrong, complete, partial


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sluice", required=True, type=Path)
    options.add_argument("playback", type=Path)
    options.add_argument("snapshot", type=Path)
    options.add_argument("--mode", choices=["api", "kubelet"], default="api")
    options.add_argument("--speed", type=float, default=20)
    options.add_argument("--fault", action="append", default=[])
    options.add_argument("--wrong-ca", action="store_true")
    options.add_argument("--exchange-token", action="store_true")
    options.add_argument("--expect-messages", action="append", default=[], help="words that the agent's messages must hold")
    options.add_argument("--keep", type=Path, help="work here, and leave everything there")
    given = options.parse_args()

    home = given.keep or Path(tempfile.mkdtemp(prefix="metadata-"))
    home.mkdir(parents=True, exist_ok=True)
    faults = list(given.fault)
    if given.exchange_token:
        faults.append(f"expire-token={home / 'valid-token'}@0s")
        (home / "valid-token").write_text("first-token")
    node = Node(given.playback, given.snapshot, home, given.speed, faults)
    ca = node.ca
    if given.wrong_ca:
        ca = home / "ca.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=somebody-else", "-days", "2", "-keyout", home / "other.key", "-out", ca],
                       check=True, stderr=subprocess.DEVNULL)
    kubeconfig, output, log = home / "kubeconfig", home / "out.ndjson", home / "agent.log"
    kubeconfig.write_text(KUBECONFIG.format(url=node.url, ca=ca, token=node.token_file))
    section = API.format(kubeconfig=kubeconfig) if given.mode == "api" else KUBELET.format(
        url=node.url, token=node.token_file, ca=ca)
    configuration = home / "sluice.yaml"
    configuration.write_text(CONFIGURATION.format(
        data=home / "data", pods=node.root / "var/log/pods", links=node.root / "var/log/containers", output=output,
        kubernetes=section))
    agent = None
    try:
        with open(log, "ab") as messages:
            agent = subprocess.Popen([given.sluice.resolve(), "run", "--config", configuration], stdin=subprocess.DEVNULL,
                                     stdout=messages, stderr=messages)
        began = time.monotonic()
        while b"went on where reading stood" not in log.read_bytes():
            if agent.poll() is not None or time.monotonic() - began > 20:
                raise SystemExit("the agent does not start:\n" + log.read_text())
            time.sleep(0.05)
        node.ask("/playback/start")
        began, steps = time.monotonic(), []
        if given.wrong_ca:
            steps.append((10, lambda: shutil.copy(node.ca, ca)))
        if given.exchange_token:
            steps.append((10, lambda: (home / "valid-token").write_text("second-token")))
            steps.append((15, lambda: node.token_file.write_text("second-token\n")))
        status = {}
        while node.process.poll() is None:
            if steps and time.monotonic() - began > steps[0][0]:
                steps.pop(0)[1]()
            try:
                status = node.ask("/playback/status")
            except (OSError, http.client.HTTPException, ValueError):
                pass  # away, half an answer, or just gone
            time.sleep(0.1)
        manifest = json.loads(node.manifest.read_text())
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if output.exists() and output.read_bytes().count(b"\n") >= manifest["lines"]:
                break
            time.sleep(0.5)
        agent.send_signal(signal.SIGTERM)
        agent.wait(60)
    finally:
        node.end()
        if agent and agent.poll() is None:
            agent.kill()
    with open(output) as lines:
        wrong, complete, partial = check(map(json.loads, lines), manifest, given.snapshot, given.mode)
    print(f"faults: {', '.join(faults + ['wrong CA'] * given.wrong_ca) or 'none'}; mode {given.mode}, speed {given.speed:g}")
    print(f"the server counted: {status.get('counts', {})}")
    print(f"lines written {manifest['lines']}; records complete {sum(complete.values())}, partial {sum(partial.values())}")
    for (name, uid), count in sorted(partial.items()):
        why = "the API never showed it" if manifest["pods"].get(uid) is None else "not known in time"
        print(f"  partial: {count:6} of {count + complete[name, uid]:6}  {name} ({uid}): {why}")
    said = log.read_text()
    for words in given.expect_messages:
        if words not in said:
            wrong.append(f"no message of the agent holds '{words}'")
    for sentence in collections.Counter(wrong).most_common(20):
        print(f"WRONG ({sentence[1]} times): {sentence[0]}")
    print("the agent's messages:")
    for line in said.splitlines():
        if "summary" not in line and " INFO " not in line and " info " not in line:
            print("   ", line[:300])
    if not given.keep and not wrong:
        shutil.rmtree(home)
    elif wrong:
        print(f"left in {home}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
