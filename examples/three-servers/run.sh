#!/bin/sh
# What can be shown on one machine: the config is checked, and what each node of the second server would get is printed. Nothing is started.
cd "$(dirname "$0")" || exit
coinpipe=${COINPIPE_BIN:-../../bin/coinpipe}
"$coinpipe" config check
set -a
. ./node.env
COINPIPE_ID=2
COINPIPE_MEMORY=8GiB
"$coinpipe" cluster node kafka --plan | grep -E '^(kafka-|memory|  |listeners|advertised|controller.quorum.voters|-Xm)'
"$coinpipe" cluster node cassandra --plan | grep -E '^(cassandra-|cluster_name|listen_address|num_tokens|commitlog_sync|-Xm)|seeds'
COINPIPE_MODE=zookeeper
"$coinpipe" cluster node zookeeper --plan | grep -E '^(zookeeper-|memory|  |server|clientPort|-Xm)'
