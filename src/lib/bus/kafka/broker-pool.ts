import {isIP} from 'node:net'
import {type Broker, type Connection, ConnectionPool} from '@platformatic/kafka'

export type ConnectionOptions = NonNullable<ConstructorParameters<typeof ConnectionPool>[1]>

/**
 * One connection to each broker. With TLS a name is told to the broker, which may have a certificate for each of its names; an address must not be, and
 * Node throws where it is: https://www.rfc-editor.org/rfc/rfc6066#section-3. The library can do either for a pool.
 */
export class BrokerPool {
  readonly #named: ConnectionPool
  readonly #numbered: ConnectionPool

  constructor(clientId: string, options: ConnectionOptions) {
    this.#named = new ConnectionPool(clientId, {...options, tlsServerName: true})
    this.#numbered = new ConnectionPool(clientId, options)
  }

  async get(broker: Broker): Promise<Connection> {
    return await (isIP(broker.host) === 0 ? this.#named : this.#numbered).get(broker)
  }

  async close(): Promise<void> {
    await Promise.all([this.#named.close(), this.#numbered.close()])
  }
}
