import {Args, Flags} from '@oclif/core'
import {parseBytes, parseDuration} from '../core/duration.ts'

export const topicArg = Args.string({description: 'The topic.', required: true})
export const groupArg = Args.string({description: 'The consumer group.', required: true})

/** What sinks read. */
export const sinkTopicsFlag = Flags.string({
  summary: 'Topics to read, comma-separated; default: all market topics.',
  helpValue: '<topic,…>',
  env: 'COINPIPE_TOPICS',
})

export const partitionFlag = Flags.integer({char: 'p', summary: 'Only this partition; default: all.', min: 0, env: 'COINPIPE_PARTITION'})

const retention = Flags.custom<number | null>({
  helpValue: '<duration>',
  parse: async (text) => (text === 'forever' ? null : parseDuration(text)),
})

const size = Flags.custom<number | null>({
  helpValue: '<size>',
  parse: async (text) => (text === 'unlimited' ? null : parseBytes(text)),
})

/** What a topic keeps. */
export const limitFlags = {
  retention: retention({summary: 'How long records are kept, for example 24h; or forever.', env: 'COINPIPE_RETENTION'}),
  'retention-bytes': size({
    summary: 'Most bytes that are kept, all partitions together, for example 1GiB; or unlimited.',
    env: 'COINPIPE_RETENTION_BYTES',
  }),
}

export const settingFlag = Flags.string({
  summary: "A setting by Kafka's name, as key=value; may be repeated. An empty value goes back to the default of the nodes.",
  helpValue: '<key=value>',
  multiple: true,
  multipleNonGreedy: true,
  env: 'COINPIPE_SETTING',
})

/** What stands between records, and between key and value, where records are text. */
export const delimiterFlags = {
  delimiter: Flags.string({
    char: 'D',
    summary: 'What ends a record; \\n, \\t, \\0 and \\x1e are understood.',
    default: '\\n',
    env: 'COINPIPE_DELIMITER',
  }),
  'key-delimiter': Flags.string({
    char: 'K',
    summary: 'What stands between key and value; without it keys are left out.',
    helpValue: '<text>',
    env: 'COINPIPE_KEY_DELIMITER',
  }),
}

/** The commands about dead letters take it. */
export const codeFlag = Flags.string({summary: 'Only letters of this error code.', helpValue: '<code>', env: 'COINPIPE_CODE'})
