#!/bin/sh
# Five seconds of a simulated market: websocket, log, store, page. At the end every trade is counted.
cd "$(dirname "$0")" || exit
coinpipe=${COINPIPE_BIN:-../../bin/coinpipe}
"$coinpipe" demo --for 5s --port 0
