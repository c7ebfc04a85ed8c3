"""The results as tables for people, and their comparison with those of another run."""

SLOWER_LIMIT = 0.10
KEY = ("method", "family", "flows", "workers")


def table(head, rows):
    """Columns as wide as they need; the first is text, the others are figures."""
    cells = [list(map(str, row)) for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = []
    for row in cells:
        first, *others = row
        line = first.ljust(widths[0])
        line += "".join("  " + cell.rjust(width) for cell, width in zip(others, widths[1:]))
        lines.append(line.rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def figure(value, digits=1):
    return "-" if value is None else f"{value:,.{digits}f}"


def case_key(row):
    return tuple(row[word] for word in KEY)


def case_name(row):
    workers = "" if row["workers"] == 1 else f" {row['workers']} workers"
    return f"{row['method']} ipv{row['family']}{workers}"


def case_table(document):
    rows = [
        [
            case_name(row),
            f"{row['flows']:,}",
            figure(row["ns_per_packet"]),
            figure(row["mpps"], 2),
            figure(row["ratio_to_testpmd"], 2),
            f"{row['spread']:.0%}",
        ]
        for row in document["results"]
    ]
    testpmd = document.get("testpmd_ns_per_packet")
    if testpmd:
        words = ["testpmd macswap", "-", figure(testpmd), figure(1000 / testpmd, 2), "1.00", "-"]
        rows.append(words)
    head = ["forwarding", "flows", "ns/packet", "Mpps", "to testpmd", "spread"]
    return table(head, rows)


def rate_table(document):
    rows = []
    for key, name in (
        ("setups_per_second", "TCP set-ups, with expiry"),
        ("cookies_per_second", "SYNs answered by the SYN proxy"),
        ("connections_per_second", "complete TCP lives"),
    ):
        if key in document:
            rows.append([name, figure(document[key], 0), "per second"])
    for family, count in sorted(document["bytes_per_connection"].items()):
        rows.append([f"memory of a connection, ipv{family}", figure(count, 0), "bytes"])
    for row in document["publish"]:
        size = f"publish {row['services']:,} services x {row['servers']} servers"
        rows.append([f"{size}, builder", figure(row["builder_us"], 0), "us"])
        rows.append([f"{size}, worker", figure(row["worker_us"], 1), "us"])
    for row in document["publish"][:1]:
        if "ring_us" in row:
            name = "Maglev ring, 65,537 slots for 1,000 servers"
            rows.append([name, figure(row["ring_us"], 0), "us"])
    return table(["further figures", "", "unit"], rows) if rows else ""


def end_to_end_table(rows):
    """With keepline's part of each other balancer's figure."""
    columns = (
        ("connections_per_second", "connections/s", 0),
        ("requests_per_second", "requests/s", 0),
        ("gbit_per_second", "Gbit/s", 2),
    )
    ours = next((row for row in rows if row["balancer"] == "keepline"), None)
    shown = []
    for row in rows:
        words = [row["balancer"]]
        for key, _, digits in columns:
            words.append(figure(row[key], digits))
            apart = row is not ours and ours and row[key]
            words.append(f"{ours[key] / row[key]:.2f}" if apart else "")
        shown.append([*words, row["errors"]])
    head = ["through"]
    for _, name, _ in columns:
        head += [name, "keepline /"]
    return table([*head, "errors"], shown)


def machine_line(machine):
    words = [machine["cpu"], f"{machine['cores']} cores", f"Linux {machine['kernel']}"]
    if machine["hugepages"] is not None:  # the pipeline was measured
        words.append("with hugepages" if machine["hugepages"] else "without hugepages")
    return ", ".join([*words, f"commit {machine['commit']}"])


def text(document):
    parts = [machine_line(document["machine"])]
    if document["results"]:
        parts.append(case_table(document))
    parts.append(rate_table(document))
    if document["end_to_end"]:
        parts.append(end_to_end_table(document["end_to_end"]))
    return "\n\n".join(part for part in parts if part)


def change(before, after):
    return after / before - 1


def compared_rates(before, after):
    """In packets of testpmd's, where both runs have measured it."""
    for key in ("setups_per_second", "cookies_per_second", "connections_per_second"):
        if not (before.get(key) and after.get(key)):
            continue
        name = key.replace("_", " ")
        documents = (before, after)
        if all(document.get("testpmd_ns_per_packet") for document in documents):
            pair = [1e9 / each[key] / each["testpmd_ns_per_packet"] for each in documents]
            yield f"time of one of {name}", "ratio to testpmd", *pair, change(*pair)
        else:
            pair = [each[key] for each in documents]
            yield name, "", *pair, change(*reversed(pair))


def ratios_to_nftables(document):
    rows = {row["balancer"]: row for row in document["end_to_end"]}
    if not {"keepline", "nftables"} <= set(rows):
        return {}
    keys = ("connections_per_second", "requests_per_second", "gbit_per_second")
    return {key: rows["keepline"][key] / (rows["nftables"][key] or 1) for key in keys}


def compared(before, after):
    """(name, unit, before, after, by how much slower) of all that both documents have."""
    old = {case_key(row): row for row in before["results"]}
    for row in after["results"]:
        if case_key(row) in old:
            pair = old[case_key(row)]["ratio_to_testpmd"], row["ratio_to_testpmd"]
            name = f"{case_name(row)}, {row['flows']:,} flows"
            yield name, "ratio to testpmd", *pair, change(*pair)
    yield from compared_rates(before, after)
    old, new = ratios_to_nftables(before), ratios_to_nftables(after)
    for key in sorted(old.keys() & new.keys()):
        if old[key] and new[key]:
            pair = old[key], new[key]
            name = f"end to end, {key.replace('_', ' ')}"
            yield name, "ratio to nftables", *pair, change(*reversed(pair))


def comparison(before, after):
    """A table, and which got slower by more than SLOWER_LIMIT.

    Ratios to testpmd and to nftables are compared, in which the noise of the machine cancels.
    """
    rows, slower = [], []
    for name, unit, old, new, worse in compared(before, after):
        digits = 2 if old < 100 else 0
        rows.append([name, figure(old, digits), figure(new, digits), f"{worse:+.1%}", unit])
        if worse > SLOWER_LIMIT:
            slower.append(f"{name} ({worse:+.1%})")
    if not rows:
        return "The two runs have no case in common.", []
    return table(["", "before", "after", "slower by", ""], rows), slower
