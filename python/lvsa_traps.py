"""Springs the known traps of FlashInfer's block-sparse wrapper and of FlexAttention on your installation.

    lvsa-verify export flashinfer-traps -o traps.h5        # or flex-traps
    python3 lvsa_traps.py traps.h5 --device cuda
    lvsa-verify check traps.h5 --out report

Each case of the file names a trap. It is sprung in a process of its own, which may crash; then the case is filled the
careful way (lvsa_flashinfer:block_sparse, lvsa_flex:eager), which `check` judges like any other. What was seen goes
into the file, too. Verdicts: `trap`, the library does what is known of it, which the careful way avoids; `caught`, it
refuses; `fine`, it does what a user would expect; `unknown`, anything else: then what the careful way counts on does
not hold here, and `check` fails the case. Exit code 0: none unknown, 1: some, 2: bad input.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

import lvsa_fill

LIBRARIES = {"flashinfer": ("lvsa_traps_flashinfer", "lvsa_flashinfer:block_sparse"),
             "flex": ("lvsa_traps_flex", "lvsa_flex:eager")}
MARK = "lvsa-trap "


def traps_of(library):
    import importlib
    return importlib.import_module(LIBRARIES[library][0])


def probe(options):
    """In the child: springs the trap of one case and prints what was seen."""
    traps = traps_of(options.library)
    with lvsa_fill.open_file(options.file, "r") as file:
        group = file[options.probe]
        trap, pattern = traps.TRAPS[group.attrs["trap"]], lvsa_fill.pattern_of(group)
        q, k, v = (lvsa_fill.load(group, name, options.device) for name in "qkv")
    try:
        verdict, seen = trap.spring(q, k, v, pattern)
    except NotImplementedError as reason:
        verdict, seen = "not run", str(reason)
    print(MARK + json.dumps([verdict, seen]), flush=True)


def spring(options, group):
    """(verdict, what was seen) of a case, from a child."""
    command = [sys.executable, os.path.abspath(__file__), options.file, "--device", options.device, "--library",
               options.library, "--probe", group]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=options.timeout, check=False)
    except subprocess.TimeoutExpired:
        return "unknown", f"no answer within {options.timeout:g} s"
    for line in child.stdout.splitlines():
        if line.startswith(MARK):
            return tuple(json.loads(line[len(MARK):]))
    last = (child.stderr.strip().splitlines() or ["nothing on stderr"])[-1]
    return "crash", f"the process ended with code {child.returncode}: {last[:200]}"


def fill_carefully(group, function, device):
    """False where the careful way raised; the case is left without outputs then, which `check` tells."""
    try:
        lvsa_fill.fill(group, function, device)
    except Exception as error:  # the other cases go on
        print(f"  the careful way failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        return False
    return True


def state_of(trap, verdict):
    if verdict == "not run":
        return "not applicable"
    return "holds" if verdict in ("caught", "fine") or verdict in trap.known else "fails"


def report(name, trap, verdict, seen):
    """One line for the file; a paragraph for the terminal."""
    text = f"{verdict}: {seen}; known: {trap.what}; avoid: {trap.avoid}"
    print(f"{verdict:8} {name}\n  seen:  {seen}\n  known: {trap.what}\n  avoid: {trap.avoid}")
    return " ".join(text.split())


def refuse(message):
    print(f"lvsa_traps.py: {message}", file=sys.stderr)
    sys.exit(2)


def names_of(path):
    """(library, trap of each group)."""
    with lvsa_fill.open_file(path, "r") as file:
        suite = str(file.attrs.get("traps", ""))
        names = {group: file[group].attrs.get("trap") for group in sorted(g for g in file if g.startswith("case"))}
    library = suite.removesuffix("-traps")
    if library not in LIBRARIES:
        refuse(f"{path}: holds no traps; lvsa-verify export flashinfer-traps or flex-traps makes such a file")
    return library, names


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="file of lvsa-verify export flashinfer-traps or flex-traps; filled in place")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for each trap (default: 600)")
    parser.add_argument("--jobs", type=int, default=1 + (os.cpu_count() or 1) // 8, help="traps at a time")
    parser.add_argument("--library", help=argparse.SUPPRESS)
    parser.add_argument("--probe", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.probe:
        return probe(options)
    if not os.path.exists(options.file):
        refuse(f"{options.file}: no such file")
    options.library, names = names_of(options.file)
    try:
        traps = traps_of(options.library)
    except ImportError as error:
        refuse(f"{options.library} cannot be imported: {error}")
    print(f"{options.library} {traps.version()}, device {options.device}")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:  # before the file is opened for writing
        seen = dict(zip(names, pool.map(lambda group: spring(options, group), names)))
    function = lvsa_fill.function_of(LIBRARIES[options.library][1])
    states = []
    with lvsa_fill.open_file(options.file) as file:
        file.attrs["kernel"] = f"{options.library}-{traps.version()}"
        for group, name in names.items():
            trap = traps.TRAPS[name]
            file[group].attrs["trap_seen"] = report(name, trap, *seen[group])
            file[group].attrs["trap_state"] = state_of(trap, seen[group][0])
            states.append(file[group].attrs["trap_state"])
            if not fill_carefully(file[group], function, options.device):
                states.append("fails")
    print(f"{options.file}: {len(names)} traps sprung, {states.count('fails')} not as known or not avoided")
    return 1 if "fails" in states else 0


if __name__ == "__main__":
    sys.exit(main())
