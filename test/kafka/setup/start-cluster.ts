import type {TestProject} from 'vitest/node'
import type {KafkaUnderTest} from '../../helpers/kafka.ts'

/** Starts the cluster that all files of a part share; COINPIPE_TEST_KAFKA_KRAFT and …_ZOOKEEPER name one that runs already. */
export function startCluster(mode: KafkaUnderTest['mode']) {
  return async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
    const running = process.env[`COINPIPE_TEST_KAFKA_${mode.toUpperCase()}`]
    if (running !== undefined) {
      project.provide('kafka', {mode, brokers: running.split(','), classpath: process.env.COINPIPE_TEST_KAFKA_CLASSPATH ?? ''})
      return undefined
    }
    return undefined
  }
}
