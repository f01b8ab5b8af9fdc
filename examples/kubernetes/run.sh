#!/bin/sh
# Prints what Kubernetes gets, for KEDA and for its own autoscaler, and compares it with the files here. Nothing is started or applied.
cd "$(dirname "$0")" || exit
coinpipe=${COINPIPE_BIN:-../../bin/coinpipe}
render() {
  "$coinpipe" sink autoscale cassandra --config coinpipe.yaml --topics market.trade --min 1 --max 6 --target-lag 30s --lag-per-worker 300000 \
    --image registry.example/coinpipe:1 --render "$1" -- --skip-expired
}
for what in keda hpa; do
  render "$what" | diff "$what.yaml" - && echo "$what.yaml is as rendered"
done
grep -hE '^kind|ReplicaCount|Replicas|lagThreshold|averageValue' keda.yaml hpa.yaml
