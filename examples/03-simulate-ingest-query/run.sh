#!/bin/sh
# The parts as processes of their own: an exchange, a collector, a sink, and questions to the store.
set -e
cd "$(dirname "$0")"
coinpipe=${COINPIPE_BIN:-../../bin/coinpipe}
folder=$(mktemp -d)
COINPIPE_DATA_DIR=$folder/data COINPIPE_LOG_LEVEL=error
export COINPIPE_DATA_DIR COINPIPE_LOG_LEVEL

"$coinpipe" simulate --port 0 --rate 1000 --for 2m >"$folder/exchange" 2>/dev/null &
exchange=$!
trap 'kill $exchange; wait $exchange || true; rm -r "$folder"' EXIT
until url=$(grep -o "ws://.*" "$folder/exchange" 2>/dev/null); do kill -0 $exchange; sleep 0.1; done

# --json prints what each part did as one line.
count() { grep -o "\"$1\":[0-9]*" | grep -o '[0-9]*$' | awk '{sum += $1} END {print sum}'; }
collected=$("$coinpipe" ingest --exchange upbit --url "$url" --channels trade --count 3000 --json | count sent)
stored=$("$coinpipe" sink store --topics market.trade --count "$collected" --json | count sent)
answered=$("$coinpipe" query volume --json | count trades)
echo "$collected records collected, $stored written to the store, $answered trades in it"
[ "$collected" = "$stored" ] && [ "$stored" = "$answered" ] && echo 'the same number everywhere'

"$coinpipe" query trades --symbol BTC-KRW --last 3
