/** What Cassandra 5 asks of Java 17's module system, which otherwise shuts it out of the JDK's inside. */
export const CASSANDRA_MODULE_FLAGS: readonly string[] = [
  ...exported([
    'java.base/jdk.internal.misc',
    'java.base/java.lang.ref',
    'java.management.rmi/com.sun.jmx.remote.internal.rmi',
    'java.rmi/sun.rmi.registry',
    'java.rmi/sun.rmi.server',
    'java.sql/java.sql',
    'jdk.unsupported/sun.misc',
    'jdk.attach/sun.tools.attach',
  ]),
  ...opened([
    'java.base/java.lang.module',
    'java.base/jdk.internal.loader',
    'java.base/jdk.internal.ref',
    'java.base/jdk.internal.reflect',
    'java.base/jdk.internal.math',
    'java.base/jdk.internal.module',
    'java.base/jdk.internal.util.jar',
    'jdk.management/com.sun.management.internal',
    'java.base/sun.nio.ch',
    'java.base/java.io',
    'java.base/java.lang',
    'java.base/java.lang.reflect',
    'java.base/java.util',
  ]),
  '-Djdk.attach.allowAttachSelf=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
]

function exported(packages: readonly string[]): string[] {
  return packages.map((name) => `--add-exports=${name}=ALL-UNNAMED`)
}

function opened(packages: readonly string[]): string[] {
  return packages.map((name) => `--add-opens=${name}=ALL-UNNAMED`)
}
