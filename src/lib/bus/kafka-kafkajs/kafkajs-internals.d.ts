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
