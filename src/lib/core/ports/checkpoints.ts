import type {Component} from './component.ts'

export interface Versioned {
  readonly value: string
  /** 1 for the first put, then one more each time. */
  readonly version: number
}

/** Small named states that survive restart: scrape offsets, aggregation snapshots, leases. */
export interface Checkpoints extends Component {
  get(key: string): Promise<Versioned | null>
  /** Returns the new version. */
  put(key: string, value: string): Promise<number>
  /**
   * Puts only where the stored version is `version` (0: not there yet). A clash is an answer, not an error: `ok` false and the version found.
   */
  putIfVersion(key: string, value: string, version: number): Promise<{readonly ok: boolean; readonly version: number}>
}
