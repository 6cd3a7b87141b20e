#!/usr/bin/env python3
"""Times the block-sparse kernels beside dense cuDNN on one GPU, in one process, interleaved.

Sections:
  rfc      6,630, 12,870 and 29,700 tokens, 40 heads: SpargeAttn with top-k 0.5, 0.3 and 0.2, the
           prediction included, attention alone and the prediction alone, dense cuDNN, and with
           --flex FlexAttention over the same maps
  lvsa     LVSA's own pattern: the block-sparse kernel (blocks through the sequence with element
           masks, and blocks that end with their frame) beside the LVSA kernel
  density  maps drawn at random, a tenth to all of the blocks
  extras   what an order of the tokens and the online skip cost

Each output is first compared with fp64 on sampled rows; one that disagrees fails the run. Prints
tables; --json writes the raw samples with what is needed to judge them. With --host the kernels are
in host memory and everything is tiny: it tries this script where no GPU is, its times mean nothing.
"""
import argparse
import json
import sys

import torch

import blocks_library
import blocks_sections
import blocks_timing

SECTIONS = ("rfc", "lvsa", "density", "extras")


def block_size(text):
    rows, _, columns = text.partition("x")
    return int(rows), int(columns)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="path of liblvsa_cuda.so")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=["rfc", "lvsa"])
    parser.add_argument("--kernel", default="cuda-blocks")
    parser.add_argument("--blocks", nargs="+", type=block_size,
                        default=[(128, 64), (64, 128), (128, 128)], metavar="RxC")
    parser.add_argument("--tokens", nargs="+", type=int, choices=list(blocks_sections.GRIDS),
                        help="of section rfc; default: all three")
    parser.add_argument("--topk", nargs="+", type=float, default=[0.5, 0.3, 0.2])
    parser.add_argument("--heads", type=int, default=40, help="of all sections but lvsa")
    parser.add_argument("--inputs", nargs="+", choices=("smooth", "normal"),
                        default=["smooth", "normal"], help="of section rfc: q and k")
    parser.add_argument("--geometry", nargs="+", choices=blocks_sections.GEOMETRIES,
                        default=["wan1.3b-T21", "wan1.3b-T41", "wan1.3b-T61", "hunyuan-T49",
                                 "hunyuan-T49-text512"], help="of section lvsa")
    parser.add_argument("--density", nargs="+", type=float,
                        default=[0.1, 0.3, 0.5, 0.7, 0.9, 1.0], help="of section density")
    parser.add_argument("--rounds", type=int, default=10, help="two samples each")
    parser.add_argument("--flex", action="store_true", help="FlexAttention too (compiles)")
    parser.add_argument("--flush", type=int, default=0, metavar="MIB",
                        help="overwrites so much memory before each sample, so that nothing is left "
                             "in L2; default: not")
    parser.add_argument("--unplanned", action="store_true",
                        help="calls that copy their maps from the host (not section rfc), even where "
                             "the library has plans (cuda/launch/block_plan.h)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commit", default="unknown", help="of the library, for the record")
    parser.add_argument("--json", help="file for the raw samples")
    parser.add_argument("--host", action="store_true", help="kernels in host memory, tiny sizes")
    return parser.parse_args()


def main():
    options = arguments()
    if not options.host and not torch.cuda.is_available():
        print("block_table: no usable GPU", file=sys.stderr)
        return 77
    torch.manual_seed(options.seed)
    try:
        bench = blocks_sections.Bench(blocks_library.Library(options.library), options)
    except (OSError, blocks_library.Refused) as error:
        print(f"block_table: {error}", file=sys.stderr)
        return 2
    record = blocks_timing.provenance(options.commit, not options.host)
    record.update(options={key: value for key, value in vars(options).items() if key != "json"},
                  l2="not flushed" if not options.flush else f"{options.flush} MiB overwritten")
    record.update(rows=bench.rows, faults=bench.faults)

    def save():  # after each case: a run that is cut short leaves what it has
        record["clocks_after"] = blocks_timing.smi(blocks_timing.SMI_FIELDS)
        if options.json:
            with open(options.json, "w", encoding="utf-8") as file:
                json.dump(record, file, indent=1)
    bench.save = save
    for section in options.sections:
        getattr(bench, section)()
    save()
    for fault in bench.faults:
        print(f"block_table: {fault}", file=sys.stderr)
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
