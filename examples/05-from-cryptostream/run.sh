#!/bin/sh
# CryptoStream's files become a coinpipe.yaml, which passes the check.
cd "$(dirname "$0")" || exit
coinpipe=${COINPIPE_BIN:-../../bin/coinpipe}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
"$coinpipe" config import --producer conf/producer.conf --consumer conf/consumer.conf --env-file cryptostream.env --out "$folder/coinpipe.yaml" 2>/dev/null
cat "$folder/coinpipe.yaml"
"$coinpipe" config check --config "$folder/coinpipe.yaml" --bus embedded | sed "s|$folder/||"
