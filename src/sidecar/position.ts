import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Logger } from '../domain/ports.js';
import { messageOf, whereMissing } from '../errors.js';

/** The first byte that is not delivered. */
export interface Position {
  segment: number;
  offset: number;
}

const positionSchema = z.strictObject({ segment: z.int(), offset: z.int() });

/** The beginning when there is none, or a damaged one. */
export async function readPosition(path: string, logger: Logger): Promise<Position> {
  const text = await readFile(path, 'utf8').catch(whereMissing(null));
  if (text === null) return { segment: 0, offset: 0 };
  try {
    return positionSchema.parse(JSON.parse(text));
  } catch {
    // Of a disk that lost power: what is known counts as duplicate.
    logger.warn(
      { file: path },
      'spool: the position is damaged, all that is in the spool is delivered again',
    );
    return { segment: 0, offset: 0 };
  }
}

/** Whole or not at all. */
async function writePosition(path: string, position: Position): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(position));
  await rename(`${path}.new`, path);
}

/**
 * Remembers the position, which is only a hint: without it, what was delivered is delivered again and known by its ids. So a disk that takes
 * none, which is said once, keeps nobody from delivering; the next call tries again.
 */
export function createPositionKeeper(path: string, logger: Logger): (position: Position) => Promise<void> {
  let isFailing = false;
  return async (position) => {
    try {
      await writePosition(path, position);
      isFailing = false;
    } catch (error) {
      if (!isFailing)
        logger.warn(
          { file: path, reason: messageOf(error) },
          'spool: the position cannot be written, a start before it can delivers some requests again',
        );
      isFailing = true;
    }
  };
}
