package coinpipe.bench;

import java.nio.file.Path;

/** {@code write HOSTS KEYSPACE BATCH_ROWS IN_FLIGHT WARM_UP_FILE ROWS_FILE} or {@code pipe HOSTS KEYSPACE BATCH_ROWS IN_FLIGHT BROKERS TOPIC GROUP RECORDS}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    int batchRows = Integer.parseInt(args[3]);
    int inFlight = Integer.parseInt(args[4]);
    if (args[0].equals("write")) Write.run(args[1], args[2], batchRows, inFlight, Path.of(args[5]), Path.of(args[6]));
    else Pipe.run(args[1], args[2], batchRows, inFlight, args[5], args[6], args[7], Long.parseLong(args[8]));
  }
}
