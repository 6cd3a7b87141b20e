"""Makes the result file of tools/gpu_check.sh out of what its steps left in a folder.

    python3 tools/gpu_report.py WORK FILE [--end]

It is called after each step, so that a check that is cut short leaves what it had found; with --end
it prints the table, too, and fails where tests were skipped. WORK holds facts.json (commit, device,
driver, nvcc, system, clocks_before, clocks_after), steps.tsv, the steps' logs, tests.json,
clocks.csv and bench.ndjson; what is not there yet counts as empty.
"""

import datetime
import json
import os
import sys


def clocks(line):
    names = ["sm_mhz", "memory_mhz", "temperature_c", "power_w"]
    try:
        return dict(zip(names, [float(x) for x in line.split(",")]))
    except ValueError:
        return {"text": line}


def lines(work, name):
    path = os.path.join(work, name)
    return open(path).read().splitlines() if os.path.exists(path) else []


def tests_of(work):
    path = os.path.join(work, "tests.json")
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        found = json.load(file)
    each = [
        (s["name"] + "." + t["name"], t.get("result"))
        for s in found["testsuites"]
        for t in s["testsuite"]
    ]
    return {
        "run": found["tests"],
        "failed": found["failures"],
        "skipped": [name for name, status in each if status == "SKIPPED"],
        "names": [name for name, _ in each],
    }


def report(work, ended):
    with open(os.path.join(work, "facts.json")) as file:
        facts = json.load(file)
    for name in ("clocks_before", "clocks_after"):
        facts[name] = clocks(facts.get(name, ""))
    steps = [
        dict(zip(["name", "status", "seconds"], [n, int(s), float(t)]))
        for n, s, t in (line.split("\t") for line in lines(work, "steps.tsv"))
    ]
    log = {s["name"]: lines(work, s["name"] + ".log") for s in steps}
    return facts | {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "ended": ended,
        "clocks_each_second": [clocks(line) for line in lines(work, "clocks.csv")],
        "steps": steps,
        "failures": {s["name"]: log[s["name"]][-40:] for s in steps if s["status"] != 0},
        "tests": tests_of(work),
        "sanitizers": {
            s["name"]: [x for x in log[s["name"]] if "SUMMARY" in x or " ran." in x]
            for s in steps
            if "check_" in s["name"]
        },
        "benchmarks": [json.loads(line) for line in lines(work, "bench.ndjson")],
    }


def write(result, path):
    with open(path + ".part", "w") as out:
        json.dump(result, out, indent=1)
        out.write("\n")
    os.replace(path + ".part", path)


def show(result):
    print(f"{'step':<24}{'status':>8}{'seconds':>10}")
    for s in result["steps"]:
        print(f"{s['name']:<24}{s['status']:>8}{s['seconds']:>10.2f}")
    tests = result["tests"]
    if tests:
        skipped = len(tests["skipped"])
        print(f"tests: {tests['run']} run, {tests['failed']} failed, {skipped} skipped")
    for b in result["benchmarks"]:
        print(f"{b['name']:<60}{b['median']:>14.3f} {b['unit']}")


def main():
    work, path = sys.argv[1:3]
    ended = sys.argv[3:] == ["--end"]
    result = report(work, ended)
    write(result, path)
    if not ended:
        return
    show(result)
    # Where there is a GPU nothing may be skipped but the kernel for Hopper on others: a driver that
    # is too old would otherwise look like success.
    tests = result["tests"]
    if not tests or any("Hopper" not in name for name in tests["skipped"]):
        raise SystemExit("tests were skipped or left no report")


main()
