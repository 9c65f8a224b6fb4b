#!/usr/bin/env bash
# Dermatologists against the network, on public data, from folders to a report.
#
#   recipes/reader_study.sh FOLDER VOTES WEIGHTS.safetensors [READS.csv]
#
# FOLDER holds HAM10000: HAM10000_metadata.csv and the pictures. VOTES holds the counted votes of the 2018 reader study
# on the same images (training_set_isic*.csv, ISIC-Research/ISIC-Study-Data). WEIGHTS are ImageNet weights of
# mobilenetv2_100 with timm's keys. READS.csv, if given, has one row per dermatologist and photograph (dermx_reads.csv of
# DermX); it needs no network.
# As it stands it takes 24 minutes on two cores: five networks at 64 pixels, three epochs each. So small a network is
# behind the dermatologists in balanced accuracy. SETTINGS go further, such as SETTINGS="--set size=144 --set epochs=10";
# the training's time grows with pixels times epochs, here to some 17 times as much.
# WORKSPACE (work-readers) takes the results; what is there already is kept, so that a broken-off run goes on.
set -euo pipefail

usage="recipes/reader_study.sh FOLDER VOTES WEIGHTS.safetensors [READS.csv]"
folder=${1:?give the folder of HAM10000: $usage}
votes=${2:?give the folder of the votes: $usage}
weights=${3:?give the weights: $usage}
reads=${4:-}
workspace=${WORKSPACE:-work-readers}
PATH=$(dirname "$0")/../.venv/bin:$PATH
read -r -a settings <<<"${SETTINGS:-}"

command -v cutis >/dev/null || { echo "cutis is not installed: run make demo or make test once" >&2; exit 1; }

# step RESULT COMMAND…: runs the command, unless its result is there already.
step() {
    if [ -e "$workspace/$1" ]; then echo "kept: $workspace/$1"; else "${@:2}" -w "$workspace"; fi
}

started=$SECONDS
step 1_dataset cutis curate "$folder" --taxonomy ham7
step 2_bundles/reader_study cutis train -c reader_study --set "weights=$weights" ${settings[@]+"${settings[@]}"}
step 5_readers/scores/ham10000 cutis readers score --name ham10000 --network reader_study --out-of-fold \
    --pictures "$folder" --column case_id=isic_id \
    --votes "all=$votes/training_set_isic.csv" \
    --votes "dermatologists=$votes/training_set_isic_derms.csv" \
    --votes "others=all-dermatologists" \
    --votes "experts=$votes/training_set_isic_exp.csv" \
    --votes "non-experts=$votes/training_set_isic_nonexp.csv"
if [ -n "$reads" ]; then
    step 5_readers/scores/dermx cutis readers score "$reads" --name dermx \
        --column reader_id=reader --column case_id=image --column occasion=read \
        --column diagnosis=reader_diagnosis --column truth=gold_diagnosis \
        --means Other-disease=none --means Low-quality=none \
        --count-further --drop-without-truth --skip-unanswered
fi
cutis report -w "$workspace"
echo "from folder to report in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
