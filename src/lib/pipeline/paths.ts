import {join} from 'node:path'

/** Where everything is below the data folder. */
export interface DataPaths {
  readonly log: string
  readonly store: string
  readonly checkpoints: string
  /** There where the data is of a simulated exchange. */
  readonly simulatedMark: string
  /** Folder of one pipeline's spill and lock. */
  ingest(pipeline: string): string
}

export function dataPaths(dataDir: string): DataPaths {
  return {
    log: join(dataDir, 'log', 'coinpipe-log.sqlite'),
    store: join(dataDir, 'store', 'coinpipe-store.sqlite'),
    checkpoints: join(dataDir, 'state', 'coinpipe-checkpoints.sqlite'),
    simulatedMark: join(dataDir, 'SIMULATED'),
    ingest: (pipeline) => join(dataDir, 'ingest', pipeline),
  }
}
