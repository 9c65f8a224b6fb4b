#!/usr/bin/env bash
# HAM10000, from its folder to a report, on two cores.
#
#   recipes/ham10000.sh FOLDER                        from no pretrained weights
#   recipes/ham10000.sh FOLDER WEIGHTS.safetensors    from ImageNet weights of mobilenetv2_100, with timm's keys
#
# FOLDER holds HAM10000_metadata.csv and the pictures. WORKSPACE (work-ham10000) takes the results; what is there
# already is kept, so that the second form adds its bundle to the report of the first, and a broken-off run goes on.
set -euo pipefail

folder=${1:?give the folder of HAM10000: recipes/ham10000.sh FOLDER [WEIGHTS.safetensors]}
weights=${2:-}
workspace=${WORKSPACE:-work-ham10000}
PATH=$(dirname "$0")/../.venv/bin:$PATH

if [ -n "$weights" ]; then
    recipe=ham10000_pretrained
    settings=(--set "weights=$weights")
else
    recipe=ham10000_pocket
    settings=()
fi

started=$SECONDS
[ -e "$workspace/1_dataset" ] || cutis curate "$folder" -w "$workspace" --taxonomy ham7
[ -e "$workspace/2_bundles/$recipe" ] || cutis train -c "$recipe" "${settings[@]}" -w "$workspace"
[ -e "$workspace/3_evaluation/$recipe" ] || cutis evaluate "$recipe" -w "$workspace"
[ -e "$workspace/4_explanation/$recipe" ] || cutis explain --name "$recipe" -w "$workspace"
cutis report -w "$workspace"
echo "from folder to report in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
