/**
 * The few parts of cassandra-driver 4.10.0 that it does not export, and that batch-request.ts stands on. The version is pinned in package.json, and the
 * contract suite of the sink fails where another one differs.
 */

declare module 'cassandra-driver/lib/request-handler.js' {
  import type cassandra from 'cassandra-driver'

  /** What is sent: `write` gives the frame. `length` is that of its body. */
  interface Request {
    readonly length: number
    readonly consistency: number
    write(encoder: {readonly protocolVersion: number}, streamId: number): Buffer
    /** For a retry at another consistency. */
    clone(): Request
  }

  /** Chooses nodes, retries, and prepares again where a node forgot a statement. */
  const requestHandler: {
    send(request: Request, options: ExecutionOptions, client: cassandra.Client): Promise<unknown>
  }
  interface ExecutionOptions {
    getLoadBalancingPolicy(): unknown
  }
  // biome-ignore lint/style/noDefaultExport: how these modules are
  export default requestHandler
  export type {ExecutionOptions, Request}
}

declare module 'cassandra-driver/lib/prepare-handler.js' {
  import type cassandra from 'cassandra-driver'

  const prepareHandler: {
    getPrepared(client: cassandra.Client, policy: unknown, query: string, keyspace: string | undefined): Promise<{readonly queryId: Buffer}>
  }
  // biome-ignore lint/style/noDefaultExport: how these modules are
  export default prepareHandler
}

declare module 'cassandra-driver/lib/execution-options.js' {
  import type cassandra from 'cassandra-driver'
  import type {ExecutionOptions} from 'cassandra-driver/lib/request-handler.js'

  const executionOptions: {
    readonly DefaultExecutionOptions: {create(options: cassandra.QueryOptions, client: cassandra.Client): ExecutionOptions}
  }
  // biome-ignore lint/style/noDefaultExport: how these modules are
  export default executionOptions
}
