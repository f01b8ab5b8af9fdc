package coinpipe.bench;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchType;
import com.datastax.oss.driver.api.core.cql.BatchableStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;

/** Writes trades in unlogged batches of one partition, so many at once, to a replica of each. */
final class Writer implements AutoCloseable {
  private final CqlSession session;
  private final PreparedStatement insert;
  private final Semaphore places;
  private final int inFlight;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private long batches;

  Writer(String hosts, String keyspace, int inFlight) {
    this.inFlight = inFlight;
    places = new Semaphore(inFlight);
    var config =
        DriverConfigLoader.programmaticBuilder()
            .withString(DefaultDriverOption.REQUEST_CONSISTENCY, DefaultConsistencyLevel.ONE.name())
            .withBoolean(DefaultDriverOption.REQUEST_DEFAULT_IDEMPOTENCE, true)
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(30))
            .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, Duration.ofSeconds(10))
            .build();
    var builder = CqlSession.builder().withConfigLoader(config).withLocalDatacenter("datacenter1").withKeyspace(keyspace);
    for (String host : hosts.split(",")) builder.addContactPoint(new InetSocketAddress(host, 9042));
    session = builder.build();
    insert =
        session.prepare(
            "INSERT INTO trade_by_symbol (exchange, symbol, bucket_hour, event_time, id, event_us, received_us, price, size, side, sequence)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  }

  /** Waits for a place among those under way. The result fails where the batch does. */
  CompletableFuture<Void> write(List<Trade> rows) throws InterruptedException {
    check();
    places.acquire();
    batches += 1;
    List<BatchableStatement<?>> statements = new ArrayList<>(rows.size());
    for (Trade row : rows) statements.add(bind(row));
    return session
        .executeAsync(BatchStatement.newInstance(BatchType.UNLOGGED, statements))
        .toCompletableFuture()
        .handle(
            (result, error) -> {
              if (error != null) failure.compareAndSet(null, error);
              places.release();
              return null;
            });
  }

  /** Until nothing is under way. */
  void drain() throws InterruptedException {
    places.acquire(inFlight);
    places.release(inFlight);
    check();
  }

  void check() {
    if (failure.get() != null) throw new IllegalStateException("a batch was not written", failure.get());
  }

  long batches() {
    return batches;
  }

  private BoundStatement bind(Trade row) {
    BoundStatementBuilder bound =
        insert
            .boundStatementBuilder()
            .setString(0, row.exchange())
            .setString(1, row.symbol())
            .setInstant(2, row.bucket())
            .setInstant(3, row.time())
            .setString(4, row.tradeId())
            .setLong(5, row.eventTime())
            .setLong(6, row.receivedTime())
            .setBigDecimal(7, row.price())
            .setBigDecimal(8, row.size())
            .setString(9, row.side());
    if (row.sequence() != null) bound.setString(10, row.sequence());
    return bound.build();
  }

  @Override
  public void close() {
    session.close();
  }
}
