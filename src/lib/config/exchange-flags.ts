import {Flags} from '@oclif/core'

/** Name, help and variable of `--exchange`, for commands that take one of `ids`. */
export function exchangeFlag(ids: readonly string[]) {
  return {summary: `Exchange: ${ids.join(', ')}.`, options: [...ids], env: 'COINPIPE_EXCHANGE'}
}

/** Flags of commands that talk to an exchange, or stand in for one. */
export const channelsFlag = Flags.string({
  summary: 'What to subscribe to, comma-separated.',
  default: 'trade,book,ticker',
  env: 'COINPIPE_CHANNELS',
})

export const symbolsFlag = Flags.string({
  summary: 'Markets, comma-separated; default: all that the exchange lists.',
  helpValue: '<symbol,…>',
  env: 'COINPIPE_SYMBOLS',
})

export const urlFlags = {
  url: Flags.string({summary: "Websocket address in place of the exchange's own.", env: 'COINPIPE_URL'}),
  'rest-url': Flags.string({summary: 'REST address; default: the origin of --url.', env: 'COINPIPE_REST_URL'}),
}

const PORT = {summary: 'Port to listen on; 0 takes any free one.', min: 0, max: 65_535, env: 'COINPIPE_PORT'}

/** `--port` of a server that has a usual one. */
export function portFlag(usual: number) {
  return Flags.integer({...PORT, default: usual})
}

/** Flags of commands that are a server. */
export const serverFlags = {
  port: Flags.integer(PORT),
  host: Flags.string({summary: 'Address to listen on; the default is this machine only.', default: '127.0.0.1', env: 'COINPIPE_HOST'}),
}
