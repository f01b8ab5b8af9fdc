import type {ProgressFields} from '../observability/progress.ts'
import type {Stage} from './stages.ts'

/** A lag of so little time is what a live stream always has. */
const NO_WAIT_S = 1

/** What the progress line says: records by component, and how far behind the sinks are. */
export function progressOf(stages: readonly Pick<Stage, 'component' | 'lag'>[], handedOn: (component: string) => number): ProgressFields {
  const totals = stages.flatMap(({component}) => (component === undefined ? [] : [[component, handedOn(component)]]))
  const behind = stages.flatMap(({component = '', lag}) => (lag?.reading ? [{component, ...lag.reading}] : []))
  const values = behind.flatMap(({component, records, seconds}) => {
    const whose = behind.length > 1 ? `${component} ` : ''
    return [[`${whose}lag`, records], ...(seconds === null || seconds <= NO_WAIT_S ? [] : [[`${whose}caught up`, inWords(seconds)]])]
  })
  return {totals: Object.fromEntries(totals), values: Object.fromEntries(values)}
}

/** A rough time from now: `in 12 s`, `in 3 min`, `in 2 h`. */
function inWords(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'never at this rate'
  if (seconds < 100) return `in ${Math.ceil(seconds)} s`
  return seconds < 6000 ? `in ${Math.ceil(seconds / 60)} min` : `in ${Math.ceil(seconds / 3600)} h`
}
