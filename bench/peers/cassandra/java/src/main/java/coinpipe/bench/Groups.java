package coinpipe.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Rows of each partition, given on once there are so many, or all at a flush. */
final class Groups {
  interface Full {
    void accept(List<Trade> rows) throws InterruptedException;
  }

  private final Map<Trade.Partition, List<Trade>> rows = new HashMap<>();
  private final int size;
  private final Full full;

  Groups(int size, Full full) {
    this.size = size;
    this.full = full;
  }

  void add(Trade trade) throws InterruptedException {
    List<Trade> group = rows.computeIfAbsent(trade.partition(), key -> new ArrayList<>(size));
    group.add(trade);
    if (group.size() < size) return;
    rows.remove(trade.partition());
    full.accept(group);
  }

  void flush() throws InterruptedException {
    for (List<Trade> group : rows.values()) full.accept(group);
    rows.clear();
  }
}
