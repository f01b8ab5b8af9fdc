import {Flags} from '@oclif/core'
import type {Config} from '../config/load.ts'
import {cassandraFlags} from './cassandra-flags.ts'

const STORES = ['embedded', 'cassandra'] as const
export type StoreName = (typeof STORES)[number]

const storeFlag = Flags.option({
  summary: 'Where to read: embedded (the file in the data folder) or cassandra.',
  description:
    'Default: cassandra where --hosts, --keyspace, --local-datacenter or --sink is given, or where the config has a sink of that kind and none of kind store; else embedded.',
  options: STORES,
  env: 'COINPIPE_STORE',
})()

/** Flags of commands that read from a store. */
export const storeFlags = {store: storeFlag, ...cassandraFlags}

/** Those that say which Cassandra, and so that it is Cassandra; the others may be set for other commands. */
const NAMING = ['sink', 'hosts', 'keyspace', 'local-datacenter'] as const

type Given = {readonly [flag in (typeof NAMING)[number]]?: string | undefined} & {readonly store?: StoreName | undefined}

/** The store that the flags name, or else the one that the config fills. */
export function chosenStore({sinks}: Config, flags: Given): StoreName {
  if (flags.store !== undefined) return flags.store
  const named = NAMING.some((flag) => flags[flag] !== undefined)
  const kinds = new Set(Object.values(sinks).map(({kind}) => kind))
  return named || (kinds.has('cassandra') && !kinds.has('store')) ? 'cassandra' : 'embedded'
}
