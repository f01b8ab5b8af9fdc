import {z} from 'zod'
import {InvalidInputError} from '../core/errors.ts'
import {CANDLE_INTERVALS} from '../core/records.ts'

/** Most trades and candles that one answer holds. */
export const MAX_TRADES = 500
export const MAX_CANDLES = 1_000

const integer = (max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value <= max, `must be at most ${max}`)
const limit = (max: number, fallback: number) =>
  integer(max)
    .refine((value) => value >= 1, 'must be at least 1')
    .default(fallback)
const interval = z.enum(CANDLE_INTERVALS).default('1m')

const market = {
  exchange: z.string().regex(/^[a-z0-9-]{1,30}$/, "must be an exchange id such as 'upbit'"),
  symbol: z.string().regex(/^[A-Z0-9]{1,20}(-[A-Z0-9]{1,20}){1,3}$/, "must be a symbol such as 'BTC-KRW'"),
}

export const marketQuery = z.strictObject(market)
export const tradesQuery = z.strictObject({...market, limit: limit(MAX_TRADES, 50), after: z.string().min(1).max(200).optional()})
export const candlesQuery = z.strictObject({
  ...market,
  interval,
  limit: limit(MAX_CANDLES, 300),
  from: integer(Number.MAX_SAFE_INTEGER).optional(),
  to: integer(Number.MAX_SAFE_INTEGER).optional(),
})
export const eventsQuery = z.strictObject({...market, interval})

/** Checks a query string; throws InvalidInputError that names the parameter and what it may be. */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const result = schema.safeParse(query)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => (issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message))
  throw new InvalidInputError(`query not understood: ${problems.join('; ')}`)
}
