import type cassandra from 'cassandra-driver'

export interface OneNode {
  readonly host: string
  readonly port: number
  /** How long it may take to connect, and to answer one question. */
  readonly timeoutMs: number
}

/** Talks to one node and to no other, whatever it says of the others. Its errors are the driver's. */
export async function withClient<T>(
  {host, port, timeoutMs}: OneNode,
  talk: (client: cassandra.Client, driver: typeof cassandra) => Promise<T>,
): Promise<T> {
  // Loaded only now: most commands have no use for it.
  const driver = (await import('cassandra-driver')).default
  const {loadBalancing, reconnection, retry} = driver.policies
  const client = new driver.Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter: 'datacenter1',
    policies: {
      loadBalancing: new loadBalancing.AllowListPolicy(new loadBalancing.RoundRobinPolicy(), [`${host}:${port}`]),
      reconnection: new reconnection.ConstantReconnectionPolicy(timeoutMs),
      retry: new retry.FallthroughRetryPolicy(),
    },
    pooling: {coreConnectionsPerHost: {[driver.types.distance.local]: 1}, heartBeatInterval: 0},
    socketOptions: {connectTimeout: timeoutMs, readTimeout: timeoutMs},
    isMetadataSyncEnabled: false,
  })
  try {
    await client.connect()
    return await talk(client, driver)
  } finally {
    await shutdown(client, timeoutMs)
  }
}

/** A driver whose node goes away meanwhile may not come to an end. */
async function shutdown(client: cassandra.Client, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([client.shutdown().catch(() => undefined), late])
  clearTimeout(timer)
}
