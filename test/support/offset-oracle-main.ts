// The oracle as a program, since one process holds one data directory: `node … LOCATION_AS_JSON TOPIC…` prints what is stored, as JSON.
import { storedOffsets } from './offset-oracle.js';

const [location, ...topics] = process.argv.slice(2);
if (location === undefined) throw new Error('usage: offset-oracle-main LOCATION_AS_JSON TOPIC…');
process.stdout.write(JSON.stringify(await storedOffsets(JSON.parse(location), topics)));
