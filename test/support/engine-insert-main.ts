// `node … DATA_DIR`: inserts the row 1 into a table of an embedded store and writes what is in it then to stdout, as JSON.
import { createStoreClient } from '../../src/store/client.js';

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('usage: engine-insert-main DATA_DIR');
const client = await createStoreClient({ kind: 'embedded', dataDir });
await client.command('CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a');
await client.insert('t', [{ a: 1 }]);
process.stdout.write(`${JSON.stringify(await client.query('SELECT a FROM t ORDER BY a'))}\n`);
await client.close();
process.exit(0);
