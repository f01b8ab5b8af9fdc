/** How servers log: to stdout, which their starter keeps in a file or passes on; warnings, and what says that they are up. */

/** Kafka 4 logs by log4j 2; loggers are added to it. */
export const LOG4J2 = `status = error
shutdownHook = disable
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`

/** Kafka 3 and ZooKeeper log by log4j 1; loggers are added to it. */
export const LOG4J = `log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
log4j.logger.kafka.server.KafkaServer=INFO
`

/** Cassandra logs by logback. */
export const LOGBACK = `<configuration scan="false">
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>[%date{ISO8601}] %-5level %msg \\(%logger{36}\\)%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="OUT"/></root>
  <logger name="org.apache.cassandra.service" level="INFO"/>
</configuration>
`
