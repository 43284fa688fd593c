#!/usr/bin/env python3
"""Checks in the machine code that the hot path is specialised: generics that stay generic cost a fifth of it, silently.

    specialised.py BINARY        the release binary, x86-64, with its symbols

In each function of HOT, no call may go to an unspecialised generic function, through a witness table, or to the runtime's
look-ups of types; and within its loops nothing may count references or allocate. A function that is not found is an error
too: it was renamed, or inlined into another that belongs in the list then.
"""

import re
import subprocess
import sys

# Demangled names, as `nm BINARY | swift demangle` shows them.
HOT = [
    r"\(JSONCursor in ",  # JSONScanner
    r"\.appendEscaped\(",
    r"\bTimestampParser\.parse\(",
    r"\bRecordBatch\.parseJSON\(",
    r"\bRecordBatch\.parseKlog\(",
    r"\bKlogMembers\.",
    r"\bJournalRecords\.append\w*\(",
    r"\bRecordEncoder\.append\(",
    r"\bNodeFiles\.LineReader\.\(split in ",  # CRILine is inlined into it
    r"\(LaneInput in .*\.encode\(",
]

# (function, callee): regular expressions of what is allowed after all, with a comment that says why.
ALLOWED = [
    (r"\(JSONCursor in .*\.isFinite\(", r"Substring"),  # only numbers with long digits or exponents come there
]

RUNTIME = re.compile(
    r"swift_(getWitnessTable|getGenericMetadata|getAssociated\w+|checkMetadataState|conformsToProtocol\w*|dynamicCast\w*"
    r"|getTypeByMangledName\w*)")
COUNTING = re.compile(r"swift_(\w*[rR]etain\w*|\w*[rR]elease\w*|allocObject|initStackObject|slowAlloc|beginAccess)|malloc|calloc|realloc")
# Neither code of the program's own, nor on anybody's path: made by the compiler for others to call.
SUPPORT = re.compile(r"^(protocol witness|dispatch thunk|outlined|type metadata|nominal type|value witness|lazy |reflection|method descriptor"
                     r"|property descriptor|protocol conformance|associated|default argument|one-time|generic type|metaclass|\w+ cache )")
GENERIC = re.compile(r"<A[\w, .]*(?: where|[:>])|(?<![\w.])A1?(?![\w.:])")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(?:(?:notrack|bnd|rep\w*|lock|data16)\s+)*(\w+)\s*(.*)$")
TARGET = re.compile(r"^(?:0x)?([0-9a-f]+)\s+<([^>]+)>")


def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def demangled(names):
    """{name: what it means} by one call of the demangler."""
    names = sorted(set(names))
    return dict(zip(names, run("swift", "demangle", "--compact", text="\n".join(names)).splitlines()))


def functions(binary):
    """(address, size, demangled name) of every Swift function defined in the binary."""
    found = []
    for line in run("nm", "--defined-only", "--print-size", binary).splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[2] in "tT" and fields[3].startswith("$s"):
            found.append((int(fields[0], 16), int(fields[1], 16), fields[3]))
    names = demangled(name for *_, name in found)
    return sorted({(address, size, names[name]) for address, size, name in found})


def is_unspecialised(name):
    return "specialization" not in name and bool(GENERIC.search(name)) and not SUPPORT.match(name)


