#!/bin/sh
# lvsa-verify geometry and recommend as a user runs them: verdicts, exit codes, batches, model folders, bad input.
set -u
# shellcheck source=tests/cli/common.inc
. "$LVSA_SOURCE_DIR/tests/cli/common.inc"

gives 1 'verdict    misread' geometry --seq-len 42840 --latent-frames 21
gives 1 'export LVSA_PATCHES_PER_FRAME=3600' geometry --seq-len 75600 --model wan-14b --frames 81
gives 0 'verdict    dense-by-design' geometry --seq-len 32760 --model wan-1.3b --frames 81
gives 0 '"verdict": "sparse"' geometry --seq-len 63960 --model wan-1.3b --frames 161 --json
gives 1 '"message": "[LVSA-FALLBACK] origin=forward_cuda reason=geometry_detect seq_len=4096 T_lat=21, known_ppf=[1560]' \
  geometry --seq-len 4096 --frames 81 --json
printf 'LVSA_PATCHES_PER_FRAME=3600\nLVSA_TOTAL_LATENT_FRAMES=41\n' >settings
gives 0 'verdict    sparse' geometry --seq-len 147600 --model wan-14b --env settings

refuses 'seq_len is 0' geometry --seq-len 0 --frames 81
refuses 'seq_len is -5' geometry --seq-len -5 --frames 81
refuses 'the number of frames is unknown' geometry --seq-len 32760
refuses 'seq_len is 9223372036854775807' geometry --seq-len 9223372036854775807 --frames 81
refuses 'no 64-bit integer' geometry --seq-len 1e5 --frames 81
refuses '--height and --width together' geometry --seq-len 32760 --frames 81 --height 480
refuses 'height is 0' geometry --seq-len 32760 --frames 81 --height 0 --width 832
refuses 'ring degree is 0' geometry --seq-len 32760 --frames 81 --ring 0
refuses "path 'hook'" geometry --seq-len 32760 --frames 81 --path hook
refuses 'one of the two is due' geometry --seq-len 32760 --frames 81 --latent-frames 21

printf 'step,seq_len,T\n0,32760,21\n1,32760,21\n2,42840,21\n' >calls.csv
gives 1 '3 calls, 2 distinct' geometry --batch calls.csv --model wan-1.3b --html calls.html
grep -q 'Why misread' calls.html
refuses '--html is the page of a log or a batch' geometry --seq-len 32760 --frames 81 --html one.html
printf '{"seq_len": 32760, "frames": 81}\n{"seq_len": 32760, "T": 21}\n' >calls.ndjson
gives 0 '"dense-by-design": 2' geometry --batch calls.ndjson --model wan-1.3b --json
printf 'seq_len,T\n32760,x\n' >bad.csv
refuses "bad.csv:2: 'x' is no whole number" geometry --batch bad.csv
printf 'a,b\n1,2\n' >bad.csv
refuses 'names no column seq_len' geometry --batch bad.csv
: >empty.csv
refuses 'nothing in it' geometry --batch empty.csv
refuses 'missing.csv' geometry --batch missing.csv

mkdir -p model/transformer model/vae
printf '{"_class_name": "WanTransformer3DModel", "num_attention_heads": 24, "attention_head_dim": 128, "num_layers": 30, "patch_size": [1, 2, 2]}' \
  >model/transformer/config.json
printf '{"_class_name": "AutoencoderKLWan", "scale_factor_temporal": 4, "scale_factor_spatial": 16}' >model/vae/config.json
gives 1 'export LVSA_PATCHES_PER_FRAME=880' geometry --seq-len 27280 --model ./model --frames 121
printf '{"_class_name": "WanTransformer3DModel"}' >model/transformer/config.json
refuses '"num_attention_heads"' geometry --seq-len 27280 --model ./model --frames 121
printf '{"_class_name": "FluxTransformer2DModel", "num_attention_heads": 24, "attention_head_dim": 128, "num_layers": 19}' \
  >model/transformer/config.json
refuses 'makes images' geometry --seq-len 4096 --model ./model --frames 1
refuses 'no folder' geometry --seq-len 4096 --model ./nothing --frames 1

gives 0 'export LVSA_WAN_HOOK=1' recommend --model wan-14b --frames 161
gives 0 'LVSA_PATCHES_PER_FRAME=3600' recommend --model wan-14b --frames 161 --height 720 --width 1280 --gpus 4 --memory 80
refuses 'Ulysses 2 would engage' recommend --model wan-14b --frames 161 --ring 2
refuses 'do not divide' recommend --model wan-14b --frames 161 --gpus 7

all_good
