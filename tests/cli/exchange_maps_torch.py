"""What exchange_maps_torch.sh does in PyTorch, in one process: fills cases.safetensors with three fillers, and
springs all traps on a stand-in for FlashInfer with different manners."""
import os
import shutil
import sys

source = os.environ["LVSA_SOURCE_DIR"]
sys.path[:0] = [source + "/python", source + "/tests/cli/standins"]

import torch  # noqa: E402

import flashinfer  # noqa: E402  (the stand-in)
import lvsa_fill  # noqa: E402
import lvsa_trap  # noqa: E402
import lvsa_traps  # noqa: E402
import lvsa_traps_flashinfer  # noqa: E402
import lvsa_traps_flex  # noqa: E402

torch.set_num_threads(1)
faults = []
for function in ("lvsa_fill:sdpa", "lvsa_flex:eager", "lvsa_flashinfer:block_sparse", "lvsa_flashinfer:variable"):
    path = function.replace(":", "_") + ".safetensors"
    shutil.copy("cases.safetensors", path)
    with lvsa_fill.open_file(path) as file:
        for group in ("case0000", "case0001", "case0002", "case0003"):
            lvsa_fill.fill(file[group], lvsa_fill.function_of(function), "cpu")


def verdicts(path, traps, only=None):
    found = {}
    with lvsa_fill.open_file(path, "r") as file:
        for group in sorted(g for g in file if g.startswith("case")):
            case = file[group]
            if only not in (None, case.attrs["trap"]):
                continue
            trap, pattern = traps.TRAPS[case.attrs["trap"]], lvsa_fill.pattern_of(case)
            try:
                found[case.attrs["trap"]] = trap.spring(*(lvsa_fill.load(case, n, "cpu") for n in "qkv"), pattern)[0]
            except NotImplementedError:
                found[case.attrs["trap"]] = "not run"
            known = lvsa_traps.state_of(trap, found[case.attrs["trap"]])
            found[case.attrs["trap"] + " state"] = known
    return found


def due(manner, name, verdict, state):
    flashinfer._MANNER = manner
    found = verdicts("traps.safetensors", lvsa_traps_flashinfer, name)
    if (found[name], found[name + " state"]) != (verdict, state):
        faults.append(f"stand-in '{manner}': {name} is {found[name]}, {found[name + ' state']}; {verdict}, {state} is due")


plain = verdicts("traps.safetensors", lvsa_traps_flashinfer)
if len(plain) != 30 or set(v for k, v in plain.items() if k.endswith(" state")) != {"holds"}:
    faults.append(f"the stand-in without manners: {plain}")
for caught in ("index-beyond-blocks", "empty-map", "ragged-last-key-block"):
    if plain[caught] != "caught":
        faults.append(f"{caught} is {plain[caught]}; caught is due")
due("strict", "index-equal-to-blocks", "caught", "holds")
due("natural", "base-2-log-sum-exp", "unknown", "fails")
due("finite", "empty-rows", "trap", "holds")
due("masks", "element-mask-changes-kernel", "unknown", "fails")

flex = verdicts("flex.safetensors", lvsa_traps_flex)
if "fails" in flex.values() or flex["blocks-ignored-uncompiled"] not in ("trap", "caught", "fine"):
    faults.append(f"FlexAttention: {flex}")
if not lvsa_trap.close([1.0, 2.0], [1.0, 2.01]) or lvsa_trap.close([1.0, float("nan")], [1.0, 2.0]):
    faults.append("close() is not what it says")
for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(1 if faults else 0)
