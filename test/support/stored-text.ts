import { createStoreClient, type StoreClient } from '../../src/store/client.js';

/** Every row of every table, as lines of JSON by table: to look for what must not be there. */
export async function storedText(client: StoreClient): Promise<Record<string, string>> {
  const tables = await client.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name",
  );
  const texts: Record<string, string> = {};
  for (const { name } of tables) {
    const rows = await client.query<object>(`SELECT * FROM ${name}`);
    texts[name] = rows.map((row) => JSON.stringify(row)).join('\n');
  }
  return texts;
}

/** Tables of an embedded store in which a text stands. */
export async function tablesWith(dataDir: string, text: string): Promise<string[]> {
  const client = await createStoreClient({ kind: 'embedded', dataDir });
  try {
    const texts = await storedText(client);
    return Object.keys(texts).filter((table) => texts[table]?.includes(text) === true);
  } finally {
    await client.close();
  }
}
