declare module 'kafkajs/src/network/requestQueue/index.js' {
  class RequestQueue {
    pending: readonly unknown[]
    throttledUntil: number
    throttleCheckTimeoutId: NodeJS.Timeout | null
    checkPendingRequests(): void
    scheduleCheckPendingRequests(): void
  }
  export = RequestQueue
}

declare module 'kafkajs/src/broker/index.js' {
  class Broker {
    /** What it can do, once it has said so. */
    versions: object | null
    brokerAddress: string
    connectionPool: {
      readonly sasl?: object
      /** Milliseconds. */
      readonly connectionTimeout: number
      isConnected(): boolean
      isAuthenticated(): boolean
      map(each: (connection: {rejectRequests(error: Error): void}) => void): unknown
    }
    isConnected(): boolean
    apiVersions(): Promise<object>
  }
  export = Broker
}
