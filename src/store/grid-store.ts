import type { ModelStore } from '../domain/ports.js';
import type { Grid } from '../domain/profile.js';
import type { StoreClient } from './client.js';
import { float64 } from './encoding.js';

export type GridStore = Pick<ModelStore, 'saveGrids' | 'listGrids'> & {
  byFeature(model: string): Promise<ReadonlyMap<string, Grid>>;
};

interface GridRow {
  feature: string;
  kind: Grid['kind'];
  cut_points: (number | string)[];
  quantum: number;
  categories: string[];
  head_size: number;
}

export function createGridStore(client: StoreClient): GridStore {
  async function listGrids(model: string): Promise<Grid[]> {
    const rows = await client.query<GridRow>(
      `SELECT feature, kind, cut_points, quantum, categories, head_size FROM grids FINAL
       WHERE model = {model:String} ORDER BY feature`,
      { model },
    );
    return rows.map((row) =>
      row.kind === 'numeric'
        ? {
            kind: 'numeric',
            feature: row.feature,
            cutPoints: row.cut_points.map(float64),
            quantum: row.quantum,
          }
        : {
            kind: 'categorical',
            feature: row.feature,
            categories: row.categories,
            headSize: row.head_size,
          },
    );
  }

  return {
    listGrids,
    byFeature: async (model) => new Map((await listGrids(model)).map((grid) => [grid.feature, grid])),

    /** A grid that exists already stays as it is: profiles are counted on it. */
    async saveGrids(model, grids) {
      const known = new Set((await listGrids(model)).map((grid) => grid.feature));
      const rows = grids
        .filter((grid) => !known.has(grid.feature))
        .map((grid) => ({
          model,
          feature: grid.feature,
          kind: grid.kind,
          cut_points: grid.kind === 'numeric' ? grid.cutPoints : [],
          quantum: grid.kind === 'numeric' ? grid.quantum : 1,
          categories: grid.kind === 'categorical' ? grid.categories : [],
          head_size: grid.kind === 'categorical' ? grid.headSize : 0,
          revision: 1,
        }));
      await client.insert('grids', rows);
    },
  };
}
