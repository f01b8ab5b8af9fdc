import {InvalidInputError} from '../../core/errors.ts'
import {seededRandom} from '../random.ts'

/** One simulated market. Prices are whole numbers of `10^-decimals` of the quote currency. */
export interface Market {
  /** Upbit's code, `KRW-BTC`. */
  readonly code: string
  readonly koreanName: string
  readonly englishName: string
  readonly decimals: number
  /** Smallest price step (Upbit: docs.upbit.com, KRW market price units). */
  readonly tickUnits: number
  readonly startUnits: number
  /** Value of a usual trade in the quote currency. */
  readonly usualValue: number
  /** How much of the traffic is this market's. */
  readonly weight: number
}

interface Coin {
  readonly korean: string
  readonly english: string
  readonly krw: number
  readonly weight: number
}

const COINS: Readonly<Record<string, Coin>> = {
  BTC: {korean: '비트코인', english: 'Bitcoin', krw: 145_200_000, weight: 24},
  ETH: {korean: '이더리움', english: 'Ethereum', krw: 5_120_000, weight: 18},
  XRP: {korean: '엑스알피(리플)', english: 'XRP', krw: 3_415, weight: 20},
  SOL: {korean: '솔라나', english: 'Solana', krw: 231_500, weight: 10},
  DOGE: {korean: '도지코인', english: 'Dogecoin', krw: 287, weight: 10},
  ADA: {korean: '에이다', english: 'Cardano', krw: 842, weight: 7},
  USDT: {korean: '테더', english: 'Tether', krw: 1_455, weight: 6},
  SHIB: {korean: '시바이누', english: 'Shiba Inu', krw: 0.01342, weight: 5},
  AVAX: {korean: '아발란체', english: 'Avalanche', krw: 27_300, weight: 4},
  LINK: {korean: '체인링크', english: 'Chainlink', krw: 22_150, weight: 4},
  TRX: {korean: '트론', english: 'TRON', krw: 421, weight: 4},
  SUI: {korean: '수이', english: 'Sui', krw: 2_985, weight: 4},
  DOT: {korean: '폴카닷', english: 'Polkadot', krw: 4_120, weight: 3},
  BCH: {korean: '비트코인캐시', english: 'Bitcoin Cash', krw: 812_000, weight: 3},
}

export const DEFAULT_SYMBOLS: readonly string[] = [
  'BTC-KRW',
  'ETH-KRW',
  'XRP-KRW',
  'SOL-KRW',
  'DOGE-KRW',
  'ADA-KRW',
  'USDT-KRW',
  'SHIB-KRW',
]

/** KRW per unit of the quote currency, and the value of a usual trade in it. */
const QUOTES: Readonly<Record<string, {readonly krw: number; readonly usualValue: number}>> = {
  KRW: {krw: 1, usualValue: 250_000},
  BTC: {krw: 145_200_000, usualValue: 0.002},
  USDT: {krw: 1_455, usualValue: 180},
}

/** Markets for symbols such as `BTC-KRW`, in the order given. An unknown coin gets a made-up price that depends on its name alone. */
export function marketsFor(symbols: readonly string[]): Market[] {
  if (symbols.length === 0)
    throw new InvalidInputError('no symbols to simulate', {remedy: ['name at least one, for example --symbols BTC-KRW']})
  return [...new Set(symbols)].map(marketFor)
}

function marketFor(symbol: string): Market {
  const [, base = '', quote = ''] = /^([A-Z0-9]{1,12})-([A-Z]{3,4})$/.exec(symbol) ?? []
  const quoted = Object.hasOwn(QUOTES, quote) ? QUOTES[quote] : undefined
  if (quoted === undefined || base === quote || base === 'KRW') {
    throw new InvalidInputError(`symbol '${symbol}' cannot be simulated as an Upbit market`, {
      remedy: [`write coin and quote currency, the quote one of ${Object.keys(QUOTES).join(', ')}: for example BTC-KRW`],
    })
  }
  const coin = (Object.hasOwn(COINS, base) ? COINS[base] : undefined) ?? madeUpCoin(base)
  const price = coin.krw / quoted.krw
  const {decimals, tickUnits} = quote === 'KRW' ? krwStep(price) : {decimals: price < 1 ? 8 : 3, tickUnits: 1}
  const startUnits = Math.max(tickUnits, Math.round((price * 10 ** decimals) / tickUnits) * tickUnits)
  return {
    code: `${quote}-${base}`,
    koreanName: coin.korean,
    englishName: coin.english,
    decimals,
    tickUnits,
    startUnits,
    usualValue: quoted.usualValue,
    weight: coin.weight,
  }
}

function madeUpCoin(base: string): Coin {
  let seed = 7
  for (const letter of base) seed = Math.imul(seed, 31) + letter.charCodeAt(0)
  const krw = Number((10 ** (seededRandom(seed)() * 5)).toPrecision(3))
  return {korean: base, english: base, krw, weight: 2}
}

/** Upbit's price steps for KRW markets: about a thousandth of the price, as far as a step has a round decimal. */
function krwStep(price: number): {decimals: number; tickUnits: number} {
  if (price >= 2_000_000) return {decimals: 0, tickUnits: 1000}
  if (price >= 1_000_000) return {decimals: 0, tickUnits: 500}
  if (price >= 100_000) return {decimals: 0, tickUnits: 50}
  if (price >= 10_000) return {decimals: 0, tickUnits: 10}
  if (price >= 1000) return {decimals: 0, tickUnits: 1}
  if (price >= 100) return {decimals: 1, tickUnits: 1}
  if (price >= 10) return {decimals: 2, tickUnits: 1}
  if (price >= 1) return {decimals: 3, tickUnits: 1}
  return {decimals: 5, tickUnits: 1}
}
