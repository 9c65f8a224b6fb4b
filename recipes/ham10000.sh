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

command -v cutis >/dev/null || { echo "cutis is not installed: run make demo or make test once" >&2; exit 1; }

# step RESULT COMMAND…: runs the command, unless its result is there already.
step() {
    if [ -e "$workspace/$1" ]; then echo "kept: $workspace/$1"; else "${@:2}" -w "$workspace"; fi
}

started=$SECONDS
step 1_dataset cutis curate "$folder" --taxonomy ham7
step "2_bundles/$recipe" cutis train -c "$recipe" ${settings[@]+"${settings[@]}"}
step "3_evaluation/$recipe" cutis evaluate "$recipe"
step "4_explanation/$recipe" cutis explain --name "$recipe"
cutis report -w "$workspace"
echo "from folder to report in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
