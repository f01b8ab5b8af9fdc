import {CoinpipeError, type ErrorDetails, EXIT} from '../../core/errors.ts'

const LATER: ErrorDetails = {retry: {kind: 'later'}}

/** The host name of an exchange cannot be resolved. */
export class FeedDnsError extends CoinpipeError {
  readonly code = 'COINPIPE_FEED_DNS'
  constructor(url: string, details: ErrorDetails & {readonly seen: string}) {
    const host = new URL(url).hostname
    super(`cannot resolve '${host}' (${details.seen}) to connect to ${url}`, {
      ...LATER,
      remedy: [`check the network and the name: nslookup ${host}`, 'or connect elsewhere with --url'],
      ...details,
    })
  }
}

/** The TLS handshake with an exchange failed: an untrusted or expired certificate, another name in it, or no TLS at all on that port. */
export class FeedTlsError extends CoinpipeError {
  readonly code = 'COINPIPE_FEED_TLS'
  constructor(url: string, details: ErrorDetails & {readonly seen: string}) {
    super(`TLS with ${url} failed: ${details.seen}`, {
      ...LATER,
      remedy: [
        'check the clock of this machine and that the URL is right (wss:// for TLS, ws:// without)',
        'behind a proxy with its own certificate, name it: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
      ],
      ...details,
    })
  }
}

/** Nothing at that address takes the connection, or it does not answer in time. */
export class FeedUnreachableError extends CoinpipeError {
  readonly code = 'COINPIPE_FEED_UNREACHABLE'
  constructor(url: string, details: ErrorDetails & {readonly seen: string}) {
    super(`cannot connect to ${url}: ${details.seen}`, {
      ...LATER,
      remedy: ['check the network and the status page of the exchange', 'or connect elsewhere with --url'],
      ...details,
    })
  }
}

/** The server answered, but not with a websocket. `status` is the HTTP status. */
export class FeedRefusedError extends CoinpipeError {
  readonly code = 'COINPIPE_FEED_REFUSED'
  readonly status: number
  constructor(url: string, status: number) {
    const limited = status === 429 || status === 418
    super(`${url} refused the websocket with HTTP ${status}`, {
      ...LATER,
      remedy: limited
        ? ['too many connections from this address: stop other collectors, or wait a minute']
        : ['check the path of the URL, and connect elsewhere with --url'],
    })
    this.status = status
  }
}

/** The exchange refuses what was subscribed. Asking again will not help. */
export class SubscriptionRefusedError extends CoinpipeError {
  readonly code = 'COINPIPE_FEED_SUBSCRIPTION_REFUSED'
  constructor(url: string, name: string, message: string, asked: string) {
    super(`${url} refused the subscription: ${name} (${message}); asked for ${asked}`, {
      exitCode: EXIT.usage,
      remedy: ['check --symbols and --channels against what the exchange lists'],
    })
  }
}

/** A REST request was answered with an HTTP status other than 200. */
export class RestStatusError extends CoinpipeError {
  readonly code = 'COINPIPE_REST_STATUS'
  readonly status: number
  constructor(url: string, status: number, body: string, details: ErrorDetails = {}) {
    super(`GET ${url} was answered with HTTP ${status}: ${body.slice(0, 200)}`, {
      remedy: ['check the status page of the exchange', 'or ask elsewhere with --rest-url'],
      ...details,
    })
    this.status = status
  }
}

/** A REST request got no answer: name, network, TLS or time-out. */
export class RestUnreachableError extends CoinpipeError {
  readonly code = 'COINPIPE_REST_UNREACHABLE'
  constructor(url: string, details: ErrorDetails & {readonly seen: string}) {
    super(`GET ${url} got no answer: ${details.seen}`, {
      ...LATER,
      remedy: ['check the network and the status page of the exchange', 'or ask elsewhere with --rest-url'],
      ...details,
    })
  }
}

/** A REST answer of status 200 that cannot be read. */
export class RestAnswerError extends CoinpipeError {
  readonly code = 'COINPIPE_REST_ANSWER'
  constructor(url: string, seen: string, details: ErrorDetails = {}) {
    super(`the answer to GET ${url} cannot be read: ${seen}`, {
      ...LATER,
      remedy: ['compare with the documentation of the exchange: its format may have changed'],
      ...details,
    })
  }
}
