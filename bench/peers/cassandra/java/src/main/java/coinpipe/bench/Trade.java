package coinpipe.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A trade as it stands on the bus, and what its row needs. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Trade(
    String exchange, String symbol, String tradeId, BigDecimal price, BigDecimal size, String side, String sequence, long eventTime, long receivedTime) {
  static final ObjectReader READER = new ObjectMapper().readerFor(Trade.class);
  private static final long HOUR_MS = 3_600_000;

  /** One record a line. */
  static List<Trade> readAll(Path file) throws IOException {
    List<Trade> trades = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) trades.add(READER.readValue(line));
    }
    return trades;
  }

  long bucketMs() {
    return eventTime / 1000 / HOUR_MS * HOUR_MS;
  }

  Instant bucket() {
    return Instant.ofEpochMilli(bucketMs());
  }

  Instant time() {
    return Instant.ofEpochMilli(eventTime / 1000);
  }

  Partition partition() {
    return new Partition(exchange, symbol, bucketMs());
  }

  record Partition(String exchange, String symbol, long bucketMs) {}
}
