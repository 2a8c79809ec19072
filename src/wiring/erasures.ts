import { setTimeout as sleep } from 'node:timers/promises';
import { createTargetReader } from '../collectors/formats/message-targets.js';
import type { RowWriter } from '../collectors/row-writer.js';
import { type Config, modelConfig } from '../config.js';
import type { ErasedRows, ErasureStore, ErasureTarget, TargetsIn } from '../domain/erasure.js';
import { ID_COLUMN, tagColumn } from '../domain/privacy.js';
import { AppError } from '../errors.js';
import { createEraser } from '../jobs/erase.js';
import type { Parts } from './parts.js';
import { policyOf } from './privacy.js';

/** What was erased, as far as this process knows: read on a tick, and at once by whoever erases. */
export interface KnownErasures {
  readonly current: () => ErasedRows | null;
  readonly refresh: () => Promise<void>;
}

export function createKnownErasures(
  store: Pick<ErasureStore, 'erasedRows'>,
  targetsIn: TargetsIn,
): KnownErasures {
  let known: ErasedRows | null = null;
  return {
    current: () => known,
    refresh: async () => {
      known = await store.erasedRows(targetsIn);
    },
  };
}

/** Whose a message is, read as the models' messages are. */
export const wireTargetReader = (config: Config): TargetsIn =>
  createTargetReader((model) => modelConfig(config, model).mapping ?? null);

/** Until then every collector has read what was erased, and stored what it took before. */
const OTHERS_MS = 12_000;

/** `writer` is the process's own, if it collects rows. */
export function wireEraser(parts: Parts, writer: RowWriter | null, reportsDirectory: string) {
  const { config, store, privacy, erasures, wallClock, logger } = parts;
  const hasOthers = 'url' in config.store;

  function formsOf(model: string, target: ErasureTarget): readonly string[] {
    if (target.kind === 'prediction') return formsIn(ID_COLUMN, target.predictionId);
    const { tag, value } = target;
    const tags = policyOf(config)(model)?.tags ?? {};
    if (Object.hasOwn(tags, tag) && tags[tag] === 'drop')
      throw new AppError(
        'invalid_request',
        `the tag ${tag} is dropped before anything is stored, so no row carries it: erase by prediction id`,
      );
    return formsIn(tagColumn(tag), value);
  }

  const formsIn = (column: string, value: string) =>
    privacy === null ? [value] : [...new Set([value, privacy.hash(column, value)])];

  return createEraser({
    store,
    formsOf,
    formsOfId: (model, predictionId) =>
      policyOf(config)(model) === null ? [predictionId] : formsIn(ID_COLUMN, predictionId),
    targetsIn: wireTargetReader(config),
    settled: async () => {
      await erasures.refresh();
      await writer?.settled();
      if (hasOthers) await sleep(OTHERS_MS);
    },
    reportsDirectory,
    wallClock,
    logger,
  });
}
