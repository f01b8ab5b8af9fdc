#!/bin/sh
# Frames to records, offline: exact prices, ids beyond 2^53 kept, the trade that came twice left out.
cd "$(dirname "$0")" || exit
coinpipe=${COINPIPE_BIN:-../../bin/coinpipe}
"$coinpipe" decode upbit.capture --exchange upbit --dedup
