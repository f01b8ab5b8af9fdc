package coinpipe.bench;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A topic of trades into Cassandra until so many are written; offsets are committed once all rows before them are acknowledged. Prints one line of JSON and waits for one, so that it can be looked at. */
final class Pipe {
  private static final int POLL_RECORDS = 5000;
  private static final Duration WAIT = Duration.ofMillis(100);
  private static final long QUIET_MS = 60_000;

  /** What one poll gave, and when it is written. */
  private record Polled(CompletableFuture<Void> written, Map<TopicPartition, OffsetAndMetadata> next) {}

  private Pipe() {}

  static void run(String hosts, String keyspace, int batchRows, int inFlight, String brokers, String topic, String group, long records) throws Exception {
    Measured measured = new Measured();
    try (Writer writer = new Writer(hosts, keyspace, inFlight);
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties(brokers, group))) {
      consumer.subscribe(List.of(topic));
      long seen = 0;
      ArrayDeque<Polled> underWay = new ArrayDeque<>();
      for (long quietSince = System.currentTimeMillis(); seen < records; ) {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(WAIT);
        commitWritten(consumer, underWay);
        if (polled.isEmpty()) {
          if (System.currentTimeMillis() - quietSince > QUIET_MS) throw new IllegalStateException("only " + seen + " records came");
          continue;
        }
        quietSince = System.currentTimeMillis();
        seen += polled.count();
        underWay.add(write(writer, batchRows, polled));
      }
      writer.drain();
      commitWritten(consumer, underWay);
      consumer.commitSync();
      System.out.println(measured.line(seen, writer.batches()));
      System.in.read();
    }
  }

  private static Polled write(Writer writer, int batchRows, ConsumerRecords<byte[], byte[]> polled) throws Exception {
    List<CompletableFuture<Void>> written = new ArrayList<>();
    Groups groups = new Groups(batchRows, rows -> written.add(writer.write(rows)));
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
    for (TopicPartition partition : polled.partitions()) {
      List<ConsumerRecord<byte[], byte[]>> records = polled.records(partition);
      for (ConsumerRecord<byte[], byte[]> record : records) groups.add(Trade.READER.readValue(record.value()));
      next.put(partition, new OffsetAndMetadata(records.get(records.size() - 1).offset() + 1));
    }
    groups.flush();
    return new Polled(CompletableFuture.allOf(written.toArray(CompletableFuture[]::new)), next);
  }

  private static void commitWritten(KafkaConsumer<byte[], byte[]> consumer, ArrayDeque<Polled> underWay) {
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
    while (!underWay.isEmpty() && underWay.peek().written().isDone()) next.putAll(underWay.poll().next());
    if (!next.isEmpty()) consumer.commitAsync(next, null);
  }

  private static Properties properties(String brokers, String group) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", brokers);
    properties.put("group.id", group);
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    properties.put("max.poll.records", String.valueOf(POLL_RECORDS));
    properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
    properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
    return properties;
  }
}
