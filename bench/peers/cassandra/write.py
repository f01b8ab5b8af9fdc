"""The Python driver under the protocol of the Cassandra benches (bench/cassandra/writers.ts): the same batches of the same rows.

Arguments: hosts, keyspace, rows a batch, requests in flight, a file of rows for the warm-up, a file of rows to measure. Prints `ready`, waits for a line,
writes, and prints one line of JSON.
"""
import datetime
import json
import sys
import threading
import time
from decimal import Decimal

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType

HOUR_MS = 3_600_000
COLUMNS = 'exchange, symbol, bucket_hour, event_time, id, event_us, received_us, price, size, side, sequence'


def read_rows(path):
    with open(path, encoding='utf-8') as file:
        return [row_of(json.loads(line)) for line in file]


def row_of(trade):
    ms = trade['eventTime'] // 1000
    return (
        trade['exchange'],
        trade['symbol'],
        utc(ms // HOUR_MS * HOUR_MS),
        utc(ms),
        trade['tradeId'],
        trade['eventTime'],
        trade['receivedTime'],
        Decimal(trade['price']),
        Decimal(trade['size']),
        trade['side'],
        trade.get('sequence', UNSET_VALUE),
    )


def utc(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).replace(tzinfo=None)


class Writer:
    def __init__(self, hosts, keyspace, batch_rows, in_flight):
        profile = ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy('datacenter1')),
            consistency_level=ConsistencyLevel.ONE,
            request_timeout=30,
        )
        self.cluster = Cluster(hosts.split(','), execution_profiles={EXEC_PROFILE_DEFAULT: profile})
        self.session = self.cluster.connect(keyspace)
        self.insert = self.session.prepare(f'INSERT INTO trade_by_symbol ({COLUMNS}) VALUES ({", ".join("?" * 11)})')
        self.batch_rows = batch_rows
        self.in_flight = in_flight
        self.places = threading.Semaphore(in_flight)
        self.batches = 0
        self.error = None

    def write(self, rows):
        groups = {}
        for row in rows:
            group = groups.setdefault(row[:3], [])
            group.append(row)
            if len(group) == self.batch_rows:
                self.send(groups.pop(row[:3]))
        for group in groups.values():
            self.send(group)
        for _ in range(self.in_flight):
            self.places.acquire()
        for _ in range(self.in_flight):
            self.places.release()
        if self.error is not None:
            raise self.error

    def send(self, rows):
        self.places.acquire()
        if self.error is not None:
            raise self.error
        batch = BatchStatement(BatchType.UNLOGGED, consistency_level=ConsistencyLevel.ONE)
        for row in rows:
            batch.add(self.insert, row)
        self.batches += 1
        self.session.execute_async(batch).add_callbacks(self.done, self.failed)

    def done(self, _):
        self.places.release()

    def failed(self, error):
        self.error = error
        self.places.release()


def main():
    hosts, keyspace, batch_rows, in_flight, warm_up, file = sys.argv[1:]
    writer = Writer(hosts, keyspace, int(batch_rows), int(in_flight))
    rows = read_rows(file)
    writer.write(read_rows(warm_up))
    print('ready', flush=True)
    sys.stdin.readline()
    batches, start_cpu, started = writer.batches, time.process_time(), time.monotonic()
    writer.write(rows)
    seconds, cpu = time.monotonic() - started, time.process_time() - start_cpu
    result = {'rows': len(rows), 'batches': writer.batches - batches, 'seconds': seconds, 'cpuSeconds': cpu, 'startCpuSeconds': start_cpu}
    print(json.dumps(result), flush=True)
    writer.cluster.shutdown()


main()
