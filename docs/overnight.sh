#!/usr/bin/env bash
# Fit overnight what was measured during the day.
#
#   overnight.sh DATA RESULTS
#
# DATA: folder of the reduced data, *.dat. RESULTS: folder of results.h5, results.csv and a log; made if it is not
# there. A line for crontab -e, every working day at half past seven in the evening:
#
#   30 19 * * 1-5  /home/instrument/overnight.sh /data/current /data/fits
#
# By the morning it stops by itself; what is not done by then is done in the next night, and what is done is not
# done again. Two of them at a time do no harm: the second sees the first at work and leaves.
set -euo pipefail

if [ $# -ne 2 ]; then
    echo "usage: $0 DATA RESULTS" >&2
    exit 2
fi
data=$1
results=$2
sasnet=${SASNET:-sasnet}   # cron's PATH is short: SASNET=/opt/sasnet/bin/sasnet
hours=${HOURS:-10}
workers=${WORKERS:-$(nproc)}

mkdir -p "$results"
log="$results/overnight.log"
echo "$(date '+%F %T') begin: $data" >>"$log"

# The pattern is quoted: sasnet expands it, as ten thousand names do not fit on a command line.
status=0
timeout --signal=TERM --kill-after=60 "${hours}h" \
    nice -n 10 "$sasnet" batch "$data/*.dat" --out "$results/results.h5" \
    --workers "$workers" --time-limit 60 >>"$log" 2>&1 || status=$?

case $status in
    0) word="every file has its answer" ;;
    1) word="some files have no answer, see the column error of results.csv, or the last lines above" ;;
    124) word="stopped after $hours h, goes on next night" ;;
    *) word="ended with status $status" ;;
esac
echo "$(date '+%F %T') end: $word" >>"$log"

# cron mails what is printed; a night without failures is silent.
if [ "$status" -ne 0 ] && [ "$status" -ne 124 ]; then
    echo "sasnet: $word ($log)"
fi
exit "$status"
