import type { ModelStore } from '../domain/ports.js';
import { type Grid, isEmptyGrid } from '../domain/profile.js';
import { createBatch } from './batch.js';
import type { StoreClient } from './client.js';
import { float64 } from './encoding.js';

export type GridStore = Pick<ModelStore, 'saveGrids' | 'listGrids'> & {
  byFeature(model: string): Promise<ReadonlyMap<string, Grid>>;
};

interface GridRow {
  readonly feature: string;
  readonly kind: Grid['kind'];
  readonly cut_points: readonly (number | string)[];
  readonly quantum: number;
  readonly categories: readonly string[];
  readonly head_size: number;
  readonly singleton_share: number;
}

interface GridState {
  readonly features: number;
  readonly revision: number;
}

const MODELS_PER_STATEMENT = 256;

/**
 * Models whose grids are kept in memory: they are read for every judged window and never change, only grow in number. A model that
 * was deleted and registered again has others, under later revisions.
 */
const CACHED_MODELS = 256;

export function createGridStore(client: StoreClient, nextRevision: () => number): GridStore {
  const cache = new Map<string, { revision: number; grids: ReadonlyMap<string, Grid> }>();

  const stateOf = createBatch(async (models: readonly string[]) => {
    const rows = await client.query<GridState & { model: string }>(
      `SELECT model, uniqExact(feature) AS features, max(grids.revision) AS revision FROM grids
       WHERE model IN {models:Array(String)} GROUP BY model`,
      { models: [...new Set(models)] },
    );
    const found = new Map(rows.map((row) => [row.model, row]));
    return models.map((model): GridState => found.get(model) ?? { features: 0, revision: 0 });
  }, MODELS_PER_STATEMENT);

  async function byFeature(model: string): Promise<ReadonlyMap<string, Grid>> {
    const { features, revision } = await stateOf(model);
    const cached = cache.get(model);
    if (cached?.revision === revision && cached.grids.size === features) return cached.grids;
    const rows = await client.query<GridRow>(
      `SELECT feature, kind, cut_points, quantum, categories, head_size, singleton_share FROM grids FINAL
       WHERE model = {model:String} ORDER BY feature`,
      { model },
    );
    const grids = new Map(rows.map((row) => [row.feature, toGrid(row)]));
    cache.set(model, { revision, grids });
    const [oldest] = cache.keys();
    if (cache.size > CACHED_MODELS && oldest !== undefined) cache.delete(oldest);
    return grids;
  }

  return {
    byFeature,
    listGrids: async (model) => [...(await byFeature(model)).values()],

    /** A grid that exists already stays as it is, since profiles are counted on it; one without a cell is replaced. */
    async saveGrids(model, grids) {
      const known = await byFeature(model);
      const revision = nextRevision();
      const rows = grids
        .filter((grid) => {
          const old = known.get(grid.feature);
          return old === undefined || (isEmptyGrid(old) && !isEmptyGrid(grid));
        })
        .map((grid) => ({
          model,
          feature: grid.feature,
          kind: grid.kind,
          cut_points: grid.kind === 'numeric' ? grid.cutPoints : [],
          quantum: grid.kind === 'numeric' ? grid.quantum : 1,
          categories: grid.kind === 'categorical' ? grid.categories : [],
          head_size: grid.kind === 'categorical' ? grid.headSize : 0,
          singleton_share: grid.kind === 'categorical' ? (grid.singletonShare ?? 0) : 0,
          revision,
        }));
      await client.insert('grids', rows);
    },
  };
}

function toGrid(row: GridRow): Grid {
  const { feature } = row;
  return row.kind === 'numeric'
    ? { kind: 'numeric', feature, cutPoints: row.cut_points.map(float64), quantum: row.quantum }
    : {
        kind: 'categorical',
        feature,
        categories: row.categories,
        headSize: row.head_size,
        ...(row.singleton_share > 0 ? { singletonShare: row.singleton_share } : {}),
      };
}
