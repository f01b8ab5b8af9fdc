/** One fault to bring about, for example `{f: 'kill-process', target: 'ingest'}`. */
export interface NemesisOp {
  readonly f: string
  readonly target: string
}

/** What a fault touched, for the history. */
export interface NemesisReport {
  readonly touched: readonly string[]
}

/** Breaks something on purpose, confirms that it broke, and mends it. */
export interface Nemesis {
  /** Resolves once the fault is visible; rejects where the target is not what it seems (a pid with another start time is never signalled). */
  inject(op: NemesisOp): Promise<NemesisReport>
  /** Mends all it broke; safe to call twice, or with nothing broken. */
  heal(): Promise<NemesisReport>
}
