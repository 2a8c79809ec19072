import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { AppError, messageOf } from '../errors.js';
import { createSpareBuffers } from '../spare-buffers.js';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** A sender of a body that is too large is heard out this far: many read the answer only after they have sent all. */
const LINGER_BYTES = 64 * 1024 * 1024;
const LINGER_MS = 5_000;

/** Taken for the first piece of a body: connections on which nothing comes hold nothing. */
const FIRST_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const MAX_SPARE_BYTES = 16 * 1024 * 1024;

/** What undoes the request's compression; null when there is none. Throws unsupported_media_type. */
export function decoderFor(request: IncomingMessage): Transform | null {
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

export interface BodyReaderOptions {
  /** Of one body, after decompression. */
  readonly maxBytes: number;
  /** Of all bodies held at once, after decompression; beyond it requests are told to come again later. */
  readonly maxHeldBytes: number;
}

/**
 * Reads bodies whole, decompressed. Bytes are counted as they come out of the decompressor and reading stops at the limit,
 * so a small archive cannot grow without bound, and many senders at once cannot either.
 */
export function createBodyReader({ maxBytes, maxHeldBytes }: BodyReaderOptions) {
  let heldBytes = 0;

  const spare = createSpareBuffers(MAX_SPARE_BYTES);

  function read(request: IncomingMessage, hold: (bytes: number) => boolean): Promise<Buffer> {
    const decoder = decoderFor(request);
    const stream = decoder === null ? request : request.pipe(decoder);
    return new Promise((resolve, reject) => {
      const length = decoder === null ? Number(request.headers['content-length'] ?? 0) : 0;
      let body: Buffer = NOTHING;
      let bytes = 0;
      let settled = false;
      const fail = (error: AppError) => {
        // A body that was handed over is its user's: given back twice, its memory would hold two bodies at once.
        if (settled) return;
        settled = true;
        stream.off('data', take);
        stream.off('end', finish);
        request.unpipe();
        decoder?.destroy();
        spare.give(body.buffer);
        body = NOTHING;
        if (error.code === 'payload_too_large') void hearOut(request).then(() => reject(error));
        else reject(error);
      };
      const finish = () => {
        settled = true;
        resolve(body.subarray(0, bytes));
      };
      const take = (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) fail(tooLarge(maxBytes));
        else if (hold(chunk.length)) body = appended(body, bytes - chunk.length, chunk, length);
        else
          fail(
            new AppError(
              'overloaded',
              `more than ${maxHeldBytes} bytes of bodies are in work: send again later`,
              {
                retryable: true,
              },
            ),
          );
      };
      if (length > maxBytes) {
        fail(tooLarge(maxBytes));
        return;
      }
      stream.on('data', take);
      stream.on('end', finish);
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

  /**
   * The body with a piece more, in memory of earlier bodies: new memory for each would keep the garbage collector busy, and so would
   * pieces that are held until the last one has come.
   */
  function appended(body: Buffer, at: number, piece: Buffer, announced: number): Buffer {
    let larger = body;
    if (at + piece.length > body.length) {
      // Room for the whole body soon, but never for much more than its sender has sent.
      const expected = Math.min(announced, 8 * body.length);
      larger = Buffer.from(spare.take(Math.max(2 * body.length, at + piece.length, FIRST_BYTES, expected)));
      body.copy(larger, 0, 0, at);
      spare.give(body.buffer);
    }
    piece.copy(larger, at);
    return larger;
  }

  return {
    /**
     * Gives the whole body to `use`, which must not keep it; its bytes count as held until that is done. Throws payload_too_large,
     * unsupported_media_type, invalid_request, overloaded.
     */
    async withBody<T>(request: IncomingMessage, use: (body: Buffer) => Promise<T>): Promise<T> {
      let own = 0;
      try {
        const body = await read(request, (bytes) => {
          // One body always fits, however small the bound.
          if (heldBytes > own && heldBytes + bytes > maxHeldBytes) return false;
          own += bytes;
          heldBytes += bytes;
          return true;
        });
        try {
          return await use(body);
        } finally {
          spare.give(body.buffer);
        }
      } finally {
        heldBytes -= own;
      }
    },
  };
}

export type BodyReader = ReturnType<typeof createBodyReader>;

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    'payload_too_large',
    `the body is larger than ${maxBytes} bytes after decompression: send it in smaller parts`,
  );
}

/** Throws away what still comes, for a while, so that the sender gets to read the answer instead of a reset. */
function hearOut(request: IncomingMessage): Promise<void> {
  if (request.complete) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const done = () => {
      clearTimeout(timer);
      request.off('data', count);
      request.pause();
      resolve();
    };
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LINGER_BYTES) done();
    };
    const timer = setTimeout(done, LINGER_MS);
    request.on('data', count);
    request.once('end', done);
    request.once('close', done);
  });
}
