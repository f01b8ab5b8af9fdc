import type {MarketWalk} from './market-walk.ts'
import {utcDate, utcTime, volumeText} from './number-text.ts'

/** SNAPSHOT answers a subscription, REALTIME follows the market. */
export type StreamType = 'SNAPSHOT' | 'REALTIME'

const BEST_SIZES = 64

/**
 * Trades as JSON objects, with field names of the DEFAULT formats or the short ones of the SIMPLE formats (docs.upbit.com: websocket, trade). The text
 * is put together by hand, once per trade and style, because at 100,000 trades a second that is most of the work.
 */
export class TradeText {
  private readonly bestSizes = Array.from({length: BEST_SIZES}, (_, i) => volumeText((i + 1) * 7_391_731 + i * i * 977))
  private dateSecond = -1
  private date = ''
  private time = ''

  /** The trade that `walk` made last. */
  full(walk: MarketWalk, sentMs: number, eventMs: number, id: string, stream: StreamType): string {
    this.at(eventMs)
    return (
      `{"type":"trade","code":"${walk.market.code}","timestamp":${sentMs},"trade_date":"${this.date}","trade_time":"${this.time}",` +
      `"trade_timestamp":${eventMs},"trade_price":${walk.priceText},"trade_volume":${volumeText(walk.volumeUnits)},"ask_bid":"${walk.askBid}",` +
      `"prev_closing_price":${walk.prevCloseText},"change":"${walk.change}","change_price":${walk.changeText},"sequential_id":${id},` +
      `"best_ask_price":${bestAsk(walk)},"best_ask_size":${this.bestSize(walk.volumeUnits)},` +
      `"best_bid_price":${bestBid(walk)},"best_bid_size":${this.bestSize(walk.volumeUnits + 1)},"stream_type":"${stream}"}`
    )
  }

  short(walk: MarketWalk, sentMs: number, eventMs: number, id: string, stream: StreamType): string {
    this.at(eventMs)
    return (
      `{"ty":"trade","cd":"${walk.market.code}","tms":${sentMs},"td":"${this.date}","ttm":"${this.time}","ttms":${eventMs},` +
      `"tp":${walk.priceText},"tv":${volumeText(walk.volumeUnits)},"ab":"${walk.askBid}","pcp":${walk.prevCloseText},"c":"${walk.change}",` +
      `"cp":${walk.changeText},"sid":${id},"bap":${bestAsk(walk)},"bas":${this.bestSize(walk.volumeUnits)},"bbp":${bestBid(walk)},` +
      `"bbs":${this.bestSize(walk.volumeUnits + 1)},"st":"${stream}"}`
    )
  }

  private bestSize(units: number): string {
    return this.bestSizes[units % BEST_SIZES] ?? ''
  }

  private at(timeMs: number): void {
    const second = Math.floor(timeMs / 1000)
    if (second === this.dateSecond) return
    this.dateSecond = second
    this.date = utcDate(timeMs)
    this.time = utcTime(timeMs)
  }
}

/** A buyer's trade happens at the best ask, a seller's at the best bid. */
function bestAsk(walk: MarketWalk): string {
  return walk.askBid === 'BID' ? walk.priceText : walk.askText
}

function bestBid(walk: MarketWalk): string {
  return walk.askBid === 'BID' ? walk.bidText : walk.priceText
}
