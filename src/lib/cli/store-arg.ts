import {Args} from '@oclif/core'

/** Stores whose tables are ours to make. */
const STORES = ['cassandra'] as const

/** The commands about tables take it. */
export const storeArg = Args.string({description: 'Where the tables are.', options: [...STORES], required: true})
