import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { AppError, messageOf } from '../errors.js';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

function decoderFor(request: IncomingMessage): Transform | null {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return null;
  const create = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (create === undefined)
    throw new AppError(
      'unsupported_media_type',
      `content-encoding ${encoding.slice(0, 40)} is not known here: send gzip, deflate, br or no compression`,
    );
  return create();
}

/**
 * The whole body, decompressed. Counts bytes after decompression as they come and stops reading at the limit, so a small
 * archive cannot grow without bound. Throws payload_too_large, unsupported_media_type, invalid_request.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const decoder = decoderFor(request);
  const tooLarge = () =>
    new AppError(
      'payload_too_large',
      `the body is larger than ${maxBytes} bytes after decompression: send it in smaller parts`,
    );
  if (decoder === null && Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const stream = decoder === null ? request : request.pipe(decoder);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const fail = (error: unknown) => {
      request.unpipe();
      request.pause();
      decoder?.destroy();
      chunks.length = 0;
      reject(error);
    };
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) fail(tooLarge());
      else chunks.push(chunk);
    });
    stream.on('end', () => resolve(Buffer.concat(chunks, bytes)));
    stream.on('error', (cause) =>
      fail(
        new AppError('invalid_request', `the body cannot be decompressed: ${messageOf(cause)}`, { cause }),
      ),
    );
    request.on('aborted', () =>
      fail(new AppError('invalid_request', 'the sender went away in the middle of the body')),
    );
  });
}
