import {inject} from 'vitest'
import {ClusterService} from '../../src/lib/cluster/service.ts'
import {testContext} from './context.ts'

/** Three Cassandra nodes and three Kafka brokers on this machine. */
export interface Testbed {
  /** Where the clusters are kept. */
  readonly dataDir: string
  /** The nodes' addresses behind Toxiproxy, which are those that they tell their clients. */
  readonly hosts: readonly string[]
  readonly brokers: readonly string[]
  /** Toxiproxy's own address. */
  readonly toxiproxy: string | null
}

declare module 'vitest' {
  export interface ProvidedContext {
    testbed: Testbed
  }
}

export function testbed(): Testbed & {readonly service: ClusterService} {
  const bed = inject('testbed')
  return {...bed, service: new ClusterService({dataDir: bed.dataDir}, testContext())}
}
