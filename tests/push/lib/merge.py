# SPDX-License-Identifier: MIT
"""SelectMergeProfile and SelectMergeStacktraces: everything of a query in one profile, as the servers' JSON."""


def merged(rows):
    """{stack of (function, file, line), leaf first: value} of (labels, stored, index of the value)."""
    found = {}
    for labels, stored, i, wanted in rows:
        for stack, own, values in stored.stacks:
            if all(dict(own, **labels).get(k, "") == v for k, v in wanted):
                found[stack] = found.get(stack, 0) + values[i]
    return found


def profile(found, type_id):
    """pprof as JSON; {} when there is nothing."""
    if not found:
        return {}
    strings, functions, locations, samples = {"": 0}, {}, {}, []
    for stack, value in found.items():
        ids = []
        for name, filename, line in stack:
            function = functions.setdefault((name, filename), len(functions) + 1)
            strings.setdefault(name, len(strings)), strings.setdefault(filename, len(strings))
            ids.append(str(locations.setdefault((function, line), len(locations) + 1)))
        samples.append({"locationId": ids, "value": [str(value)]})
    kind, unit = type_id.split(":")[1:3]
    strings.setdefault(kind, len(strings)), strings.setdefault(unit, len(strings))
    return {"sampleType": [{"type": str(strings[kind]), "unit": str(strings[unit])}], "sample": samples,
            "location": [{"id": str(k), "line": [{"functionId": str(f), "line": str(n)}]}
                         for (f, n), k in locations.items()],
            "function": [{"id": str(k), "name": str(strings[n]), "filename": str(strings[f])}
                         for (n, f), k in functions.items()],
            "stringTable": list(strings)}


def flamegraph(found):
    names = {"total"} | {f[0] for stack in found for f in stack}
    total = sum(found.values())
    graph = {"names": ["total"] + sorted(names - {"total"}), "levels": [{"values": ["0", str(total), "0", "0"]}]}
    return {"flamegraph": dict(graph, total=str(total)) if found else graph}
