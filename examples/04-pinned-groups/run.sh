#!/bin/sh
# A config is checked before anything is connected to: the good one, then one with seven mistakes.
cd "$(dirname "$0")" || exit
coinpipe=${COINPIPE_BIN:-../../bin/coinpipe}
"$coinpipe" config check
"$coinpipe" config show --origin --set topics.market.trade.partitions=12 | grep 'market.trade'
"$coinpipe" config check --config broken.yaml
echo "exit code $?"
