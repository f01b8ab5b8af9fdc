"""cryptofeed's Upbit decoder under the bench's protocol (bench/decode-peers.ts).

Argument: a file of frames, one a line. Each line on stdin is a number of seconds to decode for; the answer is one line of JSON with `frames` and
`cpuSeconds`. Decoding means: its message handler, then its objects serialised the way its backends do it.
"""
import asyncio
import json as stdlib_json
import sys
import time

from cryptofeed.defines import L2_BOOK, TRADES
from cryptofeed.exchanges import Upbit
from cryptofeed.symbols import Symbols
from yapic import json

written = 0


async def on_trade(trade, receipt):
    global written
    written += len(json.dumps(trade.to_dict(numeric_type=str, none_to=None)))


async def on_book(book, receipt):
    global written
    written += len(json.dumps(book.to_dict(numeric_type=str, none_to=None)))


def make_feed(frames):
    markets = sorted({stdlib_json.loads(frame)['cd'] for frame in frames})
    Symbols.set(Upbit.id, *Upbit._parse_symbol_data([{'market': market} for market in markets]))
    symbols = ['-'.join(reversed(market.split('-'))) for market in markets]
    return Upbit(symbols=symbols, channels=[TRADES, L2_BOOK], callbacks={TRADES: on_trade, L2_BOOK: on_book})


async def decode_for(feed, frames, seconds):
    handler = feed.message_handler
    count = 0
    cpu = time.process_time()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for frame in frames:
            await handler(frame, None, 1618678263.0)
        count += len(frames)
    return {'frames': count, 'cpuSeconds': time.process_time() - cpu}


async def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        frames = file.read().splitlines()
    feed = make_feed(frames)
    for line in sys.stdin:
        print(stdlib_json.dumps(await decode_for(feed, frames, float(line))), flush=True)
    if written == 0:
        sys.exit('nothing was serialised')


asyncio.run(main())
