import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {TestProject} from 'vitest/node'
import {ensureJars} from '../../../src/lib/cluster/jars.ts'
import {ClusterService} from '../../../src/lib/cluster/service.ts'
import type {ClusterStatus} from '../../../src/lib/cluster/status.ts'
import {testContext} from '../../helpers/context.ts'
import {jarCache} from '../../helpers/jar-cache.ts'
import type {KafkaSecurity, KafkaUnderTest} from '../../helpers/kafka.ts'

/** Addresses that a user's own cluster does not take. */
const CLUSTERS = {
  kraft: {kind: 'kafka', hosts: ['127.0.0.81', '127.0.0.82', '127.0.0.83']},
  zookeeper: {kind: 'kafka-zk', hosts: ['127.0.0.84', '127.0.0.85', '127.0.0.86', '127.0.0.87', '127.0.0.88', '127.0.0.89']},
} as const
const SECURITY = {user: 'coinpipe', password: 'a secret', tls: true}
/** Jars may have to be fetched first. */
const TIMEOUT_MS = 240_000

/** Starts the cluster that all files of a part share; COINPIPE_TEST_KAFKA_KRAFT and …_ZOOKEEPER name one that runs already. */
export function startCluster(mode: KafkaUnderTest['mode']) {
  return async (project: TestProject): Promise<() => Promise<void>> => {
    const context = testContext()
    const {kind, hosts} = CLUSTERS[mode]
    const classpath = (await ensureJars('kafka', {cacheDir: jarCache()}, context)).join(':')
    const running = process.env[`COINPIPE_TEST_KAFKA_${mode.toUpperCase()}`]
    if (running !== undefined) {
      project.provide('kafka', {mode, brokers: running.split(','), classpath, own: null})
      return async () => undefined
    }
    const dataDir = await mkdtemp(join(tmpdir(), 'coinpipe-kafka-'))
    const service = new ClusterService({dataDir}, context)
    const stop = async () => {
      // One that could not be made at all is not there to be stopped.
      if ((await service.status()).length > 0) await service.down({cluster: kind, wipe: true})
      await rm(dataDir, {recursive: true, force: true})
    }
    try {
      const {status} = await service.up({kind, hosts, security: SECURITY, cacheDir: jarCache(), timeoutMs: TIMEOUT_MS})
      project.provide('kafka', {mode, brokers: status.brokers, classpath, own: {name: status.name, dataDir, security: securityOf(status)}})
    } catch (error) {
      await stop()
      throw error
    }
    return stop
  }
}

function securityOf({listeners, certificate}: ClusterStatus): KafkaSecurity {
  const {user, password} = SECURITY
  const {SASL_PLAINTEXT: sasl = [], SSL: tls = []} = listeners
  return {user, password, sasl, tls, certificate: certificate ?? ''}
}
