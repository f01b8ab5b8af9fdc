import {InvalidInputError} from '../core/errors.ts'
import type {MarketChannel} from '../core/records.ts'
import {findExchange} from '../exchanges/registry.ts'

/** The channels that `--channels` names; what the exchange does not have is an InvalidInputError. */
export function checkChannels(exchange: string, given: readonly string[]): MarketChannel[] {
  const {channels} = findExchange(exchange)
  return given.map((name) => {
    const channel = channels.find((known) => known === name)
    if (channel) return channel
    throw new InvalidInputError(`'${name}' is not a channel of ${exchange}`, {
      remedy: [`--channels takes ${channels.join(', ')}, comma-separated`],
    })
  })
}
