// The bridge as a program: `node … DATA_DIR PORT PASSWORD` writes its URL as the first line of stdout and runs until it is killed.
import { startClickHouseBridge } from './clickhouse-bridge.js';

const [dataDir, port, password] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('usage: clickhouse-bridge-main DATA_DIR [PORT] [PASSWORD]');
const bridge = await startClickHouseBridge({
  dataDir,
  port: Number(port ?? 0),
  password: password ?? '',
});
process.stdout.write(`${bridge.url}\n`);
process.on('SIGTERM', () => void bridge.stop());
