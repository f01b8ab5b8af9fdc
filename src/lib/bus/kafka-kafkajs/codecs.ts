import {compressionsAlgorithms} from '@platformatic/kafka'
import kafkajs from 'kafkajs'

/**
 * Gives kafkajs the codecs that it only knows by name. Its registry is global to the module and takes no other form, so every connect() sets the same
 * ones again, which changes nothing. The codecs are those of the other client library: what one driver writes, the other reads.
 */
export function installCodecs(): void {
  const {CompressionCodecs, CompressionTypes} = kafkajs
  for (const [type, name] of [
    [CompressionTypes.Snappy, 'snappy'],
    [CompressionTypes.LZ4, 'lz4'],
    [CompressionTypes.ZSTD, 'zstd'],
  ] as const) {
    const {compressSync, decompressSync} = compressionsAlgorithms[name]
    CompressionCodecs[type] = () => ({
      compress: async (encoder: {readonly buffer: Buffer}) => compressSync(encoder.buffer),
      decompress: async (bytes: Buffer) => decompressSync(bytes),
    })
  }
}
