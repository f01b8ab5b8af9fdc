package coinpipe.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** Time and CPU time of the whole process, compiler and garbage collector included, from here on. */
final class Measured {
  private static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private final long startedNs = System.nanoTime();
  private final long startCpuNs = SYSTEM.getProcessCpuTime();

  /** What it came to, a line of JSON. */
  String line(long rows, long batches) {
    double seconds = (System.nanoTime() - startedNs) / 1e9;
    double cpu = (SYSTEM.getProcessCpuTime() - startCpuNs) / 1e9;
    return "{\"rows\":%d,\"batches\":%d,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"startCpuSeconds\":%.6f}"
        .formatted(rows, batches, seconds, cpu, startCpuNs / 1e9);
  }
}