class Code:
    """The instructions of one function, and which of them are within loops."""

    def __init__(self, binary, start, size):
        self.start, self.end, self.lines = start, start + size, []
        listing = run("objdump", "-d", "--no-show-raw-insn", f"--start-address={start}", f"--stop-address={start + size}", binary)
        for line in listing.splitlines():
            if match := LINE.match(line):
                self.lines.append((int(match[1], 16), match[2], match[3]))
        self.looping = self._looping()

    def calls(self):
        """(callee or None when it is indirect, is in a loop) of each call, tail calls among them."""
        for index, (_, operation, operand) in enumerate(self.lines):
            target = TARGET.match(operand)
            if operation.startswith("call"):
                if target:
                    yield re.sub(r"@.*|\+0x[0-9a-f]+$", "", target[2]), self.looping[index]
                elif "(%rip)" in operand:  # through the table of imported functions
                    named = re.search(r"<([^>@+]+)", operand)
                    yield named[1] if named else "?", self.looping[index]
                else:
                    yield None, self.looping[index]
            elif operation == "jmp" and target and not self.start <= int(target[1], 16) < self.end:
                yield re.sub(r"@.*|\+0x[0-9a-f]+$", "", target[2]), self.looping[index]

    def _looping(self):
        """An instruction is in a loop when it can be reached from itself: its strongly connected component has an edge."""
        place = {address: index for index, (address, *_) in enumerate(self.lines)}
        jumps = {}
        for index, (_, operation, operand) in enumerate(self.lines):
            if operation.startswith("j") and (target := TARGET.match(operand)) and int(target[1], 16) in place:
                jumps[index] = place[int(target[1], 16)]
        reached, last = set(jumps.values()), len(self.lines) - 1
        ends = [operation in ("jmp", "ret", "ud2", "hlt", "int3") for _, operation, _ in self.lines]
        # A jump through a table may go to every place that nothing else leads to.
        orphans = [i for i in range(1, len(self.lines)) if ends[i - 1] and i not in reached]
        edges = []
        for index, (_, operation, operand) in enumerate(self.lines):
            after = [jumps[index]] if index in jumps else []
            if operation == "jmp" and operand.startswith("*"):
                after += orphans
            if not ends[index] and index < last:
                after.append(index + 1)
            edges.append(after)
        return in_cycles(edges)


def in_cycles(edges):
    """For each node of a graph, whether a path leads from it back to it (Tarjan, without recursion)."""
    count = len(edges)
    number, low, on_stack, cyclic = [0] * count, [0] * count, [False] * count, [False] * count
    stack, counter = [], 0
    for root in range(count):
        if number[root]:
            continue
        work = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                counter += 1
                number[node] = low[node] = counter
                stack.append(node)
                on_stack[node] = True
            else:
                low[node] = min(low[node], low[edges[node][position - 1]])
            for position in range(position, len(edges[node])):
                after = edges[node][position]
                if not number[after]:
                    work += [(node, position + 1), (after, 0)]
                    break
                if on_stack[after]:
                    low[node] = min(low[node], number[after])
            else:
                if low[node] == number[node]:
                    component = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        on_stack[component[-1]] = False
                    cycle = len(component) > 1 or node in edges[node]
                    for member in component:
                        cyclic[member] = cycle
    return cyclic


def complaints(name, code, meaning):
    for callee, looping in code.calls():
        what = meaning.get(callee, callee)
        if any(re.search(function, name) and re.search(allowed, what or "") for function, allowed in ALLOWED):
            continue
        if callee is None:
            yield "calls something through a pointer (a witness table, a closure)"
        elif RUNTIME.fullmatch(callee):
            yield f"looks up types at run time: {callee}"
        elif what.startswith(("protocol witness for", "dispatch thunk of")) or is_unspecialised(what):
            yield f"calls unspecialised: {what}"
        elif looping and COUNTING.fullmatch(callee):
            yield f"counts references or allocates in a loop: {callee}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    binary, failed, checked = sys.argv[1], False, 0
    if "x86-64" not in run("objdump", "-f", binary):
        print("Not an x86-64 binary: not checked.")
        return 0
    everything = functions(binary)
    for pattern in HOT:
        chosen = [f for f in everything if re.search(pattern, f[2]) and not SUPPORT.match(f[2]) and not is_unspecialised(f[2])]
        if not chosen:
            failed = True
            print(f"{pattern}: no such specialised function in {binary}. Renamed, or inlined? Then correct HOT in {sys.argv[0]}.")
        for start, size, name in chosen:
            code = Code(binary, start, size)
            meaning = demangled(callee for callee, _ in code.calls() if callee)
            checked += 1
            if found := sorted(set(complaints(name, code, meaning))):
                failed = True
                print(name, *found, sep="\n    ")
    print(f"{checked} functions of the hot path checked" + ("." if failed else ": all specialised, no counting in their loops."))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
