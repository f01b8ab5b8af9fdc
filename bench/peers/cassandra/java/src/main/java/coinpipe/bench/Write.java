package coinpipe.bench;

import java.nio.file.Path;
import java.util.List;

/** Rows that are decoded already: WARM-UP file first, then ROWS file under the clock. Prints one line of JSON. */
final class Write {
  private Write() {}

  static void run(String hosts, String keyspace, int batchRows, int inFlight, Path warmUp, Path file) throws Exception {
    try (Writer writer = new Writer(hosts, keyspace, inFlight)) {
      List<Trade> trades = Trade.readAll(file);
      writeAll(writer, Trade.readAll(warmUp), batchRows);
      System.gc();
      System.out.println("ready");
      if (System.in.read() < 0) return;
      long before = writer.batches();
      Measured measured = new Measured();
      writeAll(writer, trades, batchRows);
      System.out.println(measured.line(trades.size(), writer.batches() - before));
    }
  }

  private static void writeAll(Writer writer, List<Trade> trades, int batchRows) throws InterruptedException {
    Groups groups = new Groups(batchRows, writer::write);
    for (Trade trade : trades) groups.add(trade);
    groups.flush();
    writer.drain();
  }
}
